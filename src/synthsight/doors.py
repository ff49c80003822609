"""Registries of interchangeable parts, each named once and imported only when it is used.

A registry maps the name of, say, a family of VQA models to a string, ``"package.module:Thing"``.
The configuration reads the names without importing anything; fetching and loading import only the
one they need. The digest of a program's code follows imports only, so a rule whose program loads a
part through a registry names that part's module in its ``code`` (see
:func:`synthsight.plan.digest.code_digest`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

from synthsight.errors import SynthsightError
from synthsight.wording import did_you_mean

Thing = TypeVar("Thing")


def load(entry: str) -> Any:
    """Import the object that an entry, ``"package.module:attribute"``, names."""
    module, _, attribute = entry.partition(":")
    return getattr(importlib.import_module(module), attribute)


def module_of(entry: str) -> str:
    """The module of an entry."""
    return entry.partition(":")[0]


class UnknownNameError(SynthsightError):
    """A name that is not in a registry; the message lists the known names, or close ones."""


class Registry(Mapping[str, str], Generic[Thing]):
    """Names, and where to import the object behind each.

    Args:
        what: what the names stand for, in the singular, for messages (``VQA family``).
        entries: ``"package.module:attribute"`` for each name.
    """

    def __init__(self, what: str, entries: Mapping[str, str]) -> None:
        self.what = what
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> str:
        try:
            return self._entries[name]
        except KeyError:
            known = did_you_mean(name, self) or f"; known: {', '.join(self)}"
            raise UnknownNameError(f"unknown {self.what} {name!r}{known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def module(self, name: str) -> str:
        """The module of an entry, for digests of code.

        Raises:
            UnknownNameError: there is no such entry.
        """
        return module_of(self[name])

    def load(self, name: str) -> Thing:
        """Import an entry.

        Raises:
            UnknownNameError: there is no such entry.
        """
        return cast(Thing, load(self[name]))
