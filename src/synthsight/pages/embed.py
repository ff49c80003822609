"""Embedding text in a page so that none of it is ever interpreted as markup or code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

#: Characters with a meaning in HTML, and line ends of JavaScript but not of JSON; in JSON, all of
#: them occur only within strings, where they may be escaped.
_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def script_json(value: Any) -> str:
    """Compact JSON that is safe in a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES).encode("utf-8", "replace").decode()


def script_text(program: str) -> str:
    """A program, once it is known to be safe in a script element.

    Raises:
        ValueError: it contains text that would end the element, or begin an HTML comment in it.
    """
    if "</script" in program.lower() or "<!--" in program:
        raise ValueError("a program that cannot be embedded in a script element")
    return program


def script_hash(program: str) -> str:
    """The source expression of this program in a content security policy."""
    digest = hashlib.sha256(program.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def content_security_policy(programs: Sequence[str]) -> str:
    """A policy that lets these programs run and nothing be loaded from anywhere.

    Inline styles are allowed, since the charts write theirs as they are drawn; they can only change
    appearance, since images come from the page itself and nothing else can be loaded.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(script_hash, programs))}",
            "style-src 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
