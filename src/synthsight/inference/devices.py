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


#: Flags of processors that multiply bfloat16: Intel's and AMD's, and ARM's.
_BFLOAT16 = frozenset({"amx_bf16", "avx512_bf16", "bf16"})


def multiplies_bfloat16(about: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor has instructions for products of bfloat16.

    Without these they are computed by way of float32, which takes longer than float32 alone. Where
    the system says nothing of its processor, it is taken to have them.

    Args:
        about: what the system says of its processor.
    """
    try:
        text = about.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    lines = [line for line in text.splitlines() if re.match(r"(flags|Features)\s*:", line)]
    return not lines or any(not _BFLOAT16.isdisjoint(line.split()) for line in lines)
