"""What memory and devices ask of a process, as far as it can be told without a device."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from synthsight.inference import batches
from synthsight.inference.batches import fetch
from synthsight.inference.cache import ModelCache

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("CUDA error: out of memory"), True),  # of the driver, for a context
        (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_what_was_loaded_in_vain_is_gone_before_the_next_try(
    error: RuntimeError, again: bool
) -> None:
    models = ModelCache()
    models.get("a", lambda: nn.Linear(9, 1), CPU)
    parts: list[weakref.ref[nn.Module]] = []

    def load() -> nn.Module:
        assert all(part() is None for part in parts), "two copies need twice the memory"
        part = nn.Linear(99, 1)
        parts.append(weakref.ref(part))
        if len(parts) == 1:
            raise type(error)(str(error))  # one that nothing holds
        return part

    if not again:
        with pytest.raises(RuntimeError, match=re.escape(str(error))):
            models.get("b", load, CPU)
        return
    assert models.get("b", load, CPU)
    assert len(parts) == 2 and len(models) == 1


@pytest.mark.parametrize(("share", "given_back"), [(1.0, 0), (0.5, 1)])
def test_a_process_that_shares_a_device_gives_unused_memory_back(
    monkeypatch: pytest.MonkeyPatch, share: float, given_back: int
) -> None:
    calls: list[None] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: calls.append(None))
    ModelCache(share).spare()
    assert not calls, "CUDA has not begun"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    ModelCache(share).spare()
    assert len(calls) == given_back


def test_a_device_is_waited_for_only_when_it_has_the_next_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Copies begin behind the forward pass that they are of, and are read two passes later."""
    happened: list[str] = []

    class Event:
        def record(self) -> None:
            self.number = sum(each.startswith("pass") for each in happened) - 1
            happened.append(f"copy {self.number}")

        def synchronize(self) -> None:
            happened.append(f"wait {self.number}")

    class Part:
        device, shape, dtype = torch.device("cuda"), (1,), torch.float32

        def __init__(self, number: int) -> None:
            self.number = number

    class Pinned:
        def copy_(self, part: Part, non_blocking: bool) -> None:
            assert non_blocking
            self.number = part.number

        def clone(self) -> int:
            return self.number

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch, "empty", lambda *_, pin_memory, **__: pin_memory and Pinned())

    def parts() -> Iterator[Any]:
        for number in range(4):
            happened.append(f"pass {number}")
            yield Part(number)

    assert fetch(parts()) == [0, 1, 2, 3]
    assert happened == [
        *("pass 0", "copy 0", "pass 1", "copy 1", "pass 2", "copy 2", "wait 0"),
        *("pass 3", "copy 3", "wait 1", "wait 2", "wait 3"),
    ]


@pytest.mark.parametrize(("devices", "said"), [((), ""), (("0", "GPU-5"), "(as CUDA_")])
def test_devices_that_torch_cannot_use_are_not_passed_over_in_silence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    devices: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(batches, "visible_devices", lambda: devices)
    assert batches.choose_device().type == "cpu"
    error = capsys.readouterr().err
    assert ",".join(devices) in error and said in error and bool(said) == ("WARNING" in error)
