"""A file server on the loopback interface that can misbehave."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Answer:
    """How one request is answered; by default as it should be."""

    content: bytes | None = None  # in place of the server's
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"one"'
    ranges: bool = True
    cut: int | None = None  # bytes after which the connection is closed
    stated: int | None = None  # a length that is not true
    chunked: bool = False
    stall: bool = False  # send nothing more after the cut, and keep the connection
    trickle: float | None = None  # seconds between bytes


@dataclass
class Asked:
    """What was asked for."""

    path: str
    range: str | None
    if_range: str | None


class Files(http.server.BaseHTTPRequestHandler):
    """Serves one content; the answers in ``script`` go first, one for each request."""

    protocol_version = "HTTP/1.1"
    content: bytes
    usual: Answer
    script: list[Answer]
    asked: list[Asked]
    sent: list[int]
    released: threading.Event

    def do_GET(self) -> None:
        self.close_connection = True
        asked = Asked(self.path, self.headers["Range"], self.headers["If-Range"])
        self.asked.append(asked)
        answer = self.script.pop(0) if self.script else self.usual
        body = self.content if answer.content is None else answer.content
        status, headers = answer.status, {"Connection": "close", **answer.headers}
        first = 0
        found = re.fullmatch("bytes=([0-9]+)-", asked.range or "")
        same = asked.if_range is None or asked.if_range == answer.etag
        if found and answer.ranges and same and status == 200:
            first = int(found[1])
            if first >= len(body):
                status, headers["Content-Range"] = 416, f"bytes */{len(body)}"
                body, first = b"", 0
            else:
                status = 206
                headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        if answer.etag:
            headers["ETag"] = answer.etag
        body = body[first:]
        if answer.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body) if answer.stated is None else answer.stated)
        headers.update({k: v for k, v in answer.headers.items() if k in headers})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.send(body[: answer.cut], answer)

    def send(self, body: bytes, answer: Answer) -> None:
        self.sent.append(len(body))
        try:
            if answer.trickle is not None:
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    if self.released.wait(answer.trickle):
                        return
            elif answer.chunked:
                for start in range(0, len(body), 1000):
                    piece = body[start : start + 1000]
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                if answer.cut is None:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(body)
            if answer.stall:
                self.released.wait(20)
        except OSError:
            pass  # the client has gone, as it should

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def serve(content: bytes) -> Iterator[tuple[str, type[Files]]]:
    """An address, and the handler that says what it does."""
    attributes = {
        "content": content,
        "usual": Answer(),
        "script": [],
        "asked": [],
        "sent": [],
        "released": threading.Event(),
    }
    handler = type("OneServer", (Files,), attributes)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        handler.released.set()
        server.shutdown()
        server.server_close()
