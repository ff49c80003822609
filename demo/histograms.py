"""A classifier that is no network and no part of synthsight: its predictions come as a file.

It knows a picture by how its colours and the directions of its edges are distributed over a grid of
cells, and gives it the class with the nearest mean, in the metric of the covariance within classes
(linear discriminant analysis, Fisher 1936). It is trained on the ``photo`` style, as the other
classifiers are, and on nothing else. Its file is what many have from elsewhere: one label an image,
and a probability. Numpy and Pillow are all that it needs.
"""

from __future__ import annotations

import csv
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from demo.world import CLASSES, class_image

TRAIN_PER_CLASS = 20
HELD_OUT_PER_CLASS = 10
SIDE = 64
CELLS = 4
DIRECTIONS = 9
LEVELS = 3  # of each colour channel
SHRINKAGE = 0.1  # of the covariance towards a multiple of the identity

Features = npt.NDArray[np.float64]


def features(image: Image.Image) -> Features:
    """What the classifier knows of a picture: square roots of histograms over cells, (n,)."""
    pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), np.float64) / 255
    grey = pixels.mean(2)
    down, across = np.gradient(grey)
    strength = np.hypot(across, down)
    angle = np.arctan2(down, across) % np.pi  # dark on light and light on dark are alike
    direction = np.minimum((angle / np.pi * DIRECTIONS).astype(int), DIRECTIONS - 1)
    level = np.minimum((pixels * LEVELS).astype(int), LEVELS - 1)
    colour = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    rows, columns = np.indices(grey.shape) * CELLS // SIDE
    cell = rows * CELLS + columns
    edges = _histograms(cell, direction, strength, CELLS**2, DIRECTIONS)
    coarse = (rows // 2) * (CELLS // 2) + columns // 2
    colours = _histograms(coarse, colour, np.ones_like(grey), (CELLS // 2) ** 2, LEVELS**3)
    return np.sqrt(np.concatenate([edges, colours]))


def _histograms(
    cell: npt.NDArray[np.int64],
    value: npt.NDArray[np.int64],
    weight: Features,
    cells: int,
    values: int,
) -> Features:
    """How values are distributed in each cell, as shares of the whole picture's weight."""
    counts = np.bincount((cell * values + value).ravel(), weight.ravel(), cells * values)
    shares: Features = counts / max(counts.sum(), 1e-9)
    return shares


@dataclass(frozen=True)
class Classifier:
    """Linear discriminants.

    Attributes:
        weight: (features, classes).
        offset: (classes,).
    """

    weight: Features
    offset: Features

    def probabilities(self, seen: Features) -> Features:
        """Of pictures' features (n, features), what each class has: (n, classes)."""
        scores = seen @ self.weight + self.offset
        powers = np.exp(scores - scores.max(1, keepdims=True))
        shares: Features = powers / powers.sum(1, keepdims=True)
        return shares


def fit(seen: Features, classes: npt.NDArray[np.int64]) -> Classifier:
    """Learn from pictures' features (n, features) and the indices of their classes (n,)."""
    means = np.stack([seen[classes == number].mean(0) for number in range(len(CLASSES))])
    within = seen - means[classes]
    covariance = within.T @ within / (len(seen) - len(means))
    size = np.trace(covariance) / len(covariance)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * size * np.eye(len(covariance))
    weight = np.linalg.solve(covariance, means.T)
    return Classifier(weight, -0.5 * (means.T * weight).sum(0))


def draw_one(task: tuple[str, str, str, int]) -> Features:
    """The features of one picture."""
    return features(class_image(*task))


def draw_split(
    style: str, split: str, per_class: int, workers: int
) -> tuple[Features, npt.NDArray[np.int64]]:
    """Features of the pictures of a split, (n, features), and the indices of their classes (n,)."""
    tasks = [(style, split, label, number) for label in CLASSES for number in range(per_class)]
    if workers == 1:
        drawn = [draw_one(task) for task in tasks]
    else:
        with multiprocessing.Pool(workers) as pool:
            drawn = pool.map(draw_one, tasks, chunksize=20)
    return np.stack(drawn), np.repeat(np.arange(len(CLASSES)), per_class)


def trained(workers: int) -> Classifier:
    """The demo's classifier."""
    return fit(*draw_split("photo", "train", TRAIN_PER_CLASS, workers))


def predict(classifier: Classifier, root: Path) -> list[tuple[str, str, str]]:
    """A row for each image below a folder: its path, the class's first name, the probability."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    seen = []
    for file in files:
        with Image.open(file) as image:
            seen.append(features(image))
    probabilities = classifier.probabilities(np.stack(seen))
    names = [label.split(",")[0] for label in CLASSES]
    return [
        (file.relative_to(root).as_posix(), names[best], f"{row[best]:.3f}")
        for file, row, best in zip(files, probabilities, probabilities.argmax(1), strict=True)
    ]


def accuracy(classifier: Classifier, style: str, workers: int) -> float:
    """Top-1 accuracy on held-out pictures of a style, a fraction."""
    seen, classes = draw_split(style, "held-out", HELD_OUT_PER_CLASS, workers)
    return float((classifier.probabilities(seen).argmax(1) == classes).mean())


def write(path: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write predictions as a table with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("image", "label", "probability"))
        writer.writerows(rows)


def make(path: Path, root: Path, workers: int) -> None:
    """Train, predict the images below a folder and write the file; print the held-out accuracy."""
    classifier = trained(workers)
    write(path, predict(classifier, root))
    for style in ("photo", "poster", "crayon"):
        print(f"demo_histograms: {style}, top-1 {accuracy(classifier, style, workers):.1%}")
