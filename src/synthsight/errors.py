"""What ends a program because of something that its user can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class SynthsightError(Exception):
    """The base of all errors whose message is meant for the user.

    A message says in one line what is wrong, where (file, line, key, model), and what to do.
    Whatever else is raised is a fault of synthsight's own and ends in a traceback.
    """


@contextmanager
def about(what: str) -> Iterator[None]:
    """Say in the message of an error which of several things it is about, ``model 'resnet'``."""
    try:
        yield
    except SynthsightError as error:
        raise SynthsightError(f"{what}: {error}") from error
