"""Which models do better on generated images than their accuracy on photographs lets expect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import norm

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.columns import LEAST_MODELS, ROBUSTNESS
from synthsight.statistics.robustness import robustness
from tests.support import tabulate

CATEGORIES = ("bagel", "kite", "vase")
SPEC: dict[str, Any] = {"level": 0.9, "resamples": 400, "seed": 0}


def write(
    folder: Path,
    real: npt.NDArray[np.float64],
    generated: npt.NDArray[np.float64],
    n: int = 40,
    photographs: tuple[str, ...] = CATEGORIES,
) -> list[Path]:
    """Scores of models that get these shares of n images of each category and source."""
    folder.mkdir(exist_ok=True)
    paths = []
    for model, shares in enumerate(zip(real, generated, strict=True)):
        rows = [
            {"image": f"{source}/{category}/{number:03}.png", "category": category}
            | {"generator": source, "group": None, "real": source == "photo", "rule": "classes"}
            | {"top1_hit": number < share * n, "top5_hit": True}
            | {"predicted": [0], "probability": [1.0]}
            for source, share in zip(("photo", "dalle"), shares, strict=True)
            for category in (photographs if source == "photo" else CATEGORIES)
            for number in range(n)
        ]
        paths.append(folder / f"{model}.parquet")
        schema = SCHEMA.with_metadata({"model": f"m{model}", "class_names": "[]"})
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), paths[-1])
    return paths


REAL = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
GENERATED = np.array([0.2, 0.25, 0.4, 0.75, 0.55, 0.7])


def test_the_line_is_that_of_least_squares_on_the_probit_scale(tmp_path: Path) -> None:
    found = robustness(write(tmp_path, REAL, GENERATED), **SPEC)
    assert list(found.columns) == list(ROBUSTNESS)
    top1 = found[found["hit"] == "top1"]
    assert top1["model"].tolist() == [f"m{number}" for number in range(6)]
    assert np.allclose(top1["real"], REAL) and np.allclose(top1["generated"], GENERATED)
    n = 40 * len(CATEGORIES)
    x, y = (norm.ppf((n * m + 0.5) / (n + 1)) for m in (REAL, GENERATED))
    slope, intercept = np.polyfit(x, y, 1)
    assert np.allclose(top1["slope"], slope) and np.allclose(top1["intercept"], intercept)
    assert np.allclose(top1["expected"], norm.cdf(intercept + slope * x))
    assert np.allclose(top1["residual"], norm.cdf(y) - norm.cdf(intercept + slope * x))
    assert top1["residual"].idxmax() == top1.index[3]  # the one that is far above the line


def test_all_right_has_a_place_on_the_line(tmp_path: Path) -> None:
    found = robustness(write(tmp_path, REAL, GENERATED), **SPEC)
    top5 = found[found["hit"] == "top5"]
    assert (top5[["real", "generated"]] == 1).to_numpy().all()
    assert np.isfinite(top5[["slope", "intercept", "residual", "low", "high"]]).to_numpy().all()


def test_bounds_hold_the_residual_and_narrow_with_images(tmp_path: Path) -> None:
    widths = []
    for n in (20, 500):
        found = robustness(write(tmp_path / str(n), REAL, GENERATED, n), **SPEC)
        top1 = found[found["hit"] == "top1"]
        assert (top1["low"] <= top1["residual"]).all() and (top1["residual"] <= top1["high"]).all()
        widths.append((top1["high"] - top1["low"]).to_numpy())
    assert (widths[1] < 0.4 * widths[0]).all()


def test_means_are_over_the_categories_that_both_have(tmp_path: Path) -> None:
    paths = write(tmp_path, REAL, GENERATED, photographs=CATEGORIES[:2])
    assert robustness(paths, **SPEC)["categories"].eq(2).all()


@pytest.mark.parametrize(
    ("models", "photographs"), [(LEAST_MODELS - 1, CATEGORIES), (6, ()), (6, ("another",))]
)
def test_without_what_a_line_needs_there_are_no_rows(
    tmp_path: Path, models: int, photographs: tuple[str, ...]
) -> None:
    paths = write(tmp_path, REAL[:models], GENERATED[:models], photographs=photographs)
    found = robustness(paths, **SPEC)
    assert len(found) == 0
    assert found.dtypes.astype(str).to_dict() == ROBUSTNESS


def test_the_program_writes_the_table(tmp_path: Path) -> None:
    scores = write(tmp_path, REAL, GENERATED)
    tabulate("robustness", tmp_path, SPEC, scores=scores).check_returncode()
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "robustness.csv"), robustness(scores, **SPEC)
    )
