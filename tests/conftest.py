"""Fixtures: a finished project, copies of it, a hub."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.loopback_hub import Hub
from tests.support import Project, run_small_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A project after a complete run; tests work on copies of it (see ``project``).

    When tests run in several processes, the first one makes it for all.
    """
    if worker_id == "master":
        return run_small_project(tmp_path_factory.mktemp("finished"))
    folder = tmp_path_factory.getbasetemp().parent / "finished"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            folder.mkdir()
            run_small_project(folder)
            (folder / "done").touch()
    return Project(folder / "project")


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


@pytest.fixture
def hub() -> Iterator[tuple[str, type[Hub]]]:
    """A hub's address, and its handler, which says what it has."""
    handler = type("OneHub", (Hub,), {"files": {}, "requested": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
