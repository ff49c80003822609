"""The browser that opens reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.report.browsing import CHROMIUM, QUIET, Tab
from tests.support import Project


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; a test that asks for it is skipped where there is none."""
    reason = "Playwright is not installed"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: tests/install_browser.sh brings it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def small(browser: Any, finished: Project) -> Iterator[Tab]:
    tab = Tab(browser, finished.results / "report.html")
    yield tab
    tab.context.close()
