"""Memory that a process frees and takes again, without a way through the system. GNU's libc only.

A network on a CPU takes and frees its activations at every layer. Large blocks go back to the
system at once by default, and come again page by page, each filled with zeros: for a MobileNetV2
half of all processor time. Kept, they change no number.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

#: Of main memory, what the processes that run models on a CPU may keep together.
_SHARE = 1 / 8

#: The largest value that mallopt(3) takes.
_MOST = 2**31 - 1

# Numbers of the parameters of mallopt(3), and their names in the environment of a new process.
_PARAMETERS = {
    -4: "MALLOC_MMAP_MAX_",
    -1: "MALLOC_TRIM_THRESHOLD_",
    -2: "MALLOC_TOP_PAD_",
}


def keep_freed_memory(slots: int) -> None:
    """Let this process keep the memory that it frees, unless its environment says otherwise.

    Args:
        slots: how many such processes there may be; together they keep an eighth of main memory.
    """
    import ctypes  # here, since clients need it not and would wait for it

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    values = _values(slots)
    for number, name in _PARAMETERS.items():
        if name not in os.environ:
            mallopt(number, values[name])


def in_environment(slots: int, environment: Mapping[str, str]) -> dict[str, str]:
    """The same for a process to be started: what to add to its environment.

    Args:
        slots: as :func:`keep_freed_memory` takes it.
        environment: the present one; what it says stays.
    """
    values = _values(slots)
    return {name: str(value) for name, value in values.items() if name not in environment}


def _values(slots: int) -> dict[str, int]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    kept = min(_MOST, int(memory * _SHARE / max(1, slots)))
    # No block is mapped by itself; what is free at the end is returned beyond this size; and more
    # is asked for at a time.
    return dict(zip(_PARAMETERS.values(), (0, kept, 2**26), strict=True))
