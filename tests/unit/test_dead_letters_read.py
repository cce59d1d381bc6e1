"""Dead letters are read without the modules of whoever sent them, and each is replayed once."""

from __future__ import annotations

import base64
import importlib
import json
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.channel.decoding import wrap
from steady_mp.channel.lookup import record_of
from steady_mp.channel.ring import Ring
from steady_mp.cli import dead_letters
from steady_mp.memory.letters import Letter
from steady_mp.testing.rig import pair
from tests.support.frames import Frame

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
class Order:
    def __init__(self):
        self.number = 7
"""


def message_of_a_module_that_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    (folder / "gone_orders.py").write_text(SOURCE)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        order = importlib.import_module("gone_orders").Order()
        message = pickle.dumps(order)
    del sys.modules["gone_orders"]
    (folder / "gone_orders.py").unlink()
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(message)  # noqa: S301 - made here
    return message


def test_they_are_listed_shown_and_exported_without_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = message_of_a_module_that_is_gone(tmp_path, monkeypatch)
    letter = Letter(
        channel="orders",
        index=0,
        position=7,
        actor="billing",
        policy="dead_letter",
        time=0.0,
        shown="Order(number=7)",
        message=message,
    )
    box = dead_letters.Box(tmp_path, "shop", [letter], is_alive=False, ordered=frozenset())
    monkeypatch.setattr(dead_letters, "open_box", lambda _: box)
    assert dead_letters.list_letters(None, as_json=False) == 0
    assert "orders@7" in capsys.readouterr().out
    assert dead_letters.show_letter("orders@7", None, as_json=False) == 0
    assert "Order(number=7)" in capsys.readouterr().out
    assert dead_letters.export(tmp_path / "letters.jsonl", None, as_json=False) == 0
    assert base64.b64decode(json.loads((tmp_path / "letters.jsonl").read_text())["pickle"]) == message


def test_a_letter_that_is_named_twice_is_replayed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = [
        Letter(channel="a→b", index=0, position=each, actor="b", policy="dead_letter", time=0.0) for each in (3, 5)
    ]
    box = dead_letters.Box(tmp_path, "shop", letters, is_alive=True, ordered=frozenset())
    monkeypatch.setattr(dead_letters, "open_box", lambda _: box)
    asked: list[dict[str, Any]] = []

    def ask(_directory: Path, _errand: str, **details: Any) -> str:
        asked.append(details)
        return "they go to b"

    monkeypatch.setattr(dead_letters, "ask", ask)
    names = ["a→b@5", "a->b@3", "a->b@5", "a→b@5"]
    assert dead_letters.replay(names, None, everything=False, as_json=True) == 0
    assert asked == [{"channel": 0, "positions": [5, 3]}]
    assert json.loads(capsys.readouterr().out)["replayed"] == ["a→b@5", "a→b@3"]


def test_a_message_with_an_array_is_exported_as_pickle_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Frame("a", bytearray(b"abc"))
    _, source, sink, channel = pair(ring_bytes=1 << 20)
    source.send(channel, sent)
    ring = sink.life._place.stores[0]
    assert isinstance(ring, Ring)
    message = wrap(record_of(ring, sink.control.journal().cursors[0], 0), 0)
    letter = Letter(channel="frames", index=0, position=0, actor="b", policy="dead_letter", time=0.0, message=message)
    box = dead_letters.Box(tmp_path, "shop", [letter], is_alive=False, ordered=frozenset())
    monkeypatch.setattr(dead_letters, "open_box", lambda _: box)
    assert dead_letters.export(tmp_path / "letters.jsonl", None, as_json=False) == 0
    line = json.loads((tmp_path / "letters.jsonl").read_text())
    buffers = [bytearray(base64.b64decode(each)) for each in line["buffers"]]
    assert pickle.loads(base64.b64decode(line["pickle"]), buffers=buffers) == sent  # noqa: S301 - made here
