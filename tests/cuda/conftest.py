"""The device that these tests run on."""

from __future__ import annotations

import os

import pytest
import torch

#: The variable by which `make gpu DEVICE=cpu` tries the tests themselves where there is no CUDA.
VARIABLE = "SYNTHSIGHT_TEST_DEVICE"


@pytest.fixture(scope="module")
def device() -> torch.device:
    """A CUDA device; or the CPU, on which those tests that can be tried there are."""
    if os.environ.get(VARIABLE) == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    return torch.device("cuda")


@pytest.fixture(scope="module")
def cuda(device: torch.device) -> torch.device:
    """A CUDA device and nothing else."""
    if device.type != "cuda":
        pytest.skip("only a CUDA device can show this")
    return device
