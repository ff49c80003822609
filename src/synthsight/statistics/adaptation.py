"""What models gain by being trained on the run's images, tested on others of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.errors import SynthsightError
from synthsight.labels.matching import RULES
from synthsight.statistics.columns import ADAPTATION, TRAINED
from synthsight.statistics.hits import Hits, read_hits, sample_of, sources
from synthsight.statistics.intervals import paired_interval, share_interval
from synthsight.tables import ALL, Outputs, metadata_of, read_parquet, read_schema

#: The rule under which models of any classes choose among the run's categories.
RESTRICTED = next(name for name, rule in RULES.items() if rule.choice)

_Chosen = npt.NDArray[np.bool_]


class AdaptationError(SynthsightError):
    """Scores or parts that do not belong together."""


@dataclass(frozen=True)
class _Parts:
    """By which network an adapted model predicts each image, and what it is.

    Attributes:
        about: what the file says of the model.
        part: the number of the network, int64 (n,), in the order of the scores.
        chosen: whether the image is of a generator that was trained on, bool (n,), likewise.
    """

    about: Mapping[str, Any]
    part: npt.NDArray[np.int64]
    chosen: _Chosen


def adaptation(
    scores: Sequence[str | os.PathLike[str]],
    parts: Sequence[str | os.PathLike[str]],
    level: float,
) -> pd.DataFrame:
    """Compare each adapted model with what it was made from, image by image.

    Both are asked for the best of the run's categories (the rule ``restricted``), since an adapted
    model knows no other classes. Each image is predicted by a network that saw none of its unit.

    The gain's interval is paired and about other images for the networks that were trained: that
    other training images make other networks is not in it. ``sd`` shows something of that: the
    standard deviation, over the parts of the images, of the gain of the network of that part, in
    which the chance of the part's own images is as well.

    Args:
        scores: Parquet files of all models, about the same images.
        parts: one file for each adapted model, ``image``, ``part`` and ``chosen``.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`ADAPTATION`, for each adapted model and source (each generator, ``*`` for
        all generated images, the photographs): a row for each category, and ``*`` for the mean over
        categories. ``trained`` says how many of the images are of generators that were trained on:
        ``all``, ``some`` or ``none``. Of an encoder, which names no classes, nothing is known from
        before.

    Raises:
        AdaptationError: there are no scores of a model, or parts are not about their images.
    """
    files = {metadata_of(read_schema(path), "model", path): path for path in scores}
    found = []
    for path in parts:
        about = json.loads(metadata_of(read_schema(path), "synthsight", path))
        model, base = str(about["model"]), None if about["encoder"] else str(about["base"])
        names = [name for name in (model, base) if name is not None]
        if missing := [name for name in names if name not in files]:
            raise AdaptationError(f"{path} is about {missing[0]!r}, of which there are no scores")
        hits = read_hits([files[name] for name in names], RESTRICTED)
        if hits.models_of("top1") != tuple(names):
            raise AdaptationError(f"top-1 hits of {' or '.join(names)} are not known")
        divided = _read(path, about, hits)
        for source, rows in _sources(hits.images):
            found += list(_of_source(hits, divided, source, rows, level))
    table = pd.DataFrame(found, columns=list(ADAPTATION)).astype(ADAPTATION)
    return table.sort_values(["model", "generator", "category"], ignore_index=True)


def _read(path: str | os.PathLike[str], about: Mapping[str, Any], hits: Hits) -> _Parts:
    """The parts of the images that were scored."""
    table = read_parquet(path, ["image", "part", "chosen"]).to_pandas().set_index("image")
    images = hits.images["image"]
    if len(table) != len(images) or not table.index.isin(images).all():
        raise AdaptationError(f"{path} is not about the images that were scored")
    table = table.loc[images]
    return _Parts(about, table["part"].to_numpy(np.int64), table["chosen"].to_numpy(bool))


def _sources(images: pd.DataFrame) -> Iterator[tuple[str, _Chosen]]:
    """Each generator, all generated images and the photographs: names, and which images (n,)."""
    yield from sources(images)
    real = images["real"].to_numpy(bool)
    made_by = images["generator"]
    for name in sorted(made_by[~real].dropna().unique()):
        yield str(name), (made_by == name).to_numpy(bool) & ~real


def _of_source(
    hits: Hits, divided: _Parts, source: str, rows: _Chosen, level: float
) -> Iterator[dict[str, Any]]:
    """The rows of a model and a source: its categories, and the mean over them."""
    images = hits.images[rows].reset_index(drop=True)
    after = hits.top1[rows, 0]
    known = hits.top1.shape[1] > 1
    before = hits.top1[rows, 1] if known else np.zeros_like(after)
    chosen = divided.chosen[rows]
    sample = sample_of(images)
    columns = np.column_stack([after, before, after & ~before, ~after & before])
    moments = sample.moments(columns)
    gains = sample.moments((after.astype(np.int8) - before)[:, None])
    categories = sorted(images["category"].unique())
    part = divided.part[rows]
    common = {
        **{key: divided.about[key] for key in ("model", "base", "method", "folds")},
        "generator": source,
        "trained": TRAINED[0 if chosen.all() else 1 if chosen.any() else 2],
    }
    cells, mean = (moments.cells(), gains.cells()), (moments.mean(), gains.mean())
    for names, (spread, of_gain) in ((categories, cells), ([ALL], mean)):
        means = np.atleast_2d(spread.mean)
        low, high = map(np.atleast_2d, share_interval(spread, level))
        bounds = paired_interval(of_gain, _column(spread, 2), _column(spread, 3), level)
        gain_low, gain_high = (np.ravel(bound) for bound in bounds)
        for row, name in enumerate(names):
            here = np.ones(len(images), bool) if name == ALL else images["category"] == name
            yield {
                **common,
                "category": name,
                "n": int(np.sum(here)),
                "before": means[row, 1] if known else np.nan,
                "after": means[row, 0],
                "after_low": low[row, 0],
                "after_high": high[row, 0],
                "gain": means[row, 0] - means[row, 1] if known else np.nan,
                "low": gain_low[row] if known else np.nan,
                "high": gain_high[row] if known else np.nan,
                "only_after": int(columns[here, 2].sum()) if known else pd.NA,
                "only_before": int(columns[here, 3].sum()) if known else pd.NA,
                "sd": _between(images[here], (after[here], before[here]), part[here])
                if known
                else np.nan,
            }


def _column(spread: Any, number: int) -> Any:
    """A column of a spread, as a spread of one column."""
    parts = {name: np.atleast_1d(value[..., number]) for name, value in vars(spread).items()}
    shaped = {name: value[:, None] for name, value in parts.items()}
    return type(spread)(**(shaped if spread.mean.ndim == 2 else parts))


def _between(
    images: pd.DataFrame, hits: tuple[_Chosen, _Chosen], part: npt.NDArray[np.int64]
) -> float:
    """The standard deviation of the networks' gains, each a mean over the categories it has."""
    gain = pd.Series(hits[0].astype(float) - hits[1])
    keys = [pd.Series(part), images["category"].reset_index(drop=True)]
    networks = gain.groupby(keys).mean().groupby(level=0).mean()
    return float(networks.std(ddof=1)) if len(networks) > 1 else float("nan")


def tabulate(outputs: Outputs, scores: Sequence[str], parts: Sequence[str], level: float) -> None:
    """Write the table ``adaptation``: see :func:`adaptation`."""
    outputs.write("adaptation", adaptation(scores, parts, level))
