"""How the programs in ``workflow/scripts`` begin and end: arguments, help, and what a user sees.

A program declares its arguments; what remains is what it reads, calls and writes::

    @program(
        many("scores", "the scores of all models"),
        spec=True,
        outputs=("csv", "parquet"),
    )
    def main(args: Arguments) -> None:
        ...  # args.scores, args.spec["level"], args.csv, args.parquet


    if __name__ == "__main__":
        main()

A failure ends in one of two ways. If the user can fix it, the program prints one line on standard
error, ``NAME: what, where, what to do``, and exits with status 1: this is so for every
:class:`synthsight.errors.SynthsightError` and for some system errors (see :func:`refused`).
Anything else is a bug in synthsight and ends in a traceback.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

from synthsight import origin
from synthsight.clone import is_clone, require_own
from synthsight.errors import SynthsightError

#: A program's arguments, an attribute each: text (an input or an output), a list of text (several
#: inputs), a number, or the content of the spec's JSON.
Arguments = argparse.Namespace

Given = ParamSpec("Given")

#: The prefix of a pipe that holds arguments, one per line: ``@<(printf ...)``.
PIPE = "@/dev/fd/"

#: What the user can do about errors of the system.
_REMEDIES = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some of your quota and run again",
    errno.EFBIG: "choose a file system that holds files of this size",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "check its permissions and those of its folder",
    errno.EPERM: "check its permissions and those of its folder",
    errno.EIO: "check the disk, then run again",
    errno.ESTALE: "check the file server, then run again",
    errno.EMFILE: "allow more open files (`ulimit -n`)",
    errno.ENFILE: "close other programs: the system can open no more files",
}


@dataclass(frozen=True)
class Input:
    """An option that names what a program reads.

    Attributes:
        name: the option without its dashes, words joined by ``_``.
        help: what it is.
        several: whether it takes a list.
        required: whether it must be given; one left out is None or an empty list.
    """

    name: str
    help: str
    several: bool
    required: bool


def one(name: str, help: str, *, required: bool = True) -> Input:
    """An input that is one file or folder."""
    return Input(name, help, False, required)


def many(name: str, help: str, *, required: bool = True) -> Input:
    """An input that is a list of files."""
    return Input(name, help, True, required)


def program(
    *inputs: Input,
    spec: bool = False,
    outputs: Sequence[str] = (),
    counts: Mapping[str, int | None] | None = None,
) -> Callable[[Callable[Concatenate[Arguments, Given], None]], Callable[Given, None]]:
    r"""Turn a function that takes parsed arguments into the main function of a program.

    The program is named after its file, and its help is its module's docstring. Any list of
    arguments, and the spec, may come through a pipe, ``--scores @<(printf '%s\\n' ...)``, since the
    system limits the length of a command.

    Args:
        inputs: what it reads.
        spec: whether it takes settings that change what it writes, ``--spec``, as JSON.
        outputs: what it writes, one option each, named as in :class:`Input`.
        counts: integers that affect only its speed, with their defaults; None for one that must be
            given.

    Returns:
        A decorator. The main function it makes takes the function's further parameters: a program
        that runs a model has one, for models already loaded, when it runs in a worker.
    """

    def decorate(
        function: Callable[Concatenate[Arguments, Given], None],
    ) -> Callable[Given, None]:
        @wraps(function)
        def main(*given: Given.args, **named: Given.kwargs) -> None:
            name = Path(function.__code__.co_filename).stem
            parser = _parser(name, function.__globals__["__doc__"], inputs, outputs, spec, counts)
            args = parser.parse_args(_without_pipes(sys.argv[1:]))
            code = vars(args).pop("code")
            clone = Path(function.__code__.co_filename).resolve().parents[2]
            try:
                if is_clone(clone):
                    require_own(clone, "this program")
                with origin.making(name, getattr(args, "spec", {}), code):
                    function(args, *given, **named)
            except SynthsightError as error:
                sys.exit(f"{name}: {error}")
            except OSError as error:
                message = refused(error, _named(args, inputs))
                if message is None:
                    raise
                sys.exit(f"{name}: {message}")

        return main

    return decorate


def _parser(
    name: str,
    about: str | None,
    inputs: Sequence[Input],
    outputs: Sequence[str],
    spec: bool,
    counts: Mapping[str, int | None] | None,
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        name,
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for each in inputs:
        empty: list[str] | None = [] if each.several else None
        parser.add_argument(
            _option(each.name),
            nargs="+"
            if each.several and each.required
            else "*"
            if each.several
            # An empty list in a rule leaves the option without a value.
            else None
            if each.required
            else "?",
            required=each.required,
            default=None if each.required else empty,
            help=each.help,
        )
    if spec:
        parser.add_argument("--spec", type=json.loads, required=True, help="settings, as JSON")
    parser.add_argument("--code", default="", help="digest of the program's code, as planned")
    for count, default in (counts or {}).items():
        parser.add_argument(_option(count), type=int, required=default is None, default=default)
    for output in outputs:
        parser.add_argument(_option(output), required=True, help="to write")
    return parser


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _without_pipes(arguments: Sequence[str]) -> list[str]:
    """Arguments, each pipe replaced by the arguments in it.

    Only pipes, since a file's name may begin with ``@``, too.
    """
    read: list[str] = []
    for argument in arguments:
        if argument.startswith(PIPE):
            content = Path(argument[1:]).read_bytes()
            read += content.decode(errors="surrogateescape").splitlines()
        else:
            read.append(argument)
    return read


def _named(args: Arguments, inputs: Sequence[Input]) -> set[str]:
    """The files and folders that a command line names as inputs."""
    values = [getattr(args, each.name) for each in inputs]
    lists = [value if isinstance(value, list) else [value] for value in values]
    return {value for values in lists for value in values if value is not None}


def refused(error: OSError, inputs: set[str] | frozenset[str] = frozenset()) -> str | None:
    """The message for a system error that the user can fix.

    These are the errors whose cause is clear: the disk or the quota is full, something may not be
    read or written, a disk or a file server fails, too many files are open. A missing file is one
    of them only if the command line names it as an input; any other is the program's own.

    Args:
        error: what was raised.
        inputs: what the command line names.

    Returns:
        One line: what, where and what to do; None if it is a bug in synthsight.
    """
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None and isinstance(error, FileNotFoundError | IsADirectoryError):
        given = str(error.filename) in inputs
        remedy = "run the workflow again: it makes what is missing" if given else None
    if remedy is None:
        return None
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{os.strerror(error.errno or 0)}; {remedy}"
