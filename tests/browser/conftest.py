"""One browser for all of these tests: a browser takes longer to start than most of them take."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from steady_mp.testing import litter
from tests.browser.browser import BROWSER, DRIVER, MISSING, Browser
from tests.browser.fake import FakeTelemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Scene = Callable[[], dict[str, Any] | None]


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start the browser; while it lives, its processes are not what a test has left behind."""
    if not BROWSER or not DRIVER:
        if os.environ.get("CI"):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    one = Browser(tmp_path_factory.mktemp("profile"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            litter, "descendants", lambda found=litter.descendants: [p for p in found() if not _is_of(p, one)]
        )
        yield one
        one.close()


def _is_of(process: psutil.Process, browser: Browser) -> bool:
    try:
        # The handlers of crashes leave the session; the profile stands in their command.
        return os.getsid(process.pid) == browser.pid or browser.profile in " ".join(process.cmdline())
    except (ProcessLookupError, psutil.NoSuchProcess):
        return True


@pytest.fixture
def serve() -> Iterator[Callable[[Scene], FakeTelemetry]]:
    """Serve the page with scripted figures."""
    started: list[FakeTelemetry] = []

    def start(scene: Scene) -> FakeTelemetry:
        started.append(FakeTelemetry(scene))
        return started[-1]

    yield start
    for fake in started:
        fake.stop()
