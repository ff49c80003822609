"""Places of images on a map, by a model's features: PCA, then t-SNE."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from synthsight.distances.drawing import draw, shrunk
from synthsight.distances.neighbours import nearest_rows
from synthsight.features.samples import Images, Numbers, Vectors
from synthsight.statistics.ranking import stream

Floats = npt.NDArray[np.float64]

#: Dimensions that t-SNE works in.
_DIMENSIONS = 50

#: Images below which principal components are the map: t-SNE moves so few anywhere.
_FEWEST = 5

#: Neighbours on the map that an image lies between which it was not made from.
_BETWEEN = 5

#: The spread that places start with, and the steps they are moved in.
_START = 1e-4
_STEPS = 750


def map_images(
    images: Images, vectors: Vectors, perplexity: float, most: int, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Give each image a place so that images with similar features lie together.

    Features are centred and reduced to their first 50 principal components, of which t-SNE (van der
    Maaten and Hinton 2008; Barnes-Hut, scikit-learn's) makes two dimensions, starting from the
    first two. What is near on the map is alike; distances between clusters, and their sizes, mean
    little. It is computed by one thread, since a sum in another order makes another map.

    Args:
        images: all images.
        vectors: their features, (n, length).
        perplexity: about how many neighbours decide where an image lies; at most a third of the
            images.
        most: how many images the map is made from, at most; others lie between those on it that
            their features are nearest to.
        seed: of what is drawn.

    Returns:
        The columns ``image``, ``x`` and ``y``, float32 from 0 to 1 in the same unit, the longer
        side filled; and what people should know of the map, in sentences.
    """
    sentences = []
    with threadpool_limits(1):
        rows = _laid_out(images, most, stream(seed, "map", "images"))
        found = _components(vectors, rows)
        places = np.empty((len(images), 2))
        if not found.shape[1]:
            sentences.append("all images have the same features, and the map is a single point")
        if len(rows) < _FEWEST or not found.shape[1]:
            places[rows] = np.pad(found[rows], ((0, 0), (0, 2)))[:, :2]
        else:
            highest = (len(rows) - 1) / 3
            if perplexity > highest:
                sentences.append(
                    f"of {len(rows):,} images, {highest:.3g} neighbours decide where each lies on "
                    f"the map, not {perplexity:g}"
                )
            drawn = int(stream(seed, "map", "places").integers(2**31))
            places[rows] = _spread(found[rows], min(perplexity, highest), drawn)
        others = np.setdiff1d(np.arange(len(images)), rows)
        if len(others):
            sentences.append(
                f"the map is made from {len(rows):,} images; the other {len(others):,} lie between "
                f"the {_BETWEEN} of these that are most like each"
            )
            places[others] = _between(found[rows], places[rows], found[others])
    framed = _framed(places)
    frame = {"image": images.names, "x": framed[:, 0], "y": framed[:, 1]}
    return pd.DataFrame(frame), sentences


def _laid_out(images: Images, most: int, rng: np.random.Generator) -> Numbers:
    """The rows that the map is made from: of each category of each generator its share."""
    everything = np.arange(len(images))
    if len(images) <= most:
        return everything
    keys = images.category * (len(images.generators) + 1) + images.generator + 1
    return draw(keys, everything, shrunk(np.bincount(keys), most), rng)


def _components(vectors: Vectors, rows: Numbers) -> Floats:
    """Principal components of some rows, of all rows; (n, 50) or as many as there are.

    Each component's largest entry is positive, so that no map is the mirror image of another.
    """
    centre = vectors[rows].mean(axis=0, dtype=np.float64)
    chosen = vectors[rows] - centre
    few = len(rows) < chosen.shape[1]
    squares, basis = np.linalg.eigh(chosen @ chosen.T if few else chosen.T @ chosen)
    kept = np.flatnonzero(squares > 1e-12 * max(squares[-1], 0))[::-1][:_DIMENSIONS]
    axes = basis[:, kept]
    if few:
        axes = chosen.T @ axes / np.sqrt(squares[kept])
    largest = np.abs(axes).argmax(axis=0) if len(kept) else kept
    axes = axes * np.sign(axes[largest, np.arange(len(kept))])
    found: Floats = (vectors - centre) @ axes
    return found


def _spread(components: Floats, perplexity: float, seed: int) -> Floats:
    """The places that t-SNE finds; (n, 2)."""
    from sklearn.manifold import TSNE

    start = np.pad(components, ((0, 0), (0, 2)))[:, :2]
    start = start * (_START / max(float(start[:, 0].std()), 1e-300))
    model = TSNE(
        perplexity=perplexity,
        init=start.astype(np.float32),
        max_iter=_STEPS,
        random_state=seed,
    )
    places: Floats = model.fit_transform(components.astype(np.float32)).astype(np.float64)
    return places


def _between(components: Floats, places: Floats, others: Floats) -> Floats:
    """Places of other images: those of the nearest, weighted by the inverse of the distance."""
    nearest, squares = nearest_rows(components, others, min(_BETWEEN, len(components)))
    closeness = 1 / np.sqrt(np.maximum(squares, 1e-12 * squares.max(initial=1e-300)))
    weights = closeness / closeness.sum(axis=1, keepdims=True)
    found: Floats = (weights[..., None] * places[nearest]).sum(axis=1)
    return found


def _framed(places: Floats) -> npt.NDArray[np.float32]:
    """Places from 0 to 1, with the shorter side in the middle; in the middle if all are one."""
    low, high = places.min(axis=0), places.max(axis=0)
    size = float((high - low).max())
    framed = (places - (low + high) / 2) / size + 0.5 if size > 0 else np.full(places.shape, 0.5)
    found: npt.NDArray[np.float32] = np.clip(framed, 0, 1).astype(np.float32)
    return found
