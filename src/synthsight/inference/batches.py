"""Running a network over many items: device, precision, batches that fit in memory."""

from __future__ import annotations

import resource
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from synthsight.inference.devices import visible_devices


class Sliceable(Protocol):
    """A list, or an array whose rows are the items."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Any: ...


Items = TypeVar("Items", bound=Sliceable)
Result = TypeVar("Result")

#: The precision of a forward pass: IEEE 754 float32; float32 with TensorFloat-32 products on an
#: NVIDIA device; or bfloat16 wherever autocast uses it.
PRECISIONS = ("fp32", "tf32", "bf16")


def choose_device() -> torch.device:
    """A CUDA device if there is one, else the CPU; devices that torch cannot use are named."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if devices := visible_devices():
        print(
            f"WARNING: torch, built for CUDA {torch.version.cuda}, cannot use the devices of this "
            f"machine (as CUDA_VISIBLE_DEVICES would name them: {','.join(devices)}), so this runs "
            "on the CPU. torch.cuda.init() says why; most often the driver is older than that "
            "CUDA. Run with --resources gpu=0 if the CPU is meant",
            file=sys.stderr,
        )
    return torch.device("cpu")


def name_of(device: torch.device) -> str:
    """What a device is called where results say what they were made on."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def set_precision(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Set the precision of this process; run the forward pass inside the context returned."""
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32  # torch's own default here is True
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


class Batches:
    """Batches whose size is halved whenever memory runs out and none can be released.

    Attributes:
        size: items per batch; it only ever shrinks.
    """

    def __init__(self, size: int, release: Callable[[], bool] = lambda: False) -> None:
        """Start with a size.

        Args:
            size: items per batch.
            release: called when memory runs out; frees what can be spared, and returns whether
                there was anything.
        """
        self.size = size
        self._release = release

    def run(self, function: Callable[[Items], Result], items: Items) -> Iterator[Result]:
        """The result of a function for each batch of items.

        Args:
            function: maps a batch to, say, a tensor with one row per item. Each row must depend on
                its own item only, up to float rounding.
            items: a list, or an array with one row per item.

        Raises:
            torch.OutOfMemoryError: a single item does not fit (on a CPU another RuntimeError).
        """
        start = 0
        while start < len(items):
            part: Any = items[start : start + self.size]
            try:
                result = function(part)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._release():
                    print("out of memory: other models are released", file=sys.stderr)
                    continue
                if self.size == 1:
                    raise
                self.size //= 2
                print(f"out of memory: continuing with batches of {self.size}", file=sys.stderr)
                continue
            yield result
            start += len(part)


def fetch(parts: Iterable[Tensor]) -> list[Tensor]:
    """Copy the parts to main memory, while a CUDA device computes those that follow."""
    fetched: list[Tensor] = []
    under_way: deque[tuple[Tensor, torch.cuda.Event]] = deque()
    for part in parts:
        if part.device.type != "cuda":
            fetched.append(part)
            continue
        # Behind the kernels of this part and before those of the next one, so that the wait below
        # is for neither: meanwhile the next parts are read and put into the queue.
        copy = torch.empty(part.shape, dtype=part.dtype, pin_memory=True)
        copy.copy_(part, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()
        under_way.append((copy, done))
        if len(under_way) > _AHEAD:
            fetched.append(_landed(*under_way.popleft()))
    return [*fetched, *(_landed(*each) for each in under_way)]


#: Parts that a device may be behind: one that it computes, and one that waits for it.
_AHEAD = 2


def _landed(copy: Tensor, done: torch.cuda.Event) -> Tensor:
    """A part in ordinary memory; what is pinned is used again for the next ones."""
    done.synchronize()
    return copy.clone()


#: Messages of libraries that have run out of memory. Those of oneDNN, on a CPU, and those of CUDA's
#: libraries, in the last two lines, do not mention it: cuDNN and cuBLAS take memory of their own
#: when they start, and say no more than that they have not. Should the cause be another, a smaller
#: batch fails, too, and shows it.
_OUT_OF_MEMORY = (
    *("allocate memory", "not enough memory", "out of memory", "bad_alloc", "ALLOC_FAILED"),
    *("could not create a primitive", "could not create a memory object"),
    *("unable to find an engine to execute", "CUDNN_STATUS_INTERNAL_ERROR"),
    *("CUDNN_STATUS_NOT_INITIALIZED", "CUBLAS_STATUS_NOT_INITIALIZED"),
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory has run out, by its type or its message."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def report_speed(count: int, things: str, seconds: float, device: torch.device) -> str:
    """A line for the log: images or questions per second, and peak memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = count / max(seconds, 1e-9)
    line = f"{count} {things} in {seconds:.2f} s ({speed:.1f} {things}/s)"
    line += f" on {device}; peak memory {peak:.0f} MiB"
    if device.type == "cuda":
        line += f", on the device {torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB"
    return line
