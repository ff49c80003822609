"""The accelerators of this machine, without importing torch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

#: Device nodes of NVIDIA's cards (one each), of AMD's driver and of Windows' (one for all cards).
_NODES = re.compile(r"nvidia\d+|kfd|dxg")


def count_accelerators(nodes: Path = Path("/dev")) -> int:
    """The number of CUDA devices, judging by device nodes; at most one for ROCm and in WSL2."""
    return sum(1 for node in nodes.iterdir() if _NODES.fullmatch(node.name))


def visible_devices(
    environment: Mapping[str, str] = os.environ, nodes: Path = Path("/dev")
) -> tuple[str, ...]:
    """The devices that CUDA may use, as ``CUDA_VISIBLE_DEVICES`` would name each."""
    count = count_accelerators(nodes)
    listed = environment.get("CUDA_VISIBLE_DEVICES")
    if listed is None or not count:
        return tuple(map(str, range(count)))
    names = []
    for name in map(str.strip, listed.split(",")):
        if name in ("", "-1"):
            break  # as CUDA reads it: what follows an invalid name is ignored
        names.append(name)
    return tuple(names)
