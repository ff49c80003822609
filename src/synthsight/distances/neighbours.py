"""Precision, recall, density and coverage: which images lie in the neighbourhoods of which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthsight.features.samples import Vectors

Floats = npt.NDArray[np.float64]

#: Rows whose distances to all others are held at a time: 160 MB for 10,000 others.
_ROWS = 1_024

#: Squared distances below this share of the squared lengths are those of equal vectors, rounded.
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Overlap:
    """How the neighbourhoods of two samples overlap.

    Attributes:
        precision: the share of compared images in the neighbourhood of any reference image.
        recall: the share of reference images in the neighbourhood of any compared image.
        density: how many neighbourhoods of reference images a compared image is in, on average,
            divided by the number of neighbours that make one; 1 where the samples are alike.
        coverage: the share of reference images with a compared image in their neighbourhood.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def radii(vectors: Vectors, nearest: int) -> Floats:
    """The squared distance of each vector from its nearest-th neighbour; (n,).

    Args:
        vectors: (n, length), n > nearest.
        nearest: 1 for the next neighbour.
    """
    found = np.empty(len(vectors))
    for rows, squares in _squares(vectors, vectors):
        squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = 0
        found[rows] = np.partition(squares, nearest, axis=1)[:, nearest]
    return found


def overlap(
    reference: Vectors, compared: Vectors, nearest: int, inside: Floats, around: Floats
) -> Overlap:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

    The neighbourhood of an image is the ball that reaches to its nearest-th neighbour in its own
    sample. All four depend on the order of distances alone, so on no unit of features.

    Args:
        reference: real photographs (n, length).
        compared: other images (m, length).
        nearest: of which ``inside`` and ``around`` are.
        inside: the reference's :func:`radii`.
        around: those of what is compared.
    """
    reached = np.zeros(len(compared), bool)
    recalled = np.zeros(len(reference), bool)
    covered = np.zeros(len(reference), bool)
    held = 0
    for rows, squares in _squares(reference, compared):
        within = squares < inside[rows, None]
        reached |= within.any(axis=0)
        covered[rows] = within.any(axis=1)
        held += int(np.count_nonzero(within))
        recalled[rows] = (squares < around).any(axis=1)
    return Overlap(
        float(reached.mean()),
        float(recalled.mean()),
        held / (nearest * len(compared)),
        float(covered.mean()),
    )


def _squares(a: Vectors | Floats, b: Vectors | Floats) -> Iterator[tuple[slice, Floats]]:
    """The squared distances of some rows of ``a`` from all of ``b``, block by block.

    Those of equal vectors are 0, however they are rounded.
    """
    centre = a.mean(axis=0, dtype=np.float64)
    columns = b - centre
    lengths = np.einsum("ij,ij->i", columns, columns)
    for start in range(0, len(a), _ROWS):
        rows = slice(start, min(start + _ROWS, len(a)))
        block = a[rows] - centre
        scale = np.einsum("ij,ij->i", block, block)[:, None] + lengths
        squares: Floats = scale - 2 * (block @ columns.T)
        squares[squares < _ROUNDING * scale] = 0
        yield rows, squares


def nearest_rows(known: Floats, others: Floats, count: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """The nearest of some vectors to each of others, the nearest first.

    Args:
        known: (n, length), n >= count.
        others: (m, length).
        count: how many.

    Returns:
        Their rows, (m, count), and squared distances.
    """
    found = np.empty((len(others), count), np.int64)
    distances = np.empty((len(others), count))
    for rows, squares in _squares(others, known):
        nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
        here = np.take_along_axis(squares, nearest, axis=1)
        order = np.lexsort((nearest, here), axis=1)
        found[rows] = np.take_along_axis(nearest, order, axis=1)
        distances[rows] = np.take_along_axis(here, order, axis=1)
    return found, distances
