"""Errands: what a command asks of a supervisor is done once, whatever the actors commit meanwhile."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from steady_mp.memory.letters import Letter, Letters
from steady_mp.supervisor.errands import Errands

if TYPE_CHECKING:
    from pathlib import Path


def letter(position: int) -> Letter:
    return Letter(channel="numbers", index=0, position=position, actor="sink", policy="dead_letter", time=0.0)


class Quarantine:
    """One whose receiver commits that it has taken its letters, at the moment that the test chooses."""

    def __init__(self, directory: Path) -> None:
        self.letters = Letters(directory)
        self.committed = 0
        self.commits_behind_settling = 0

    def settle(self, seat: object) -> None:
        del seat
        self.letters.settle(0, self.committed)
        self.committed += self.commits_behind_settling

    def done(self, seat: object, channel: int) -> int:
        del seat, channel
        return self.committed


def test_a_letter_that_is_taken_while_its_replay_is_asked_for_is_not_delivered_again(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    for position in (30, 70):
        quarantine.letters.put(letter(position))
    seat = SimpleNamespace(name="sink", is_over=False, renew=lambda: None)
    supervisor: Any = SimpleNamespace(
        killing=False,
        quarantine=quarantine,
        seats=[seat],
        plan=SimpleNamespace(channels=[SimpleNamespace(name="numbers", consumer=0)]),
    )
    errands = Errands(tmp_path, supervisor)

    def ask(*positions: int) -> dict[str, Any]:
        folder = tmp_path / "errands"
        folder.mkdir(exist_ok=True)
        (folder / "1.asked").write_text(json.dumps({"errand": "replay", "channel": 0, "positions": positions}))
        errands.look()
        answer: dict[str, Any] = json.loads((folder / "1.answered").read_text())
        return answer

    assert ask(30)["done"]
    assert quarantine.letters.orders(0) == [30]
    quarantine.commits_behind_settling = 1
    told = ask(30)
    assert quarantine.letters.orders(0) == [30], told
    assert "on their way already" in told["text"]
    assert "no dead letter" in ask(30)["text"]
    assert quarantine.letters.orders(0) == [30]
