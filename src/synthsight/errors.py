"""What ends a program because of something that its user can mend."""

from __future__ import annotations


class SynthsightError(Exception):
    """The base of all errors whose message is meant for the user.

    A message says in one line what is wrong, where (file, line, key, model), and what to do.
    Whatever else is raised is a fault of synthsight's own and ends in a traceback.
    """
