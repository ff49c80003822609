"""Fixtures: a finished project, copies of it, a hub. Which tests are for every day."""

from __future__ import annotations

import gc
import http.server
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock

from tests import warm_worker
from tests.browser import CHROMIUM, QUIET
from tests.loopback_hub import Hub
from tests.support import Project, run_small_project

# The same examples each time, and as much time for them as a busy machine needs.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same")

#: Folders of tests that run the workflow or start its servers.
WORKFLOW_FOLDERS = {"workflow", "worker", "slurm"}

#: What only runs of the workflow make.
WORKFLOW_FIXTURES = {"finished", "project"}


def pytest_configure() -> None:
    # A shell that starts something in the background has it ignore Ctrl-C, and all that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    warm_worker.offer()


#: All tests that were found, also those that are not chosen.
FOUND = pytest.StashKey[list[pytest.Item]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs the workflow, and let what takes longest begin first."""
    for item in items:
        room = item.path.parent.name
        if room in WORKFLOW_FOLDERS or WORKFLOW_FIXTURES & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.workflow)
    items.sort(key=lambda item: not item.get_closest_marker("long"))
    config.stash[FOUND] = list(items)


def pytest_collection_finish() -> None:
    """Let the garbage collection pass over all modules and tests.

    A collection takes a quarter of a second with them, and statsmodels asks for one at each p.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter's last collection see all, or triton says what it takes for leaks."""
    gc.unfreeze()


Make = Callable[[Path], Project]


@pytest.fixture(scope="session")
def once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str, Make], Project]:
    """Make a project that many tests read, by its name and a function of an empty folder.

    When tests run in several processes, the first one makes it for all.
    """

    def made(name: str, make: Make) -> Project:
        if worker_id == "master":
            return make(tmp_path_factory.mktemp(name))
        folder = tmp_path_factory.getbasetemp().parent / name
        with FileLock(f"{folder}.lock"):
            if not (folder / "done").exists():
                folder.mkdir()
                (folder / "done").write_text(str(make(folder).folder), encoding="utf-8")
        return Project(Path((folder / "done").read_text(encoding="utf-8")))

    return made


@pytest.fixture(scope="session")
def finished(once: Callable[[str, Make], Project]) -> Project:
    """A project after a complete run; tests work on copies of it (see ``project``)."""
    return once("finished", run_small_project)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture
def edit(project: Project) -> Callable[[str, str, str], None]:
    """Replace a piece of text in a file of the project."""

    def replace(file: str, old: str, new: str) -> None:
        path = project.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


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
def hub() -> Iterator[tuple[str, type[Hub]]]:
    """A hub's address, and its handler, which says what it has."""
    handler = type("OneHub", (Hub,), {"files": {}, "requested": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
