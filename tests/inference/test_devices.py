"""Devices are counted as CUDA counts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.inference.devices import visible_devices


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
