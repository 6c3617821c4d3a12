"""A real browser without a window: Chromium, told what to do through its driver."""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MISSING = "Debian's packages chromium and chromium-driver are not installed"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A session of the WebDriver protocol."""

    def __init__(self, address: str, flags: tuple[str, ...]) -> None:
        self._address = address
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": list(flags)},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        made = self._call("/session", capabilities={"alwaysMatch": wanted})
        self._session = f"/session/{made['sessionId']}"

    def open(self, address: str) -> None:
        self._call(f"{self._session}/url", url=address)

    def resize(self, width: int, height: int) -> None:
        """Give the page itself this size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call(
            f"{self._session}/goog/cdp/execute",
            cmd="Emulation.setDeviceMetricsOverride",
            params=size,
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body of JavaScript returns."""
        return self._call(f"{self._session}/execute/sync", script=script, args=list(arguments))

    def click(self, xpath: str) -> None:
        """Click with the mouse on what has this path."""
        found = self._call(f"{self._session}/element", using="xpath", value=xpath)
        self._call(f"{self._session}/element/{found[_ELEMENT]}/click")

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What came since the last time: 'browser', the console, or 'performance'."""
        found: list[dict[str, Any]] = self._call(f"{self._session}/se/log", type=kind)
        return found

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call(f"{self._session}/screenshot", method="GET")))

    def close(self) -> None:
        self._call(self._session, method="DELETE")

    def _call(self, place: str, method: str = "POST", **values: Any) -> Any:
        request = urllib.request.Request(
            self._address + place,
            json.dumps(values).encode() if method == "POST" else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=240) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A fresh browser that keeps what it has to keep in a folder."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert DRIVER is not None
    driver = subprocess.Popen(
        [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        opened = Browser(
            f"http://127.0.0.1:{port}", (*FLAGS, f"--user-data-dir={folder / 'profile'}")
        )
        with closing(opened):
            yield opened
    finally:
        driver.terminate()
        driver.wait(60)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            assert time.monotonic() < deadline, "the driver does not answer"
            time.sleep(0.05)
        else:
            return
