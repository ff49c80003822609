"""The accelerators of this machine, without importing torch."""

from __future__ import annotations

import re
from pathlib import Path

#: Device nodes of NVIDIA's cards (one each) and of AMD's driver (one for all).
_NODES = re.compile(r"nvidia\d+|kfd")


def count_accelerators(nodes: Path = Path("/dev")) -> int:
    """How many CUDA devices there are, as far as the device nodes tell; one at most for ROCm."""
    return sum(1 for node in nodes.iterdir() if _NODES.fullmatch(node.name))
