"""Every Python that a test starts may begin here; programs with networks go on in a fork.

See ``tests/warm_worker.py``. This process, whose id the workflow knows, waits for the fork, which
ends with it.
"""

from __future__ import annotations

import os
import sys

OFFER = os.environ.get("TESTS_WARM")
MODULES = ["synthsight.classifiers.resolve"]
if "TESTS_WARM_WORKERS" in os.environ:
    MODULES.append("synthsight.worker.server")

if OFFER and sys.orig_argv[1:2] == ["-m"] and sys.orig_argv[2:3][0] in MODULES:
    import json
    import socket

    offer = json.loads(OFFER)
    names = tuple(offer["names"])
    read = {name: value for name, value in os.environ.items() if name.startswith(names)}
    if read == offer["read"]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(offer["address"])
            told = {
                "module": sys.orig_argv[2],
                "folder": os.getcwd(),
                "environment": dict(os.environ),
            }
            # Input, output, error; and the sockets that a worker's server is given.
            files = [0, 1, 2, *map(int, sys.orig_argv[3:])]
            socket.send_fds(connection, [json.dumps(told).encode() + b"\n"], files)
            for number in files[3:]:
                os.close(number)
            os._exit(int(connection.recv(16) or b"1"))
