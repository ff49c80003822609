"""Which of a million hashes are nearly the same: every pair, without comparing every pair.

A hash's bits are dealt out to so many bands that two hashes within the bound differ in one bit at
most in one of the bands at least: with two bits in each, they would be beyond it. So only hashes
whose bands are equal, or would be with one bit turned over, are compared ("multi-index hashing",
Norouzi, Punjani and Fleet 2012). For mirrored images the bits that mirroring turns over are turned
over as well. Nothing is missed, except among hundreds of hashes that share a band.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthsight.images.hashing import BITS, BYTES, MIRROR

#: Two hashes within so many bits are those of near duplicates.
MOST_BITS = 24

#: With two bits in every band, hashes would differ in more than the bound.
_BANDS = MOST_BITS // 2 + 1

#: Of hashes that share a band, each is compared with the first so many. A million unlike images
#: come to a few; the bound is for thousands of frames of one film.
BUCKET = 200

#: Of a hash with more earlier near duplicates than this, so many are found, not all.
EACH = 10

#: Candidates compared at a time, which bounds the memory.
_BLOCK = 1 << 20

_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of near duplicates, sorted by the second, then by the first.

    Attributes:
        first: number of the first hash of each pair, int64 (n,).
        second: number of the second, which is larger.
        bits: in how many bits they differ, int64 (n,).
        mirrored: whether the first has to be mirrored for that, bool (n,).
        crowded: how many hashes shared a band with so many that some were not compared.
    """

    first: _Numbers
    second: _Numbers
    bits: _Numbers
    mirrored: npt.NDArray[np.bool_]
    crowded: int = 0


def near_pairs(hashes: npt.NDArray[np.uint8]) -> Pairs:
    """All pairs of hashes that differ in at most :data:`MOST_BITS` bits, as they are or mirrored.

    Time and memory grow with the number of hashes, not with its square. Of a hash with more than
    :data:`EACH` earlier near duplicates, only so many are found.

    Args:
        hashes: uint8 (n, :data:`synthsight.images.hashing.BYTES`), best without repeats.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64).T.copy()  # (4, n)
    mirror = MIRROR.view(np.uint64)
    crowded = np.zeros(len(hashes), bool)
    rows = np.zeros((4, 0), np.int64)
    for band in range(_BANDS):
        places = np.arange(band, BITS, _BANDS)
        keys = _keys(hashes, places)
        turned = int(_keys(MIRROR[None], places)[0])
        buckets = _Buckets.of(keys, len(places))
        crowded |= buckets.counts[keys] > BUCKET
        # A pair comes up once in a band, at most twice if mirrored as well.
        tally = np.bincount(rows[1], minlength=len(hashes))
        found = [rows]
        for change in (0, *(1 << bit for bit in range(len(places)))):
            for mirrored in (False, True):
                seekers = np.flatnonzero(tally < EACH)
                wanted = keys[seekers] ^ (change ^ (turned if mirrored else 0))
                for one, other in buckets.partners(seekers, wanted):
                    part = _compare(words, mirror if mirrored else None, one, other)
                    part = part[:, _ranks(part[1]) < EACH]
                    tally += np.bincount(part[1], minlength=len(hashes)) if part.size else 0
                    found.append(np.vstack([part, np.full(part.shape[1], mirrored)]))
        rows = _nearest(np.hstack(found))
    return Pairs(rows[0], rows[1], rows[2], rows[3].astype(bool), int(crowded.sum()))


def _keys(hashes: npt.NDArray[np.uint8], places: _Numbers) -> _Numbers:
    """The bits of a band as one number for each hash, int64 (n,)."""
    keys = np.zeros(len(hashes), np.int64)
    for number, place in enumerate(places):
        keys |= ((hashes[:, place // 8] >> (7 - place % 8)) & 1).astype(np.int64) << number
    return keys


@dataclass(frozen=True)
class _Buckets:
    """Hashes by a band's bits: ``order`` has their numbers, bucket by bucket, ascending in each."""

    order: _Numbers
    starts: _Numbers
    counts: _Numbers

    @classmethod
    def of(cls, keys: _Numbers, bits: int) -> _Buckets:
        counts = np.bincount(keys, minlength=1 << bits)
        return cls(np.argsort(keys, kind="stable"), np.cumsum(counts) - counts, counts)

    def partners(self, seekers: _Numbers, wanted: _Numbers) -> Iterator[tuple[_Numbers, _Numbers]]:
        """Pairs of a seeker and an earlier hash in the bucket that it wants, seeker by seeker."""
        counts = np.minimum(self.counts[wanted], BUCKET)
        busy = np.flatnonzero(counts)
        seekers, counts, starts = seekers[busy], counts[busy], self.starts[wanted[busy]]
        ends = np.cumsum(counts)
        begin = 0
        while begin < len(seekers):
            done = ends[begin - 1] if begin else 0
            # BUCKET is below _BLOCK, so that at least one seeker is served each time.
            end = int(np.searchsorted(ends, done + _BLOCK, side="right"))
            many = counts[begin:end]
            one = np.repeat(seekers[begin:end], many)
            within = np.arange(done, ends[end - 1]) - np.repeat(ends[begin:end] - many, many)
            other = self.order[np.repeat(starts[begin:end], many) + within]
            before = other < one
            yield one[before], other[before]
            begin = end


def _compare(
    words: npt.NDArray[np.uint64],
    mirror: npt.NDArray[np.uint64] | None,
    one: _Numbers,
    other: _Numbers,
) -> _Numbers:
    """Of these pairs, those within the bound: ``other``, ``one``, bits, int64 (3, n)."""
    bits = np.zeros(len(one), np.int64)
    for number, word in enumerate(words):
        turned = word[one] ^ word[other]
        if mirror is not None:
            turned ^= mirror[number]
        bits += np.bitwise_count(turned)
        near = bits <= MOST_BITS  # of unlike pairs, few get beyond the first word
        one, other, bits = one[near], other[near], bits[near]
    return np.vstack([other, one, bits])


def _nearest(rows: _Numbers) -> _Numbers:
    """Each pair once, as it is nearest, and of each hash's at most :data:`EACH`; sorted.

    Args:
        rows: first, second, bits, mirrored, int64 (4, n).
    """
    rows = rows[:, np.lexsort((rows[3], rows[2], rows[0], rows[1]))]
    rows = rows[:, _changes(rows[0], rows[1])]
    rows = rows[:, np.lexsort((rows[0], rows[2], rows[1]))]
    rows = rows[:, _ranks(rows[1]) < EACH]
    return rows[:, np.lexsort((rows[0], rows[1]))]


def _ranks(values: _Numbers) -> _Numbers:
    """How many equal values stand before each, where equal ones stand together."""
    starts = np.flatnonzero(_changes(values))
    sizes = np.diff([*starts, len(values)])
    ranks: _Numbers = np.arange(len(values)) - np.repeat(starts, sizes)
    return ranks


def _changes(*columns: _Numbers) -> npt.NDArray[np.bool_]:
    """Where a row differs from the one before it."""
    changes = np.ones(len(columns[0]), bool)
    if len(changes):
        changes[1:] = np.any([each[1:] != each[:-1] for each in columns], axis=0)
    return changes


assert BYTES % 8 == 0  # hashes are compared in words of eight bytes
