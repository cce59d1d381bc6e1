"""Debian's Chromium, headless, behind the few verbs that a test of a page needs."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BROWSER = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
MISSING = "no chromium and chromedriver here: 'apt-get install chromium chromium-driver' mends it"
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)

# Written before the page's own scripts run: every shift counts that no key or click explains.
_WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    window.shifts.push([entry.value, ...entry.sources.map((s) => s.node ? (s.node.outerHTML || s.node.data) : "?")]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""

_TIME_STALE = """
const status = document.getElementById("status"), began = performance.now();
new MutationObserver(() => {
  if (status.textContent.includes("STALE since ")) window.staleAfter ??= performance.now() - began;
}).observe(status, { childList: true, characterData: true, subtree: true });
"""


class Browser:
    """One browser with one page."""

    def __init__(self, profile: Path) -> None:
        options = ChromeOptions()
        options.binary_location = BROWSER or ""
        for switch in SWITCHES:
            options.add_argument(switch)
        options.add_argument(f"--user-data-dir={profile}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # A session of its own: by it, what belongs to the browser is told from what a test has left behind.
        service = Service(DRIVER, popen_kw={"start_new_session": True}, env=dict(os.environ) | {"HOME": str(profile)})
        self.driver = Chrome(options=options, service=service)
        self.profile = str(profile)
        self.pid = int(service.process.pid)
        self.do("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)

    def do(self, command: str, **parameters: Any) -> Any:
        """Give a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def close(self) -> None:
        self.driver.quit()

    def open(
        self, url: str, *, width: int = 1440, height: int = 1000, theme: str = "light", calm: bool = False
    ) -> None:
        """Load a page in a window of that size, for a reader with these preferences."""
        features = [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        self.do("Emulation.setEmulatedMedia", features=features)
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 640
        )
        self.driver.get("about:blank")
        self.logs()
        self.requests()
        self.driver.get(url)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a function body in the page."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """Return the text of what `selector` finds first, also where the layout hides or cuts it."""
        return str(self.js("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def texts(self, selector: str) -> list[str]:
        return list(self.js("return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)", selector))

    def click(self, selector: str) -> None:
        """Click with the mouse, where the element is."""
        element = self.driver.find_element("css selector", selector)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).click().perform()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
        """Wait until it is so; fail with what the page shows instead."""
        if not eventually(holds, seconds):
            shown = self.js("return document.body.innerText")
            raise AssertionError(f"not within {seconds:g} s: {what}\nthe page says:\n{shown}")

    def until_says(self, selector: str, part: str, seconds: float = 15.0) -> None:
        """Wait until the text of `selector` contains `part`."""
        self.until(lambda: part in self.text(selector), f"{part!r} in {selector}", seconds)

    def logs(self) -> list[str]:
        """Return what the console got since the last call, at warning or above."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(entry["message"]) for entry in entries if entry["level"] in {"WARNING", "SEVERE"}]

    def requests(self) -> list[str]:
        """Return the addresses of all requests since the last call."""
        found = []
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(str(message["params"]["request"]["url"]))
        return found

    def strangers(self, url: str) -> list[str]:
        """Return the requests since the last call that did not go to the page's own server."""
        own = urlsplit(url).netloc
        return [to for to in self.requests() if urlsplit(to).netloc != own and not to.startswith(("about:", "data:"))]

    def time_stale(self) -> None:
        """Begin to take the time that the page needs to say that its figures are stale; see `stale_after`."""
        self.js(_TIME_STALE)

    def stale_after(self) -> float:
        """Wait until the page says so; return the seconds from `time_stale` to then, by the page's own clock.

        What it takes to ask a browser on a busy machine is not in them.
        """
        self.until_says("#status-text", "STALE since ")
        return float(self.js("return window.staleAfter")) / 1000

    def shifts(self) -> list[Any]:
        """Return the layout shifts since the last call that no key or click explains, largest part first."""
        return list(self.js("return window.shifts.splice(0)"))
