"""From what heads get to rows of tables, with intervals over the images to train on and to test.

The variance of a mean has two parts. That over the images tested is the one of all accuracies
(:mod:`synthsight.statistics.moments`). That over the images trained on is the variance over heads
trained on resampled ones. What both have in common, that a head is right about one image and
another head about another, is in both parts, and stands for what is in neither: that another sample
would have been given another penalty. Where a unit is on both sides, in different folds, there is a
covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from synthsight.features.samples import Images
from synthsight.statistics.columns import TRANSFER, TRANSFER_CATEGORIES
from synthsight.statistics.intervals import paired_interval, share_interval, unpaired_interval
from synthsight.statistics.moments import Floats, Sample, Spread
from synthsight.transfer.crossfit import Fits
from synthsight.transfer.design import Design


@dataclass(frozen=True)
class Tested:
    """Heads of one size, and everything that intervals are made from.

    Attributes:
        images: all images.
        plan: who is trained on what.
        size: images of a category trained on.
        fits: what heads get.
        weights: of units in resamples (resamples, units).
        level: of the intervals.
    """

    images: Images
    plan: Design
    size: int
    fits: Fits
    weights: npt.NDArray[np.float32]
    level: float

    def pairs(self) -> pd.DataFrame:
        """A row for each ordered pair of sources: :data:`TRANSFER` without the model."""
        names, count = self.fits.names, len(self.plan.categories)
        real = self._real()
        rows = []
        for a, train in enumerate(names):
            for b, test in enumerate(names):
                spread, drift = self._spread(a, b), self._drift(a, b)
                bounds = share_interval(spread, self.level)
                low, high = self._wider(spread.mean, bounds, self._training(a, b, drift), 0)
                row = {
                    "train": train,
                    "test": test,
                    "measure": self._measure(train, test),
                    "per_category": self.size,
                    "n_train": self.size * count,
                    "n_test": int(self._tested(b).sum()),
                    "categories": count,
                    "chance": 1 / count,
                    "top1": spread.mean[0],
                    "low": low[0],
                    "high": high[0],
                    "penalty": float(np.median(self.fits.penalty[a])),
                }
                row |= self._difference(a, b, real, drift)
                rows.append(row)
        return pd.DataFrame(rows, columns=[name for name in TRANSFER if name != "model"])

    def categories(self) -> pd.DataFrame:
        """The same by category: :data:`TRANSFER_CATEGORIES` without the model."""
        names = [self.images.categories[number] for number in self.plan.categories]
        rows = []
        for a, train in enumerate(self.fits.names):
            for b, test in enumerate(self.fits.names):
                here = self._tested(b)
                label, taken = self.plan.label[here], self.fits.taken[a, here]
                cells = self._sample(here).moments((taken == label)[:, None]).cells()
                varies = self.fits.cells[a, b].var(axis=0, ddof=1)[:, None]
                extra = varies * self.fits.stretch[a].mean()
                bounds = share_interval(cells, self.level)
                low, high = self._wider(cells.mean, bounds, extra, 0)
                counts = np.zeros((len(names), len(names)), np.int64)
                np.add.at(counts, (label, taken), 1)
                for k, name in enumerate(names):
                    wrong = counts[k].copy()
                    wrong[k] = 0
                    most = int(wrong.argmax())
                    rows.append(
                        {
                            "train": train,
                            "test": test,
                            "per_category": self.size,
                            "category": name,
                            "n_test": int(counts[k].sum()),
                            "top1": cells.mean[k, 0],
                            "low": low[k, 0],
                            "high": high[k, 0],
                            "taken_for": names[most] if wrong[most] else None,
                            "taken_share": wrong[most] / counts[k].sum() if wrong[most] else None,
                        }
                    )
        return pd.DataFrame(rows, columns=[name for name in TRANSFER_CATEGORIES if name != "model"])

    def _real(self) -> int | None:
        """The place of the photographs, if they are trained on."""
        name = self.images.photographs
        return self.fits.names.index(name) if name in self.fits.names else None

    def _measure(self, train: str, test: str) -> str:
        """What a pair of sources is."""
        real = self.images.photographs
        if train == test:
            return "real" if train == real else "within"
        if test == real:
            return "GAN-train"
        return "GAN-test" if train == real else "across"

    def _tested(self, source: int) -> npt.NDArray[np.bool_]:
        here = list(self.plan.sources.values())[source]
        tested: npt.NDArray[np.bool_] = here & (self.plan.label >= 0)
        return tested

    def _sample(self, here: npt.NDArray[np.bool_]) -> Sample:
        return Sample(self.plan.label[here], self.images.unit[here])

    def _hits(self, a: int, here: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        hits: npt.NDArray[np.bool_] = (self.fits.taken[a] == self.plan.label)[here]
        return hits

    def _spread(self, a: int, b: int) -> Spread:
        """Of the mean of heads of source ``a`` on the images of ``b``; arrays (1,)."""
        here = self._tested(b)
        return self._sample(here).moments(self._hits(a, here)[:, None]).mean()

    def _shared(self, a: int, b: int) -> bool:
        """Whether units are trained on as images of ``a`` and tested as images of ``b``."""
        return bool(
            np.intersect1d(
                self.images.unit[self._tested(a)], self.images.unit[self._tested(b)]
            ).size
        )

    def _drift(self, a: int, b: int) -> Floats:
        """How the mean on the images tested moves with the units' weights (resamples,)."""
        here = self._tested(b)
        hits, label = self._hits(a, here).astype(float), self.plan.label[here]
        sizes = np.bincount(label)
        error = (hits - (np.bincount(label, hits) / sizes)[label]) / sizes[label] / len(sizes)
        of_units = np.bincount(self.images.unit[here], error, self.weights.shape[1])
        drift: Floats = self.weights.astype(np.float64) @ of_units
        return drift

    def _training(self, a: int, b: int, drift: Floats) -> Floats:
        """The variance of a mean over the images to train on, and covariances; (1,)."""
        means, stretch = self.fits.means[a, b], self.fits.stretch[a].mean()
        extra = means.var(ddof=1) * stretch
        if self._shared(a, b):
            extra += 2 * _covariance(drift, means) * stretch
        return np.array([max(0.0, extra)])

    def _wider(
        self, value: Floats, bounds: tuple[Floats, Floats], extra: Floats, least: float
    ) -> tuple[Floats, Floats]:
        """Bounds with a further variance: distances are squared and added, as by Newcombe 1998.

        Args:
            value: what the bounds are about.
            bounds: from the images tested.
            extra: the variance from the images trained on.
            least: 0 or -1, which no bound passes; the other end is 1.
        """
        more = ndtri((1 + self.level) / 2) * np.sqrt(extra)
        low = value - np.hypot(value - bounds[0], more)
        high = value + np.hypot(bounds[1] - value, more)
        return np.clip(low, least, 1), np.clip(high, least, 1)

    def _difference(self, a: int, b: int, real: int | None, drift: Floats) -> dict[str, object]:
        """The columns that compare a pair with photographs on photographs."""
        names = ("real_to_real", "difference", "difference_low", "difference_high")
        if real is None:
            return dict.fromkeys(names)
        base = self._spread(real, real)
        if a == b == real:
            return dict(zip(names, (base.mean[0], 0.0, 0.0, 0.0), strict=True))
        means = self.fits.means[a, b] - self.fits.means[real, real]
        stretch = (self.fits.stretch[a].mean() + self.fits.stretch[real].mean()) / 2
        extra = means.var(ddof=1) * stretch
        extra += 2 * _covariance(drift - self._drift(real, real), means) * stretch
        extra = max(0.0, extra)
        if b == real:
            here = self._tested(real)
            ours, theirs = self._hits(a, here), self._hits(real, here)
            sample = self._sample(here)
            columns = np.stack([ours & ~theirs, theirs & ~ours], axis=1)
            signed = ours.astype(np.int64) - theirs.astype(np.int64)
            both = sample.moments(columns).mean()
            plus, minus = (
                Spread(**{name: value[[k]] for name, value in vars(both).items()}) for k in (0, 1)
            )
            spread = sample.moments(signed[:, None]).mean()
            bounds = paired_interval(spread, plus, minus, self.level)
            value = spread.mean
        else:
            mine = self._spread(a, b)
            value = mine.mean - base.mean
            bounds = unpaired_interval(
                mine.mean,
                share_interval(mine, self.level),
                base.mean,
                share_interval(base, self.level),
            )
        low, high = self._wider(value, bounds, np.array([extra]), -1)
        return dict(zip(names, (base.mean[0], value[0], low[0], high[0]), strict=True))


def _covariance(a: Floats, b: Floats) -> float:
    """The covariance over resamples."""
    return float(((a - a.mean()) * (b - b.mean())).sum() / (len(a) - 1))
