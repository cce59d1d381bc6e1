"""Soundness: a durable run goes on only from files that some kill may have left, and that belong together.

Whatever process is killed, whenever: journals fit each other, what a channel's header shows was committed before, and
the records of a ring lead from one cursor to the other. So what is otherwise comes of something else: a file of another
copy, a disk that has lost what it had. To go on from there would lose messages, or give them twice, unseen.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from steady_mp.channel.kinds import store_type
from steady_mp.channel.lookup import leads_on
from steady_mp.channel.ring import Ring
from steady_mp.errors import ConfigurationError, StateError
from steady_mp.memory.committed import read_committed
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.damage import ahead, control_damage, damage_of, header_damage, misfit
from steady_mp.memory.letters import Letters, orders_done
from steady_mp.memory.mapping import Mapping
from steady_mp.plan import RUN_FILE, EndPlan, actor_file, channel_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from steady_mp.plan import Plan


def refuse_damaged(path: Path, plan: Plan) -> None:
    """Raise ConfigurationError for a file that the run can't go on with: it would go on from places made up."""
    for name, size in plan.files().items():
        try:
            damage = damage_of(path / name, size, has_magic=name != RUN_FILE)
        except FileNotFoundError:
            raise ConfigurationError(f"{path / name} is missing: {_mend(path)}") from None
        except OSError as error:
            raise ConfigurationError(f"{path / name} can't be read: {error.strerror}") from None
        if damage:
            raise _damaged(path, name, damage)


def _mend(path: Path, what: str = "it") -> str:
    return f"put {what} back from a copy, or begin anew with --durable {path} --fresh"


def _damaged(path: Path, name: str, damage: str) -> ConfigurationError:
    return ConfigurationError(f"{path / name} is damaged ({damage}): {_mend(path)}")


def refuse_unsound(path: Path, plan: Plan, fresh_states: Collection[str]) -> None:
    """Raise ConfigurationError for what stands in the files of a run without processes, and no kill has left there.

    Snapshots of `fresh_states` may be anything. The files are there and have their sizes: see `refuse_damaged`.
    """
    with contextlib.ExitStack() as ending:
        controls = []
        for index, actor in enumerate(plan.actors):
            name = actor_file(index, "control")
            control = ControlBlock(Mapping(path / name, read_only=True), len(actor.ends))
            ending.callback(control.close)
            if damage := control_damage(control, [end.sends for end in actor.ends]):
                raise _damaged(path, name, damage)
            controls.append(control)
        for index in range(len(plan.channels)):
            _check_channel(path, plan, index, controls)
        for index, actor in enumerate(plan.actors):
            if actor.name not in fresh_states and not controls[index].journal().finished:
                _check_snapshot(path, index, actor.name, controls[index])


def _check_channel(path: Path, plan: Plan, index: int, controls: list[ControlBlock]) -> None:
    channel, name = plan.channels[index], channel_file(index)
    cursors, blocks = [], []
    for actor, sends in ((channel.producer, True), (channel.consumer, False)):
        end = plan.actors[actor].ends.index(EndPlan(channel=index, sends=sends))
        cursors.append(controls[actor].journal().cursors[end])
        blocks.append(actor_file(actor, "control"))
    sent, taken = cursors
    if wrong := misfit(sent, taken, channel.capacity, channel.ring_bytes):
        raise _at_odds(path, blocks[0], blocks[1], f"{channel.name}: {wrong}")
    if orders_done(taken.closed) > _replays(path, index):
        raise _damaged(path, blocks[1], f"{channel.name}: more dead letters are taken than were ever replayed")
    kind = store_type(channel)
    with contextlib.closing(Mapping(path / name, read_only=True)) as mapping:
        if damage := header_damage(
            mapping.words, (channel.capacity, channel.ring_bytes, kind.KIND, channel.shape.itemsize)
        ):
            raise _damaged(path, name, damage)
        for block, cursor, sends in zip(blocks, cursors, (True, False), strict=True):
            if wrong := ahead(mapping.words, cursor, sends=sends):
                raise _at_odds(path, name, block, f"{channel.name}: {wrong}")
        if issubclass(kind, Ring):
            ring = kind(mapping, channel.name)
            leads = leads_on(ring, taken, sent)
            ring.release()
            if not leads:
                raise _damaged(path, name, f"its records do not lead from message {taken.messages} to {sent.messages}")


def _replays(path: Path, index: int) -> int:
    letters = Letters(path)
    try:
        return len(letters.orders(index))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{letters.orders_path(index)} can't be read ({error}): {_mend(path)}") from None


def _at_odds(path: Path, one: str, other: str, wrong: str) -> ConfigurationError:
    return ConfigurationError(f"{path / one} and {other} do not fit ({wrong}): {_mend(path, 'the whole folder')}")


def _check_snapshot(path: Path, index: int, actor: str, control: ControlBlock) -> None:
    try:
        read_committed(control, path / actor_file(index, "snapshot"))
    except StateError as error:
        message = (
            f"{error}: put it back from a copy, or begin with a new state with --resume {path} --fresh-state {actor}"
        )
        raise ConfigurationError(message) from None
