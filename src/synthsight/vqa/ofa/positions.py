"""Positions: buckets of relative positions, and the attention biases derived from them.

OFA keeps positions out of the embeddings. They act only on the attention scores, as a bias with two
parts (section 3.1, after TUPE and CoAtNet): an absolute one, the product of projected position
embeddings, and a relative one, a learned number per head for each bucket of distances. Everything
here is a function of the positions of queries and keys, so a cached decoder step needs no special
treatment.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Index = npt.NDArray[np.int64]


# Tables are cached as numpy arrays: tensors remember whether they were made in inference mode or on
# the meta device, and could not be shared between callers.
@lru_cache(maxsize=8)
def _token_buckets(bucket_size: int, max_position: int) -> Index:
    """The bucket of every relative position, from ``1 - max_position`` up; int64."""
    relative = np.arange(1 - max_position, max_position)
    distance = np.abs(relative)
    middle = bucket_size // 2
    bucket = relative.copy()
    far = distance > middle
    if far.any():
        fraction = np.log(distance[far] / middle) / math.log((max_position - 1) / middle)
        steps = np.ceil(fraction * (middle - 1)).astype(np.int64)
        bucket[far] = np.sign(relative[far]) * (steps + middle)
    return bucket + bucket_size - 1


def token_buckets(
    queries: Tensor, keys: Tensor, bucket_size: int = 256, max_position: int = 1024
) -> Tensor:
    """Buckets of the relative positions of text tokens.

    Distances up to half of ``bucket_size`` have buckets of their own; greater ones share buckets
    that widen logarithmically with distance.

    Args:
        queries: int64 (q,), positions in ``0..max_position - 1``.
        keys: int64 (k,), likewise.
        bucket_size: number of buckets on each side, that of distance 0 included.
        max_position: the upper bound on positions.

    Returns:
        int64 (q, k), in ``0..2 * bucket_size - 2``.
    """
    table = torch.from_numpy(_token_buckets(bucket_size, max_position)).to(queries.device)
    return table[queries[:, None] - keys[None, :] + max_position - 1]


def image_buckets(queries: Tensor, keys: Tensor, bucket_size: int = 42) -> Tensor:
    """Buckets of the relative positions of image patches: one for each offset in the grid.

    Args:
        queries: int64 (q,), ids as from :func:`grid_ids`; 0 is the start of a generated image.
        keys: int64 (k,), likewise.
        bucket_size: side of the largest grid.

    Returns:
        int64 (q, k), in ``0..(2 * bucket_size - 1) ** 2 + 2``; the last three are for id 0.
    """
    span = 2 * bucket_size - 1
    row_q, row_k = (queries - 1) // bucket_size, (keys - 1) // bucket_size
    column_q, column_k = (queries - 1) % bucket_size, (keys - 1) % bucket_size
    rows = row_q[:, None] - row_k[None, :] + bucket_size - 1
    columns = column_q[:, None] - column_k[None, :] + bucket_size - 1
    buckets = rows * span + columns
    start_q, start_k = (queries == 0)[:, None], (keys == 0)[None, :]
    buckets = buckets.masked_fill(start_q, span**2).masked_fill(start_k, span**2 + 1)
    return buckets.masked_fill(start_q & start_k, span**2 + 2)


def grid_ids(height: int, width: int, bucket_size: int = 42, device: object = None) -> Tensor:
    """Position ids of a grid of patches, row by row, within the largest grid.

    Args:
        height: rows, at most ``bucket_size``.
        width: columns, likewise.
        bucket_size: side of the largest grid.
        device: where to put them.

    Returns:
        int64 (height * width,): ``row * bucket_size + column + 1``.
    """
    rows = torch.arange(height)[:, None] * bucket_size
    ids = (rows + torch.arange(width)[None, :] + 1).flatten()
    return ids.to(device)  # type: ignore[call-overload,no-any-return]


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Reshape (..., n, d) to (..., heads, n, d / heads)."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(-3, -2)


def absolute_bias(queries: Tensor, keys: Tensor, scale: float) -> Tensor:
    """The absolute part of the bias.

    Args:
        queries: (heads, q, head dimension), projected position embeddings.
        keys: (heads, k, head dimension), likewise.
        scale: the attention scale, ``(2 * head dimension) ** -0.5``.

    Returns:
        (heads, q, k).
    """
    return (queries * scale) @ keys.transpose(-2, -1)


def relative_bias(table: Tensor, buckets: Tensor) -> Tensor:
    """The relative part of the bias: (heads, q, k) from a table (buckets, heads)."""
    return torch.nn.functional.embedding(buckets, table).permute(2, 0, 1)
