"""Devices are counted as CUDA counts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.inference.devices import multiplies_bfloat16, visible_devices


@pytest.mark.parametrize(
    ("nodes", "visible", "expected"),
    [
        ([], None, ()),
        ([], "0", ()),
        (["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"], None, ("0", "1")),
        (["nvidia0", "nvidia1"], "1", ("1",)),
        (["nvidia0", "nvidia1"], "1, 0", ("1", "0")),
        (["nvidia0", "nvidia1"], "GPU-8f,MIG-1", ("GPU-8f", "MIG-1")),
        (["nvidia0", "nvidia1"], "", ()),
        (["nvidia0", "nvidia1"], "0,-1,1", ("0",)),
        (["kfd"], None, ("0",)),
        (["dxg"], None, ("0",)),  # Windows Subsystem for Linux
    ],
)
def test_visible_devices(
    tmp_path: Path, nodes: list[str], visible: str | None, expected: tuple[str, ...]
) -> None:
    for node in nodes:
        (tmp_path / node).touch()
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert visible_devices(environment, tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("model name : some\nflags\t\t: fpu avx2 avx512f\nbugs : amx_bf16\n", False),
        ("flags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags : fpu amx_tile amx_bf16\n", True),
        ("Features\t: fp asimd bf16\n", True),
        ("Features\t: fp asimd\n", False),
        ("processor : 0\n", True),  # nothing is said of what it can
    ],
)
def test_processors_that_multiply_bfloat16(tmp_path: Path, text: str, has: bool) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert multiplies_bfloat16(tmp_path / "cpuinfo") == has
    assert multiplies_bfloat16(tmp_path / "nothing")
