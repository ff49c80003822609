#!/usr/bin/env python3
"""Run another program of this folder in the workflow's warm worker, if there is one.

Its output, its exit status and the files that it writes are the same as in a process of its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from synthsight.worker.client import run_program


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on-device", action="store_true", help="it runs a model on a device")
    parser.add_argument("--code", default="", help="digest of the program's code; it gets it, too")
    parser.add_argument(
        "--door", action="append", default=[], help="a module that it imports by name"
    )
    parser.add_argument("program", help="the program's file name, followed by its arguments")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    program = Path(__file__).resolve().with_name(args.program)
    arguments = [*args.arguments, *(("--code", args.code) if args.code else ())]
    run_program(program, arguments, args.code, args.on_device, args.door)


if __name__ == "__main__":
    main()
