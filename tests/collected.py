"""A plugin of pytest: what would be tested, as another process sees it at another time.

``pytest -p tests.collected --collect-only`` moves the clock of its process before any test is
imported, and writes what it collects into a file; two variables say by how much, and which.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest

#: The variables: the file to be written, and the seconds that the clock is moved by.
COLLECTED, SHIFT = "SYNTHSIGHT_COLLECTED", "SYNTHSIGHT_SHIFT"

PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, PurePath)


def fingerprints(items: Iterable[pytest.Item]) -> dict[str, str]:
    """The tests' ids in their order, each with a digest of its parameters' content."""
    found = {}
    for item in items:
        call = getattr(item, "callspec", None)
        found[item.nodeid] = _Digests().of(call.params) if call else ""
    return found


class _Digests:
    """Digests of values, without what every process has of its own, as addresses in memory.

    Of what has no content that can be told, only the type counts.
    """

    def __init__(self) -> None:
        # Each value once: one that repeats itself within itself may be endless, or nearly.
        # With the value itself: while that is kept, no other one has its address.
        self.known: dict[int, tuple[Any, str]] = {}

    def of(self, value: Any) -> str:
        if id(value) not in self.known:
            self.known[id(value)] = value, "itself"
            content = repr(self.described(value)).encode("utf-8", "replace")
            self.known[id(value)] = value, hashlib.sha256(content).hexdigest()[:16]
        return self.known[id(value)][1]

    def described(self, value: Any) -> object:
        if isinstance(value, PLAIN):
            return hex(value) if isinstance(value, int) else repr(value)  # of any length
        if isinstance(value, Mapping):
            return [(self.of(key), self.of(item)) for key, item in value.items()]
        if isinstance(value, list | tuple):
            return [self.of(item) for item in value]
        if isinstance(value, set | frozenset):
            return sorted(self.of(item) for item in value)
        if isinstance(value, np.ndarray) and value.dtype != object:
            return (str(value.dtype), value.shape, value.tobytes())
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self.of(vars(value)) if hasattr(value, "__dict__") else type(value).__name__
        return getattr(value, "__qualname__", type(value).__qualname__)


def pytest_collection_finish(session: pytest.Session) -> None:
    with open(os.environ[COLLECTED], "w", encoding="utf-8") as handle:
        json.dump(fingerprints(session.items), handle)


def move_the_clock(shift: int) -> None:
    """Let all of Python's ways to ask for the time give another one, from now on."""
    import pandas as pd  # noqa: F401  it has C code that must find the classes themselves

    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + shift
    time.time_ns = lambda: now_ns() + shift * 10**9
    for name in ("localtime", "gmtime", "ctime"):
        of = getattr(time, name)
        setattr(time, name, lambda when=None, of=of: of(time.time() if when is None else when))
    formatted = time.strftime
    time.strftime = lambda form, *when: formatted(form, *(when or (time.localtime(),)))

    class Datetime(datetime.datetime):
        __slots__ = ()  # C code asks for the size that the class itself has

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now(datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    class Date(datetime.date):
        __slots__ = ()

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(time.time())

    datetime.datetime, datetime.date = Datetime, Date  # type: ignore[misc]


if SHIFT in os.environ:
    move_the_clock(int(os.environ[SHIFT]))
