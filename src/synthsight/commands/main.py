"""The command ``synthsight``, also ``python -m synthsight``: what to do before and after a run."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from synthsight.clone import is_clone, own_version, require_own, require_utf8
from synthsight.commands import check, compare, init, show, speed, unpack
from synthsight.errors import SynthsightError

_ABOUT = """\
How well do vision models understand generated images?

A configuration names the images and models; Snakemake runs it:

  synthsight init pictures         write pictures.yaml for a folder of images
  synthsight check pictures.yaml   find what is wrong with it
  snakemake --configfile pictures.yaml --cores 8 --resources gpu=1
  synthsight show pictures         print the answer, and where its files are
  synthsight compare pictures more what changes from this run to another one
  synthsight speed pictures        print how fast each model was

Questions whose images are in the same file, as on the Hugging Face hub:

  synthsight unpack set.parquet set    write them as files, for vqa.questions

Run these in the folder that Snakemake runs in, a clone of synthsight or
another, since relative paths start there. `synthsight COMMAND --help` explains
each."""

#: The commands, in order of use.
_COMMANDS = (init, check, show, compare, speed, unpack)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Errors in the user's files are reported on standard error, without a traceback.

    Args:
        arguments: arguments of the command line; None for those of this process.

    Returns:
        The exit status: 0; 1 if something is wrong with the input; 130 after Ctrl-C. An invalid
        command line raises ``SystemExit`` with status 2.
    """
    parser = argparse.ArgumentParser(
        "synthsight", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"synthsight {own_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in _COMMANDS:
        name = module.__name__.rpartition(".")[2]
        about = module.ABOUT
        command = commands.add_parser(
            name,
            help=about.splitlines()[0],
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.declare(command)
        command.set_defaults(act=module.run)
    parsed = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names may not be valid text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        require_utf8()
        if arguments is None and is_clone(Path.cwd()):
            require_own(Path.cwd(), "the current folder")
        status: int = parsed.act(parsed)
        sys.stdout.flush()  # here, where a closed pipe is not an error
        return status
    except SynthsightError as error:
        print(f"synthsight {parsed.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"synthsight {parsed.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # As in `synthsight show demo | head -1`: the reader has seen enough. The rest of the buffer
        # is discarded, so that the interpreter does not fail on it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
