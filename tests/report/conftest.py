"""The report of the small project in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.report.browsing import Tab
from tests.support import Project


@pytest.fixture
def small(browser: Any, finished: Project) -> Iterator[Tab]:
    tab = Tab(browser, finished.results / "report.html")
    yield tab
    tab.context.close()
