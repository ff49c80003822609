"""What models gain by being trained on the run's images, tested on others of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from synthsight.statistics.moments import Floats, Moments, Sample, Spread
from synthsight.tables import ALL, Outputs, metadata_of, read_parquet, read_schema

#: The rule under which models of any classes choose among the run's categories.
RESTRICTED = next(name for name, rule in RULES.items() if rule.choice)

#: Of how many as many images the bounds are, where images are tested and trained on in turns:
#: ``benchmarks/adaptation.py`` measures that bounds of all would be too narrow, whatever the number
#: of parts.
SHARE = 0.8

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
    unnamed: Mapping[str, Collection[str]] | None = None,
) -> pd.DataFrame:
    """Compare each adapted model with what it was made from, image by image.

    Both are asked for the best of the run's categories (the rule ``restricted``), since an adapted
    model knows no other classes. Each image is predicted by a network that saw none of its unit.

    The gain's interval is paired and about other images for the networks that were trained, wider
    than that of :func:`synthsight.statistics.compare.compare` where images of the source were
    trained on (see :class:`Paired`). That other training images make other networks is not in it
    but for that. ``sd`` shows something of that: the
    standard deviation, over the parts of the images, of the gain of the network of that part, in
    which the chance of the part's own images is as well.

    Args:
        scores: Parquet files of all models, about the same images.
        parts: one file for each adapted model, ``image``, ``part`` and ``chosen``.
        level: confidence level, such as 0.95.
        unnamed: the categories of which a model that is adapted has no class, by its name. It
            cannot choose them, so it gets none of their images before, and all that is got after
            is gained.

    Returns:
        The columns :data:`ADAPTATION`, for each adapted model and source (each generator, ``*`` for
        all generated images, the photographs): a row for each category, and ``*`` for the mean over
        categories. ``trained`` says how many of the images are of generators that were trained on:
        ``all``, ``some`` or ``none``. ``named`` is the number of categories of which the base has a
        class, and ``named_gain`` with its bounds the gain over these alone. Of an encoder, which
        names no classes, nothing is known from before.

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
            lacking = (unnamed or {}).get(str(base), ())
            found += list(_of_source(hits, divided, source, rows, level, lacking))
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
    hits: Hits,
    divided: _Parts,
    source: str,
    rows: _Chosen,
    level: float,
    unnamed: Collection[str],
) -> Iterator[dict[str, Any]]:
    """The rows of a model and a source: its categories, and the mean over them."""
    images = hits.images[rows].reset_index(drop=True)
    after = hits.top1[rows, 0]
    known = hits.top1.shape[1] > 1
    before = hits.top1[rows, 1] if known else np.zeros_like(after)
    chosen = divided.chosen[rows]
    both = Paired(sample_of(images), after, before, bool(chosen.any()))
    cells, mean = both.cells(level), both.mean(level)
    of_named = ~images["category"].isin(unnamed).to_numpy(bool)
    named = both.part(of_named).mean(level) if known and of_named.any() else None
    part = divided.part[rows]
    common = {
        **{key: divided.about[key] for key in ("model", "base", "method", "folds")},
        "generator": source,
        "trained": TRAINED[0 if chosen.all() else 1 if chosen.any() else 2],
    }
    categories = sorted(images["category"].unique())
    lines = [*((name, row, cells) for row, name in enumerate(categories)), (ALL, 0, mean)]
    for name, row, bounds in lines:
        here = np.ones(len(images), bool) if name == ALL else images["category"] == name
        found: dict[str, Any] = {
            **common,
            "category": name,
            "n": int(np.sum(here)),
            **{key: bounds[key][row] for key in ("after", "after_low", "after_high")},
        }
        if known:
            of_line = categories if name == ALL else [name]
            found |= {
                **{key: bounds[key][row] for key in ("before", "gain", "low", "high")},
                "only_after": int((after & ~before)[here].sum()),
                "only_before": int((~after & before)[here].sum()),
                "sd": _between(images[here], (after[here], before[here]), part[here]),
                "named": sum(each not in unnamed for each in of_line),
            }
            if found["named"]:
                over = named if name == ALL else bounds
                assert over is not None
                found |= {f"named_{key}": over[key][row] for key in ("gain", "low", "high")}
        yield found


@dataclass(frozen=True)
class Paired:
    """Which images an adapted model gets, and what it was made from.

    Attributes:
        sample: the images.
        after: whether the adapted model gets each, bool (n,).
        before: whether what it was made from does, likewise.
        trained: whether others of them were trained on. Each image is then both tested and, for the
            networks of other parts, trained on, so that what networks get varies by more than
            images that were drawn for the test alone: bounds are those of :data:`SHARE` as many
            images.
    """

    sample: Sample
    after: _Chosen
    before: _Chosen
    trained: bool

    def part(self, chosen: _Chosen) -> Paired:
        """The chosen images."""
        groups = None if self.sample.groups is None else self.sample.groups[chosen]
        sample = Sample(self.sample.strata[chosen], groups)
        return Paired(sample, self.after[chosen], self.before[chosen], self.trained)

    def cells(self, level: float) -> dict[str, Floats]:
        """``before``, ``after``, ``gain`` and bounds of each category, an array each."""
        return self._bounds(level, Moments.cells)

    def mean(self, level: float) -> dict[str, Floats]:
        """The same of the mean over categories, arrays of one number."""
        return self._bounds(level, Moments.mean)

    def _bounds(self, level: float, of: Callable[[Moments], Spread]) -> dict[str, Floats]:
        after, before, share = self.after, self.before, SHARE if self.trained else 1
        columns = np.column_stack([after, before, after & ~before, ~after & before])
        each = of(self.sample.moments(columns)).of_fewer(share)
        gain = of(self.sample.moments((after.astype(np.int8) - before)[:, None])).of_fewer(share)
        means = np.atleast_2d(each.mean)
        after_low, after_high = map(np.atleast_2d, share_interval(each, level))
        low, high = paired_interval(gain, _column(each, 2), _column(each, 3), level)
        return {
            "after": means[:, 0],
            "before": means[:, 1],
            "after_low": after_low[:, 0],
            "after_high": after_high[:, 0],
            "gain": means[:, 0] - means[:, 1],
            "low": np.ravel(low),
            "high": np.ravel(high),
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


def tabulate(
    outputs: Outputs,
    scores: Sequence[str],
    parts: Sequence[str],
    level: float,
    unnamed: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Write the table ``adaptation``: see :func:`adaptation`."""
    outputs.write("adaptation", adaptation(scores, parts, level, unnamed))
