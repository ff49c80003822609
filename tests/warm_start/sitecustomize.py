"""Every Python that a test starts may begin here; programs with networks go on in a fork.

See ``tests/warm_worker.py``. This process, whose id the workflow knows, waits for the fork, which
ends with it, and ends as it does.
"""

from __future__ import annotations

import os
import sys

OFFER = os.environ.get("TESTS_WARM")
SERVER = "synthsight.worker.server"

#: It uses no cache of a library, wherever that is.
RESOLVE = "synthsight.classifiers.resolve"


def is_warm(module: bool, program: str) -> bool:
    if module:
        return program == RESOLVE or (program == SERVER and "TESTS_WARM_WORKERS" in os.environ)
    folder, _, name = program.rpartition("/")
    return folder.endswith("workflow/scripts") and name != "with_worker.py"


def go_on(module: bool, program: str, arguments: list[str]) -> None:
    """Go on in a fork, unless packages would have read other variables, or limits are set."""
    import json
    import re
    import resource
    import socket

    offer = json.loads(OFFER or "")
    names = tuple(offer["names"])
    read = {name: value for name, value in os.environ.items() if name.startswith(names)}
    limits = (resource.getrlimit(each)[0] for each in (resource.RLIMIT_FSIZE, resource.RLIMIT_AS))
    others = program != RESOLVE and read != offer["read"]
    if others or any(limit != resource.RLIM_INFINITY for limit in limits):
        return
    files = [0, 1, 2]
    if program == SERVER:  # its arguments are the numbers of its sockets
        files += map(int, arguments)
    files += (int(number) for word in arguments for number in re.findall("^@?/dev/fd/(.*)", word))
    told = {
        **{"module": module, "program": program, "arguments": arguments, "files": files},
        **{"folder": os.getcwd(), "environment": dict(os.environ)},
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(offer["address"])
        socket.send_fds(connection, [json.dumps(told).encode() + b"\n"], files)
        for number in files[3:]:
            os.close(number)
        status = int(connection.recv(16) or b"1")
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


if OFFER and len(sys.orig_argv) > 2:
    STARTED = sys.orig_argv[1:]
    MODULE = STARTED[0] == "-m"
    PROGRAM, *ARGUMENTS = STARTED[MODULE:]
    if is_warm(MODULE, PROGRAM):
        go_on(MODULE, PROGRAM, ARGUMENTS)
