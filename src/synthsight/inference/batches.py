"""Running a network over many items: device, precision, batches that fit into memory."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor


class Sliceable(Protocol):
    """A list, or an array whose rows are the items."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Any: ...


Items = TypeVar("Items", bound=Sliceable)
Result = TypeVar("Result")

#: How the numbers of a forward pass are computed: in float32 as IEEE 754 has it; with the products
#: of TensorFloat-32 on an NVIDIA device; or with those of bfloat16 wherever autocast has them.
PRECISIONS = ("fp32", "tf32", "bf16")


def choose_device() -> torch.device:
    """CUDA if there is a device, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def set_precision(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Set this process to a precision; the forward pass belongs inside what is returned."""
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32  # torch's own default here is True
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


class Batches:
    """A number of items at a time, halved whenever memory runs out and none can be released.

    Attributes:
        size: items at a time; it only ever shrinks.
    """

    def __init__(self, size: int, release: Callable[[], bool] = lambda: False) -> None:
        """Begin with a size.

        Args:
            size: items at a time.
            release: called when memory runs out; lets go of what can be spared, and tells whether
                there was any.
        """
        self.size = size
        self._release = release

    def run(self, function: Callable[[Items], Result], items: Items) -> Iterator[Result]:
        """What a function gives for each batch of items.

        Args:
            function: from some items to, say, a tensor with a row for each. It must depend on each
                item alone, up to float rounding.
            items: a list, or an array whose rows they are.

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
                    print("out of memory: other models are let go", file=sys.stderr)
                    continue
                if self.size == 1:
                    raise
                self.size //= 2
                print(f"out of memory: on with {self.size} at a time", file=sys.stderr)
                continue
            yield result
            start += len(part)


def fetch(parts: Iterable[Tensor]) -> list[Tensor]:
    """The parts in main memory. A device works on each while the one before it is fetched."""
    fetched: list[Tensor] = []
    for part in parts:
        if fetched:
            fetched[-1] = fetched[-1].cpu()
        fetched.append(part)
    return [part.cpu() for part in fetched]


#: What libraries say when memory has run out, and which says nothing of memory: oneDNN, on a CPU,
#: and CUDA's. Something else may be behind them; then a smaller batch fails, too, and says so.
_OUT_OF_MEMORY = (
    *("allocate memory", "not enough memory", "out of memory", "bad_alloc", "ALLOC_FAILED"),
    *("could not create a primitive", "could not create a memory object"),
    "unable to find an engine to execute",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says so: by its type, or in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def report_speed(count: int, things: str, seconds: float, device: torch.device) -> str:
    """One line for the log: images or questions per second, and peak memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = count / max(seconds, 1e-9)
    line = f"{count} {things} in {seconds:.2f} s ({speed:.1f} {things}/s)"
    line += f" on {device}; peak memory {peak:.0f} MiB"
    if device.type == "cuda":
        line += f", on the device {torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB"
    return line
