"""A new last layer on a model's features: logistic regression, its penalty from inner folds."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from synthsight.adapted.dividing import Chosen, Division, balance, some_of
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers, Vectors

Floats = npt.NDArray[np.float64]

#: What the penalty is chosen from: scikit-learn's ``C``, the strongest first.
PENALTIES = tuple(float(10.0**power) for power in (-4, -3, -2, -1, 0, 1, 2))

#: Parts that the images trained on are divided into to choose it.
INNER = 3

#: Steps of the optimiser at most; on standardised features a few hundred are enough.
_STEPS = 500


@dataclass(frozen=True)
class Layer:
    """A linear layer, for features as they are.

    Attributes:
        weight: float32 (categories, length).
        bias: float32 (categories,).
        penalty: the ``C`` that it was fitted with, on standardised features.
    """

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    penalty: float

    def logits(self, vectors: Vectors) -> npt.NDArray[np.float32]:
        """Logits of the categories, float32 (n, categories)."""
        found: npt.NDArray[np.float32] = vectors @ self.weight.T + self.bias
        return found


def fit_folds(
    division: Division, vectors: Vectors, folds: int, seed: int, threads: int = 1
) -> list[Layer]:
    """Fit a layer without each part of the images.

    Args:
        division: of the images.
        vectors: their features, float32 (n, length).
        folds: the number of parts.
        seed: of the inner parts.
        threads: layers that are fitted at a time. Results do not depend on it.
    """

    def fit(fold: int) -> Layer:
        rows = division.trained_on(fold)
        return fit_layer(some_of(division.images, rows), vectors[rows], seed)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(fit, range(folds)))


def fit_layer(images: Images, vectors: Vectors, seed: int) -> Layer:
    """Fit a layer to images, each category counting alike.

    The penalty is the one with the least loss on inner parts, each predicted by a layer that is
    fitted to the others; of two with the same the stronger. No unit is in two parts. Where the
    others have no image of a category, those of the part say nothing of the penalty.

    Args:
        images: what is trained on, with an image of every category at least.
        vectors: their features, float32 (n, length).
        seed: of the inner parts.
    """
    classes = len(images.categories)
    inner = folds_of(images, INNER, seed)
    losses = np.zeros(len(PENALTIES))
    weights = balance(images.category)
    for part in range(INNER):
        fitted = inner != part
        there = np.unique(images.category[fitted])
        out = ~fitted & np.isin(images.category, there)
        if not out.any() or len(there) < 2:
            continue
        path = _path(images.category[fitted], vectors[fitted], classes, PENALTIES)
        for place, found in enumerate(path):
            losses[place] += _loss(found.logits(vectors[out]), images.category[out], weights[out])
    chosen = int(np.argmin(np.round(losses, 9)))
    *_, last = _path(images.category, vectors, classes, PENALTIES[: chosen + 1])
    return last


def _path(
    category: Numbers, vectors: Vectors, classes: int, penalties: Sequence[float]
) -> Iterator[Layer]:
    """Layers with weaker and weaker penalties, each fitted from where the last one ended."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    centre = vectors.mean(axis=0, dtype=np.float64)
    spread = vectors.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 1e-12 * (1 + np.abs(centre)), spread, np.inf)  # constant ones: 0
    standard = (vectors - centre) / scale
    model = LogisticRegression(class_weight="balanced", max_iter=_STEPS, warm_start=True, tol=1e-4)
    for penalty in penalties:
        model.set_params(C=penalty)
        with warnings.catch_warnings():
            # A path that ends early is a weaker change of the penalty, and inner parts judge it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(standard, category)
        weight, bias = model.coef_, model.intercept_
        if len(model.classes_) == 2:
            weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        full = np.zeros((classes, vectors.shape[1]))
        offset = np.full(classes, bias.min() - 1e3)  # a category that is missing in an inner part
        full[model.classes_], offset[model.classes_] = weight / scale, bias
        yield Layer(
            full.astype(np.float32), (offset - full @ centre).astype(np.float32), float(penalty)
        )


def _loss(logits: npt.NDArray[np.float32], category: Numbers, weights: Floats) -> float:
    """The weighted sum of the negative logarithms of the right categories' probabilities."""
    wide = logits.astype(np.float64)
    right = wide[np.arange(len(wide)), category]
    return float((weights * (logsumexp(wide, axis=1) - right)).sum())


def predict_folds(
    layers: list[Layer], division: Division, vectors: Vectors
) -> npt.NDArray[np.float32]:
    """The logits of each image by the layer that was fitted without it, float32 (n, categories)."""
    logits = np.empty((len(vectors), len(division.images.categories)), np.float32)
    for fold, layer in enumerate(layers):
        rows: Chosen = division.part == fold
        logits[rows] = layer.logits(vectors[rows])
    return logits
