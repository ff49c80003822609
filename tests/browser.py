"""Pages in a real browser: where it is, an open page, and what axe-core has to say of it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from tests.support import REPOSITORY

WIDE, NARROW = {"width": 1400, "height": 1000}, {"width": 390, "height": 844}

CHROMIUM = shutil.which("chromium")

#: Chromium looks for updates and much else when it starts; that is not the page's doing.
QUIET = [
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--disable-gpu", "--disable-quic"),
]

AXE = Path(
    os.environ.get("AXE_CORE", REPOSITORY / ".venv/browser/node_modules/axe-core/axe.min.js")
)


class Window:
    """An open page, with what the browser complained of and what it asked for."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": WIDE, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.address = path.as_uri()
        self.page.goto(self.address + fragment)


def until(page: Any, true: str, seconds: float = 10) -> None:
    """Wait until a JavaScript expression is true in a page.

    Playwright's own waiting evaluates texts in the page, which the pages' content security policy
    forbids as soon as it has to look twice.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(true):
        assert time.monotonic() < end, f"never true in {seconds} s: {true}"
        time.sleep(0.05)


def faults(page: Any) -> list[str]:
    """What axe-core has to say of a page of Playwright that is more than minor."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run()")
    assert len(result["passes"]) > 15
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]} ({len(fault['nodes'])})"
        for fault in result["violations"]
        if fault["impact"] != "minor"
    ]
