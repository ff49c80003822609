"""What is right in what a model says of images: with logits, or with ranked classes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthsight.labels.matching import find_rule

#: Predictions kept and scored: the paper's top 5.
TOP = 5


def top_k(
    logits: npt.NDArray[np.float32], k: int = TOP
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The k best classes, best first, with their softmax probabilities.

    Ties go to the class with the lower index, so that the order is well defined.

    Args:
        logits: (n, classes).
        k: how many; all classes if there are fewer.

    Returns:
        Indices int32 (n, k) and probabilities float32 (n, k).
    """
    k = min(k, logits.shape[1])
    if k < logits.shape[1]:
        candidates = np.argpartition(-logits, k - 1, axis=1)[:, :k]
        threshold = np.take_along_axis(logits, candidates, axis=1).min(axis=1)
        tied = (logits >= threshold[:, None]).sum(axis=1) > k
        candidates[tied] = np.argsort(-logits[tied], axis=1, kind="stable")[:, :k]
    else:
        candidates = np.tile(np.arange(k), (len(logits), 1))
    candidates.sort(axis=1)
    values = np.take_along_axis(logits, candidates, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(candidates, order, axis=1)
    probabilities = np.take_along_axis(softmax(logits), best, axis=1)
    return best.astype(np.int32), probabilities.astype(np.float32)


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probabilities, (n, classes), in double precision."""
    exponents: npt.NDArray[np.float64] = np.exp(
        logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    )
    exponents /= exponents.sum(axis=1, keepdims=True)
    return exponents


@dataclass(frozen=True)
class Choice:
    """The choice among the run's categories that rules such as ``restricted`` ask for.

    Attributes:
        accepted: bool (categories, classes), the classes of each category; one may have none.
        aggregation: ``max`` or ``mean``, how a category's probability follows from those of its
            classes: with ``max`` the choice is the arg max over the union of all classes; with
            ``mean`` (as in model-vs-human, Geirhos et al. 2021) a category gains nothing by having
            many classes.
    """

    accepted: npt.NDArray[np.bool_]
    aggregation: str

    def rank(
        self, logits: npt.NDArray[np.float32], k: int = TOP, own: int | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The k best categories of each image, best first; fewer if fewer have classes.

        Args:
            logits: (n, classes).
            k: how many.
            own: the images' category, which comes first among those that tie by the same class:
                that class is right for each of them, and names must not decide.

        Returns:
            Categories int64 (n, k), the best class of each int32 (n, k), and the categories'
            probabilities float32 (n, k), aggregated over their classes. Logits decide, not
            probabilities, most of which are zero if logits are far apart. Ties go to the category
            whose best class has the lower index, as ties between classes do.
        """
        probabilities = softmax(logits)
        open_to_choice = np.flatnonzero(self.accepted.any(axis=1))
        values = np.empty((len(logits), len(open_to_choice)))
        strengths = np.empty(values.shape)
        best = np.empty(values.shape, np.int32)
        for column, category in enumerate(open_to_choice):
            classes = np.flatnonzero(self.accepted[category])
            of_category = logits[:, classes].astype(np.float64)
            best[:, column] = classes[of_category.argmax(axis=1)]
            strengths[:, column] = (
                of_category.max(axis=1)
                if self.aggregation == "max"
                else np.logaddexp.reduce(of_category, axis=1) - np.log(len(classes))
            )
            values[:, column] = getattr(probabilities[:, classes], self.aggregation)(axis=1)
        others = np.broadcast_to(open_to_choice != own, values.shape)
        order = np.lexsort((others, best, -strengths), axis=1)[:, :k]
        return (
            open_to_choice[order],
            np.take_along_axis(best, order, axis=1),
            np.take_along_axis(values, order, axis=1).astype(np.float32),
        )


class Judged(NamedTuple):
    """What a rule makes of a part of a model's images, as columns of scores.

    Attributes:
        top1: hits with the best class; null where they are not known.
        top5: hits with one of five; likewise.
        predicted: up to five classes of each image.
        probability: likewise; null where the source states none.
    """

    top1: pa.Array
    top5: pa.Array
    predicted: pa.Array
    probability: pa.Array


class Answers(Protocol):
    """What a model says of some images."""

    def judge(self, rule: str, accepted: npt.NDArray[np.bool_], own: int) -> Judged:
        """What a rule makes of it.

        Args:
            rule: its name.
            accepted: bool (categories, classes), the classes of each category under the rule.
            own: the category of the images.
        """


@dataclass(frozen=True)
class Logits:
    """Logits (images, classes), or logarithms of probabilities.

    A class with minus infinity, as that of a probability of 0, was not predicted: it is no hit,
    and the list of predictions ends before it.

    Attributes:
        values: the logits; anything where there are none.
        there: bool (images,), whether there are any: an image without is missed.
        aggregation: see :class:`Choice`.
    """

    values: npt.NDArray[np.float32]
    there: npt.NDArray[np.bool_]
    aggregation: str

    def judge(self, rule: str, accepted: npt.NDArray[np.bool_], own: int) -> Judged:
        """See :class:`Answers`."""
        if find_rule(rule).choice:
            chosen, best, probabilities = Choice(accepted, self.aggregation).rank(
                self.values, own=own
            )
            hits = chosen == own
        else:
            best, probabilities = top_k(self.values)
            hits = accepted[own][best]
        predicted = self.there[:, None] & ~np.isneginf(
            np.take_along_axis(self.values, best.astype(np.int64), axis=1)
        )
        hits = hits & predicted
        return Judged(
            pa.array(hits[:, :1].any(axis=1)),
            pa.array(hits.any(axis=1)),
            pa.array(_lists(best, predicted), pa.list_(pa.int32())),
            pa.array(_lists(probabilities, predicted), pa.list_(pa.float32())),
        )


def _lists(values: npt.NDArray[Any], kept: npt.NDArray[np.bool_]) -> list[npt.NDArray[Any]]:
    """Of each row the first values, as many as are kept, which come before all others."""
    return [row[:length] for row, length in zip(values, kept.sum(axis=1), strict=True)]


class Known(NamedTuple):
    """Which kinds of hit follow from ranked classes, for all images of a model or for none."""

    top1: bool
    top5: bool


@dataclass(frozen=True)
class Ranks:
    """Ranked classes, best first, of which there may be fewer than five.

    Attributes:
        predicted: the classes of each image; none where it has no prediction, which is a miss.
        probability: likewise; None where the source states none.
        known: by rule, which hits follow from the ranks of all images.
        aggregation: see :class:`Choice`.
    """

    predicted: Sequence[Sequence[int]]
    probability: Sequence[Sequence[float | None]]
    known: Mapping[str, Known]
    aggregation: str

    def judge(self, rule: str, accepted: npt.NDArray[np.bool_], own: int) -> Judged:
        """See :class:`Answers`."""
        if find_rule(rule).choice:
            chosen = [
                choose(*each, accepted, self.aggregation, own)
                for each in zip(self.predicted, self.probability, strict=True)
            ]
            if not decided_by_best(accepted, self.aggregation):
                # Probabilities decide, and what has none was not predicted.
                chosen = [[about for about in each if about[2] != 0] for each in chosen]
            hits = [[category == own for category, _, _ in each] for each in chosen]
            best = [[cls for _, cls, _ in each] for each in chosen]
            probability = [[value for _, _, value in each] for each in chosen]
        else:
            best = [list(each[:TOP]) for each in self.predicted]
            probability = [list(each[:TOP]) for each in self.probability]
            hits = [[bool(accepted[own][cls]) for cls in each] for each in best]
        known = self.known[rule]
        if not known.top1:
            best = probability = [None] * len(hits)  # type: ignore[assignment, list-item]
        return Judged(
            pa.array([any(each[:1]) if known.top1 else None for each in hits], pa.bool_()),
            pa.array([any(each) if known.top5 else None for each in hits], pa.bool_()),
            pa.array(best, pa.list_(pa.int32())),
            pa.array(probability, pa.list_(pa.float32())),
        )


def choose(
    predicted: Sequence[int],
    probability: Sequence[float | None],
    accepted: npt.NDArray[np.bool_],
    aggregation: str,
    own: int | None = None,
) -> list[tuple[int, int, float | None]]:
    """The five best categories that ranked classes tell, as :meth:`Choice.rank` orders them.

    All classes that are not among the ranked ones come behind them. So the first category of one
    of these is what the choice is, if a category's best class decides; where several classes do
    (``mean``), all that any category accepts must be ranked, with probabilities.

    Args:
        predicted: the classes, best first.
        probability: theirs; None where it is not stated.
        accepted: bool (categories, classes).
        aggregation: ``max`` or ``mean``.
        own: see :meth:`Choice.rank`.

    Returns:
        The category, its best class and its probability, if that is known; as many as are decided.
        Where probabilities decide, one of 0 is no prediction.
    """
    if not decided_by_best(accepted, aggregation):
        union = np.flatnonzero(accepted.any(axis=0))
        stated = dict(zip(predicted, probability, strict=True))
        values = [stated.get(int(cls)) for cls in union]
        if any(value is None for value in values):
            return []
        with np.errstate(divide="ignore"):
            logits = np.log(np.array(values, np.float64))[None, :]
        if np.isneginf(logits).all():
            open_to_choice = np.flatnonzero(accepted.any(axis=1))[:TOP]
            return [(int(each), int(accepted[each].argmax()), 0.0) for each in open_to_choice]
        ranked = Choice(accepted[:, union], aggregation).rank(logits, own=own)
        total = float(sum(value for value in values if value is not None))
        return [
            (int(category), int(union[cls]), float(value) * total)
            for category, cls, value in zip(*(each[0] for each in ranked), strict=True)
        ]
    found: dict[int, tuple[int, float | None]] = {}
    for cls, value in zip(predicted, probability, strict=True):
        categories = np.flatnonzero(accepted[:, cls])
        for category in sorted(categories.tolist(), key=lambda each: (each != own, each)):
            found.setdefault(category, (cls, value))
        if len(found) >= TOP:
            break
    return [(category, *about) for category, about in found.items()][:TOP]


def decided_by_best(accepted: npt.NDArray[np.bool_], aggregation: str) -> bool:
    """Whether the best class of each category decides a choice among them."""
    return aggregation == "max" or bool((accepted.sum(axis=1) <= 1).all())
