"""Going through items in batches that fit into memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")


class Batches:
    """A number of items at a time, halved whenever memory runs out.

    Attributes:
        size: items at a time; it only ever shrinks.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def run(self, function: Callable[[Sequence[Item]], Tensor], items: Sequence[Item]) -> Tensor:
        """What a function gives for all items, its results one behind the other.

        Args:
            function: from a batch to a tensor with a row an item. It must depend on each item
                alone, up to float rounding.
            items: one or more.

        Raises:
            torch.OutOfMemoryError: a single item does not fit (on a CPU another RuntimeError).
        """
        parts = []
        start = 0
        while start < len(items):
            chunk = items[start : start + self.size]
            try:
                parts.append(function(chunk))
            except (RuntimeError, MemoryError) as error:
                if self.size == 1 or not is_out_of_memory(error):
                    raise
                self.size //= 2
                print(f"out of memory: on with {self.size} at a time", file=sys.stderr)
                continue
            start += len(chunk)
        return torch.cat(parts)


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a type of its own for it; the CPU's allocator says it in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "allocate memory" in str(error) or "not enough memory" in str(error)
