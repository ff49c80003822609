"""A server of chat completions on the loopback interface that can misbehave."""

from __future__ import annotations

import base64
import http.server
import io
import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from PIL import Image


@dataclass
class Response:
    """How one request is answered."""

    content: dict[str, Any] | bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # send nothing, until the server ends or the client is gone


@dataclass(frozen=True)
class Request:
    """What was asked."""

    question: str
    body: dict[str, Any]
    headers: dict[str, str]
    path: str

    @property
    def picture(self) -> Image.Image:
        """The picture that was sent."""
        picture = Image.open(io.BytesIO(self.file))
        picture.load()
        return picture

    @property
    def file(self) -> bytes:
        """The picture's bytes."""
        url = self.body["messages"][0]["content"][0]["image_url"]["url"]
        return base64.b64decode(url.partition("base64,")[2])


def completion(
    text: str | None = "Yes.",
    tokens: dict[str, float] | None = None,
    finish: str = "stop",
    model: str = "served",
    **message: Any,
) -> dict[str, Any]:
    """The content of a good response; ``tokens`` are first tokens with their probabilities."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text, **message},
        "finish_reason": finish,
        "logprobs": None,
    }
    if tokens is not None:
        listed = [{"token": t, "logprob": math.log(p), "bytes": None} for t, p in tokens.items()]
        choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed}]}
    return {"object": "chat.completion", "model": model, "choices": [choice]}


def failure(message: str, **about: Any) -> dict[str, Any]:
    """The content of a response that says what is wrong."""
    return {"error": {"message": message, "type": "invalid_request_error", **about}}


class Chat(http.server.BaseHTTPRequestHandler):
    """Answers with ``usual``, a function of a request; those in ``script`` go first."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a response in one piece: in two, it would be held up
    disable_nagle_algorithm = True
    usual: Callable[[Request], Response]
    script: list[Response]
    requests: list[Request]
    answered: Counter[str]
    released: threading.Event
    together: list[int]
    lock: threading.Lock

    def do_POST(self) -> None:
        cls = type(self)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][0]["content"][1]["text"]
        request = Request(text, body, dict(self.headers), self.path)
        with cls.lock:
            cls.requests.append(request)
            cls.together.append(len(cls.requests) - sum(cls.answered.values()))
            response = cls.script.pop(0) if cls.script else None
        response = response or cls.usual(request)
        if response.hang:
            self.close_connection = True
            cls.released.wait(30)
            return
        content = response.content
        if isinstance(content, dict):
            content = json.dumps(content).encode()
        with cls.lock:
            cls.answered[text] += 1
        try:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # the client has gone

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


def with_tokens(request: Request) -> Response:
    """Yes to what is red, no to all else, with the likeliest first tokens if they are asked for."""
    p_yes = 0.8 if "red" in request.question else 0.1
    tokens = {"Yes": p_yes, "No": 0.9 - p_yes, "It": 0.1}
    word = "Yes" if p_yes > 0.5 else "No"
    return Response(completion(f"{word}.", tokens if request.body.get("logprobs") else None))


def in_words(request: Request) -> Response:
    """Yes to what is red, no to all else, without the likeliest first tokens."""
    return Response(completion("Yes, it is." if "red" in request.question else "No, it is not."))


@contextmanager
def serve(usual: Callable[[Request], Response] = with_tokens) -> Iterator[tuple[str, type[Chat]]]:
    """An address, and the handler that says what it does."""
    attributes = {
        "usual": staticmethod(usual),
        "script": [],
        "requests": [],
        "answered": Counter(),
        "released": threading.Event(),
        "together": [],
        "lock": threading.Lock(),
    }
    handler = type("OneChat", (Chat,), attributes)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", handler
    finally:
        handler.released.set()
        server.shutdown()
        server.server_close()
