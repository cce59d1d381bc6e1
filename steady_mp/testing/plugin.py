"""The pytest plugin: fixtures `graph_under_test`, `stage` and `chaos` in every project that has steady-mp installed.

    def test_a_kill_does_not_show(graph_under_test):
        graph = graph_under_test(build_graph, Args(rate=10, beats=30))
        graph.kill("worker")
        assert graph.finish().clean

The first two are functions that start a graph; the test need not stop it. Each test that uses one of them has a run
root of its own (STEADY_MP_ROOT), and fails when it leaves a process, a descriptor or a run directory behind. When it
fails while a graph runs, the report says where everybody stood. Other tests are left alone.
"""

# Nothing of steady-mp is imported before a test asks for it: most tests of most projects never do.
from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from steady_mp.supervisor.run import Graph, Run
    from steady_mp.testing.chaos import HasRun, Strikes
    from steady_mp.testing.stage import Stage
    from steady_mp.testing.under_test import GraphUnderTest


class StartsGraph(Protocol):
    """What the fixture `graph_under_test` gives; the parameters are those of `GraphUnderTest`."""

    def __call__(self, what: Callable[..., object] | Graph, *args: object, **options: Any) -> GraphUnderTest:  # noqa: ANN401
        """Start a graph."""


class StartsStage(Protocol):
    """What the fixture `stage` gives; the parameters are those of `Stage`."""

    def __call__(self, build_graph: Callable[..., object], *args: object, **options: Any) -> Stage:  # noqa: ANN401
        """Start a graph some of whose actors the test plays."""


class Unleashes(Protocol):
    """What the fixture `chaos` gives; the parameters are those of `unleash`."""

    def __call__(
        self, graph: Run | HasRun, *, rate: float = ..., freeze: float = ..., seed: int | None = ...
    ) -> AbstractContextManager[Strikes]:
        """Let a monkey loose."""


_started = pytest.StashKey[list[Any]]()
_failed = pytest.StashKey[bool]()


@pytest.fixture
def steady_mp_root(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a run root of its own, stop what it has started, and fail it when it leaves anything behind."""
    from steady_mp.testing.litter import Litter  # noqa: PLC0415

    memory = Path("/dev/shm")  # noqa: S108 - what Graph.start would take
    root = Path(tempfile.mkdtemp(prefix="steady-mp-test-", dir=memory if os.access(memory, os.W_OK) else None))
    monkeypatch.setenv("STEADY_MP_ROOT", str(root))
    monkeypatch.setenv("STEADY_MP_KEPT", str(kept := root.with_name(root.name + "-kept")))
    started: list[Any] = []
    request.node.stash[_started] = started
    request.node.stash[_failed] = False  # it may be run again
    litter = Litter(root)
    wrong: list[str] = []
    broken: BaseException | None = None
    try:
        yield root
    finally:
        failed = request.node.stash[_failed]
        try:
            broken = _close_all(started, wrong, failed=failed)
            # The traceback of a failed test holds on to what its frames have opened.
            if left := litter.left(opened=not failed):
                wrong.append(f"left behind: {'; '.join(left)}")
        except BaseException as error:  # noqa: BLE001 - raised below
            broken = broken or error
        finally:
            shutil.rmtree(root, ignore_errors=True)
            shutil.rmtree(kept, ignore_errors=True)
    if broken is not None:
        for why in wrong:
            broken.add_note(why)
        raise broken
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _close_all(started: list[Any], wrong: list[str], *, failed: bool) -> BaseException | None:
    """Close what a test has started, all of it; tell what is `wrong`, and return what has broken off a close first.

    That may be a Ctrl-C, or a time-out, which is no Exception: pytest goes on after it with the next test.
    """
    broken: BaseException | None = None
    for graph in reversed(started):
        try:
            # A test that has failed has said enough; one that has not may have lost a wake-up.
            graph.close() if failed else graph.__exit__(None, None, None)
        except AssertionError as error:
            wrong.append(str(error))
        except BaseException as error:  # noqa: BLE001 - raised in the end: the others are to be closed all the same
            broken = broken or error
    started.clear()
    return broken


@pytest.fixture
def graph_under_test(request: pytest.FixtureRequest, steady_mp_root: Path) -> StartsGraph:  # noqa: ARG001 - its house
    """Start graphs with real processes: ``graph_under_test(build_graph, args, **options)``; see `GraphUnderTest`."""
    from steady_mp.testing.under_test import GraphUnderTest  # noqa: PLC0415

    def start(what: Callable[..., object] | Graph, *args: object, **options: Any) -> GraphUnderTest:  # noqa: ANN401
        graph = GraphUnderTest(what, *args, **options)
        request.node.stash[_started].append(graph)
        return graph.start()

    return start


@pytest.fixture
def stage(request: pytest.FixtureRequest, steady_mp_root: Path) -> StartsStage:  # noqa: ARG001 - its house
    """Start graphs and play some actors: ``stage(build_graph, args, playing=["logger"], **options)``; see `Stage`."""
    from steady_mp.testing.stage import Stage  # noqa: PLC0415

    def start(build_graph: Callable[..., object], *args: object, **options: Any) -> Stage:  # noqa: ANN401
        graph = Stage(build_graph, *args, **options)
        request.node.stash[_started].append(graph)
        return graph.start()

    return start


@pytest.fixture
def chaos() -> Unleashes:
    """Kill and freeze random actors of a running graph for as long as a ``with`` lasts; this is `unleash`."""
    from steady_mp.testing.chaos import unleash  # noqa: PLC0415

    return unleash


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say where everybody stands when a test, or a fixture of its own, fails while its graph runs."""
    report = yield
    if call.when != "teardown" and call.excinfo is not None and _started in item.stash:
        item.stash[_failed] = True  # also where it was expected to (xfail)
        for graph in item.stash[_started] if report.failed else ():
            if (told := graph.last_words(call.excinfo.value)) is not None:
                report.sections.append((f"graph {graph.name}", told))
    return report
