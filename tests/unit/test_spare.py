"""When a spare is forked, what it is told, and what it rehearses."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp import Graph
from steady_mp.channel.kinds import format_channel
from steady_mp.memory import layout
from steady_mp.memory.rundir import RunDir
from steady_mp.parking import is_readable
from steady_mp.plan import SUPERVISOR_BELL, actor_file, channel_file
from steady_mp.supervisor.ahead import Ahead
from steady_mp.supervisor.contents import first_contents
from steady_mp.supervisor.rehearsal import rehearse_lives
from steady_mp.supervisor.spare import Offer, Reserve, Role, Spare, take, wait_for_role
from tests.support import pipeline, unhurried
from tests.support.spares import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[Spare, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        yield Spare(os.getpid(), ours), theirs


def give(spare: Spare, role: Role) -> bool:
    """Give a role as the supervisor does, which has a copy of the fork server's end."""
    return Offer(spare.pid, os.dup(spare.fileno())).give(role)


def test_a_role_arrives_whole_and_its_taking_is_heard(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends
    read, write = os.pipe()
    role = Role(3, 41, write)
    assert give(spare, role)
    os.close(write)
    assert not spare.has_taken()
    actor, generation, log_fd = wait_for_role(there, iter(()), unasked)
    assert (actor, generation) == (3, 41)
    take(there)
    assert spare.has_taken()
    os.write(log_fd, b"said")
    os.close(log_fd)
    assert os.read(read, 10) == b"said"
    assert os.read(read, 10) == b""
    os.close(read)


def unasked(actor: int) -> NoReturn:
    raise AssertionError(actor)


def test_it_looks_at_whoever_has_died_before_it_has_a_role(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends
    reserve = Reserve(Hand())
    reserve.expect(1)  # nobody is there to be told
    reserve.spare = spare
    reserve.expect(7)
    reserve.expect(3)
    role = Role(3, 41, there.fileno())
    assert give(spare, role)
    assert reserve.given(spare.pid, role)
    reserve.expect(5)  # it has its role
    looked: list[int] = []
    role = wait_for_role(there, iter(()), looked.append)
    os.close(role.log_fd)
    assert role[:2] == (3, 41)
    assert looked == [7, 3]
    assert not is_readable(there.fileno())


def test_its_rehearsal_ends_with_the_step_in_which_its_role_comes(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends
    begun: list[int] = []

    def steps() -> Iterator[None]:
        for step in range(10):
            begun.append(step)
            if step == 2:
                spare.announce(7)
            if step == 4:
                assert give(spare, Role(3, 41, there.fileno()))
            yield

    looked: list[list[int]] = []
    role = wait_for_role(there, steps(), lambda actor: looked.append([actor, *begun]))
    os.close(role.log_fd)
    assert begun == [0, 1, 2, 3, 4]
    assert looked == [[7, 0, 1, 2]]


def test_a_rehearsal_that_fails_is_one_that_is_over(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends

    def steps() -> Iterator[None]:
        yield
        assert give(spare, Role(3, 41, there.fileno()))
        message = "a module of the user's has changed what this needs"
        raise RuntimeError(message)

    role = wait_for_role(there, steps(), unasked)
    os.close(role.log_fd)
    assert role.actor == 3


def test_a_role_is_taken_though_another_one_dies_behind_it(ends: tuple[Spare, socket.socket]) -> None:
    """The fork server does not know yet that it has been given, and says who has died: that is read by nobody."""
    spare, there = ends
    assert give(spare, Role(3, 41, there.fileno()))
    spare.announce(7)
    role = wait_for_role(there, iter(()), unasked)
    os.close(role.log_fd)
    take(there)
    spare.announce(9)
    assert spare.has_taken()


def test_a_dead_one_takes_no_role(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends
    there.close()
    before = descriptors()
    assert not give(spare, Role(0, 1, 2))
    assert descriptors() == before
    assert not spare.has_taken()


def test_a_spare_is_due_when_the_lives_that_began_are_on_their_way(ends: tuple[Spare, socket.socket]) -> None:
    clock = Hand()
    reserve = Reserve(clock)
    assert reserve.patience() is None  # no life has begun
    reserve.is_wanted = True
    reserve.postpone()
    assert not reserve.is_due()
    patience = reserve.patience() or 0.0
    assert 0 < patience < 1000
    clock.now += patience / 2000
    reserve.postpone()  # another one
    clock.now += patience / 2000
    assert not reserve.is_due()
    clock.now += patience / 1000
    assert reserve.is_due()
    reserve.spare = ends[0]
    assert reserve.patience() is None
    assert not reserve.is_due()


def test_a_spare_that_always_dies_is_forked_ever_more_rarely() -> None:
    clock = Hand()
    reserve = Reserve(clock)
    reserve.is_wanted = True
    pauses = []
    for _ in range(20):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        reserve.spare = Spare(os.getpid(), ours)
        theirs.close()
        assert reserve.died() is None
        pauses.append(reserve.patience() or 0.0)
        clock.now += pauses[-1] / 1000 + 1e-6
        assert reserve.is_due()
    assert pauses[10] == pytest.approx(1024 * pauses[0])
    assert pauses[1] == pytest.approx(2 * pauses[0])
    assert pauses[-1] == pytest.approx(60_000)


def test_the_role_of_a_lost_spare_is_handed_back(ends: tuple[Spare, socket.socket]) -> None:
    reserve = Reserve(Hand())
    reserve.spare, there = ends
    read, write = os.pipe()
    role = Role(1, 2, write)
    assert reserve.took() is None
    assert not reserve.given(os.getpid() + 1, role)  # that one is gone
    assert reserve.given(os.getpid(), role)
    assert reserve.took() is None
    there.close()
    assert reserve.died() == role
    assert reserve.died() is None  # it is forgotten
    os.close(read)
    os.close(write)


def test_nobody_listens_for_the_answer_before_the_life_has_got_on(ends: tuple[Spare, socket.socket]) -> None:
    clock = Hand()
    reserve = Reserve(clock)
    reserve.spare, there = ends
    assert not reserve.begins_to_hear()
    assert reserve.given(os.getpid(), Role(1, 2, there.fileno()))
    assert not reserve.begins_to_hear()
    until_heard = reserve.patience() or 0.0
    assert 0 < until_heard < 10
    clock.now += until_heard / 1000 + 1e-6
    assert reserve.took() is None
    assert reserve.begins_to_hear()
    assert not reserve.begins_to_hear()  # once
    until_halted = reserve.patience() or 0.0
    assert 0 < until_halted < 1000


def test_an_answer_is_heard_whenever_somebody_looks(ends: tuple[Spare, socket.socket]) -> None:
    """So a life that dies at once has begun, and is told of before its end."""
    reserve = Reserve(Hand())
    reserve.spare, there = ends
    assert reserve.given(os.getpid(), Role(1, 2, there.fileno()))
    take(there.dup())
    assert reserve.took() == (1, 2, there.fileno())


def test_an_answer_may_come_before_it_is_known_to_which_role(ends: tuple[Spare, socket.socket]) -> None:
    """The supervisor tells the spare first."""
    reserve = Reserve(Hand())
    reserve.spare, there = ends
    me, role = os.getpid(), Role(1, 2, there.fileno())
    assert not reserve.is_early(me)
    take(there.dup())
    assert reserve.took() is None
    assert reserve.is_early(me)
    assert not reserve.is_early(me + 1)
    assert reserve.given(me, role)
    assert not reserve.is_early(me)
    assert reserve.took() == role


def descriptors() -> list[Path]:
    return sorted(Path("/dev/fd").iterdir())


def test_a_rehearsal_leaves_nothing_behind(capfd: pytest.CaptureFixture[str], run_root: Path) -> None:
    before = descriptors()
    assert len(list(rehearse_lives())) > 2  # it can be left off between
    assert descriptors() == before
    assert capfd.readouterr() == ("", "")
    assert not list(run_root.iterdir())


@pytest.fixture
def ahead(tmp_path: Path) -> Ahead:
    """What a spare of the graph source → sink has ready."""
    graph = Graph("flow")
    tx, rx = graph.channel(8)
    graph.actor("source", unhurried.source, tx, 3, 1, graph.state())
    graph.actor("sink", pipeline.sink, rx, 1, graph.state())
    plan = graph.plan()
    packed = [draft.packed for draft in graph._actors]
    run = RunDir.create("flow", plan.files(), first_contents(plan, packed, {}, tmp_path, None), tmp_path)
    for channel in range(len(plan.channels)):
        format_channel(run.mapping(channel_file(channel)), plan.channels[channel])
    for name in (SUPERVISOR_BELL, actor_file(0, "bell"), actor_file(1, "bell")):
        run.doorbell(name, create=True).close()
    return Ahead(run.path, plan, 0)


def test_who_is_looked_at_finds_all_open_and_nobody_else_does(ahead: Ahead) -> None:
    ahead.dumps(0).close()  # somebody has lived
    before = descriptors()
    ahead.look_at(0)
    opened = descriptors()
    assert len(opened) > len(before)
    ahead.guess(1)  # somebody knows better
    ahead.look_at(0)
    assert descriptors() == opened
    its, dumps = ahead.belongings(0), ahead.dumps(0)
    assert descriptors() == opened
    assert its.stores[0].words[layout.CH_CAPACITY] == 8
    ahead.let_go()  # what was handed over is not its any more
    assert descriptors() == opened
    its.close()
    dumps.close()
    del its
    assert descriptors() == before
    ahead.guess(0)
    its = ahead.belongings(1)
    assert its.file("bell") == "actor-1.bell"
    its.close()
    del its
    ahead.let_go()
    assert descriptors() == before


def test_what_can_t_be_opened_ahead_is_said_by_the_life_itself(ahead: Ahead) -> None:
    before = descriptors()
    (ahead.directory / actor_file(0, "args")).unlink()
    ahead.look_at(0)
    ahead.dumps(0).close()
    assert descriptors() == before
    with pytest.raises(FileNotFoundError):
        ahead.belongings(0)
    assert descriptors() == before


def test_to_look_at_an_actor_changes_nothing(ahead: Ahead) -> None:
    """It may be at work at that time: a spare guesses."""
    stack = ahead.directory / actor_file(0, "stack")
    stack.write_text("of the life that is at work")

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in ahead.directory.iterdir() if path.is_file()}

    before = contents()
    ahead.look_at(0)
    assert contents() == before
    its, dumps = ahead.belongings(0), ahead.dumps(0)
    its.close()
    dumps.close()
    assert contents() == {**before, "actor-0.fault": b""}
