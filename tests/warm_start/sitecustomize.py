"""Every Python of a test's workflow begins here; a worker's server goes on in a fork.

See ``tests/warm_worker.py``. This process, whose id the workflow knows, waits for the fork, which
ends with it.
"""

from __future__ import annotations

import os
import sys

ADDRESS = os.environ.get("TESTS_WARM_WORKER")
SERVER = ["-m", "synthsight.worker.server"]

if ADDRESS and sys.orig_argv[1:3] == SERVER:
    import json
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(ADDRESS)
        told = {"folder": os.getcwd(), "environment": dict(os.environ)}
        files = [1, 2, *map(int, sys.orig_argv[3:5])]
        socket.send_fds(connection, [json.dumps(told).encode() + b"\n"], files)
        for number in files[2:]:
            os.close(number)
        os._exit(int(connection.recv(16) or b"1"))
