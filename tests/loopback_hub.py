"""A model hub on the loopback interface."""

from __future__ import annotations

import hashlib
import http.server
import json
from pathlib import Path

#: The one revision that a served repository has.
COMMIT = "0" * 40


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a model hub as its client needs to fetch a file."""

    files: dict[str, bytes]
    requested: list[str]

    @classmethod
    def serve(cls, repository: str, folder: Path) -> None:
        """Serve a folder's files as a repository, under its branch and its revision."""
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        names = [path.relative_to(folder).as_posix() for path in found]
        about = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}
        for revision in ("main", COMMIT):
            api = f"/api/models/{repository}/revision/{revision}"
            cls.files[api] = json.dumps(about).encode()
            tree = f"/api/models/{repository}/tree/{revision}?recursive=true&expand=false"
            cls.files[tree] = json.dumps(
                [{"type": "file", "path": name, "oid": "", "size": 0} for name in names]
            ).encode()
            for name in names:
                path = f"/{repository}/resolve/{revision}/{name}"
                cls.files[path] = (folder / name).read_bytes()

    def do_GET(self) -> None:
        self.answer(body=True)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def answer(self, body: bool) -> None:
        self.requested.append(self.path)
        content = self.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        if content is None:
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""
