"""Putting text into a page so that none of it is ever read as markup or as a program."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

#: Characters with a meaning in HTML, and line ends that JavaScript has and JSON has not; all of
#: them occur in JSON only within strings, where they may be written by their numbers.
_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def script_json(value: Any) -> str:
    """Compact JSON that can stand in a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES).encode("utf-8", "replace").decode()


def script_text(program: str) -> str:
    """A program as it stands in a script element.

    Raises:
        ValueError: it holds text that would end the element, or begin what is like a comment in it.
    """
    if "</script" in program.lower() or "<!--" in program:
        raise ValueError("a program that cannot stand in a script element")
    return program


def script_hash(program: str) -> str:
    """What a content security policy calls this program."""
    digest = hashlib.sha256(program.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def content_security_policy(programs: Sequence[str]) -> str:
    """A policy that lets these programs run and nothing be loaded from anywhere.

    Styles may stand in the page (the charts write theirs as they are drawn); they can do no more
    than look, since pictures come from the page itself and all else from nowhere.
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
