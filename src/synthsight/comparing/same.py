"""Which images, or questions, of two runs are the same: by content, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Pairs:
    """Rows of two tables that are about the same thing; no row is in two pairs.

    Attributes:
        a: (pairs,), the number of the row in the first table.
        b: likewise, in the second.
    """

    a: Rows
    b: Rows

    def among(self, a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> Pairs:
        """The pairs of which both rows are chosen.

        Args:
            a: (rows of the first,).
            b: (rows of the second,).
        """
        both = a[self.a] & b[self.b]
        return Pairs(self.a[both], self.b[both])


def match(a: pd.DataFrame, b: pd.DataFrame, key: Sequence[str]) -> Pairs:
    """Pair the rows that are alike in some columns.

    Where several rows of a table are alike, the first goes with the first of the other, the second
    with the second, and those that are left over with none.

    Args:
        a: the first table, in an order that does not depend on chance.
        b: the second.
        key: the columns; rows in which one is missing are like no other.
    """
    keyed = []
    for table in (a, b):
        rows = table[[*key]].reset_index(drop=True).dropna()
        rows = rows.assign(copy=rows.groupby([*key], sort=False).cumcount(), row=rows.index)
        keyed.append(rows)
    both = keyed[0].merge(keyed[1], on=[*key, "copy"], suffixes=("_a", "_b"), validate="1:1")
    both = both.sort_values("row_a")
    return Pairs(both["row_a"].to_numpy(np.intp), both["row_b"].to_numpy(np.intp))


def together(a: Rows, b: Rows) -> Rows | None:
    """The units of chance of pairs: what one of the two runs takes for one group is one.

    Args:
        a: (pairs,), the number of each pair's group in the first run.
        b: likewise, in the second.

    Returns:
        (pairs,), the number of each pair's unit; None if each pair is one by itself.
    """
    if not len(a):
        return None
    codes_a, codes_b = pd.factorize(a)[0], pd.factorize(b)[0]
    first = int(codes_a.max()) + 1
    size = first + int(codes_b.max()) + 1
    edges = coo_array((np.ones(len(a)), (codes_a, first + codes_b)), shape=(size, size))
    units: Rows = connected_components(edges, directed=False)[1][codes_a]
    return None if len(np.unique(units)) == len(units) else units


def groups_of(images: pd.DataFrame) -> Rows:
    """The number of each image's group, (images,); one without a group is a group by itself."""
    codes = pd.factorize(images["group"])[0]
    alone = np.arange(len(images)) + len(images)
    found: Rows = np.where(codes < 0, alone, codes)
    return found
