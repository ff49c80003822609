"""Errors that end a program for a reason the user can fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from synthsight.wording import printable


class SynthsightError(Exception):
    """The base of all errors whose message is meant for the user.

    A message says in one line what is wrong, where (file, line, key, model), and what to do.
    Any other exception is a bug in synthsight and ends in a traceback. What it says can be shown on
    a terminal, whatever it quotes.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


@contextmanager
def about(what: str) -> Iterator[None]:
    """Prefix an error's message with the thing it is about, such as ``model 'resnet'``."""
    try:
        yield
    except SynthsightError as error:
        raise SynthsightError(f"{what}: {error}") from error
