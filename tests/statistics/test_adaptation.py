"""The table of what models gain by training, against other ways to the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.adaptation import AdaptationError, adaptation
from synthsight.statistics.columns import ADAPTATION
from synthsight.statistics.compare import compare
from tests.support import tabulate

Column = npt.NDArray[np.bool_]

PER = 20
CATEGORY = np.repeat(["clock", "kite"], 3 * PER)
MAKER = np.tile(np.repeat(["dream", "muse", "photo"], PER), 2)
NAMES = [f"{m}/{c}/{i:03d}" for i, (m, c) in enumerate(zip(MAKER, CATEGORY, strict=True))]
PART = np.arange(len(NAMES)) % 4
ABOUT = {"model": "net+linear", "base": "net", "encoder": False, "method": "linear", "folds": 4}


def scores(folder: Path, model: str, hits: Column, **without: Any) -> Path:
    rows = [
        {
            **{"image": name, "category": str(c), "generator": str(m), "group": name},
            **{"real": m == "photo", "rule": rule, "top1_hit": bool(hit) == (rule == "restricted")},
            **{"top5_hit": True, "predicted": [0], "probability": [1.0], **without},
        }
        for rule in ("restricted", "words/simple")
        for name, c, m, hit in zip(NAMES, CATEGORY, MAKER, hits, strict=True)
    ]
    schema = SCHEMA.with_metadata({"model": model, "class_names": "[]"})
    path = folder / f"{model}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def parts(folder: Path, chosen: Column | None = None, **about: Any) -> Path:
    """Parts out of order; trained on all of one generator, unless something else is said."""
    rows = np.random.default_rng(0).permutation(len(NAMES))
    chosen = MAKER == "dream" if chosen is None else chosen
    table = pa.table({"image": np.array(NAMES)[rows], "part": PART[rows], "chosen": chosen[rows]})
    told = json.dumps({**ABOUT, **about})
    path = folder / f"{ {**ABOUT, **about}['model'] }-parts.parquet"
    pq.write_table(table.replace_schema_metadata({"synthsight": told}), path)
    return path


@pytest.fixture(name="hits")
def hits_() -> tuple[Column, Column]:
    rng = np.random.default_rng(1)
    before = rng.random(len(NAMES)) < 0.5
    return before, before | (rng.random(len(NAMES)) < 0.4)


def test_gains_are_those_of_the_comparison_of_both_models(
    tmp_path: Path, hits: tuple[Column, Column]
) -> None:
    files = [scores(tmp_path, "net", hits[0]), scores(tmp_path, "net+linear", hits[1])]
    files.append(scores(tmp_path, "other", ~hits[0]))
    table = adaptation(files, [parts(tmp_path)], 0.9)
    assert list(table.columns) == list(ADAPTATION)
    assert table["category"].unique().tolist() == ["*", "clock", "kite"]
    assert table["generator"].unique().tolist() == ["*", "dream", "muse", "photo"]
    compared, _ = compare(files[:2], 0.9, 20, 0)
    for source in ("*", "photo"):
        (row,) = table[(table["generator"] == source) & (table["category"] == "*")].to_dict(
            "records"
        )
        (other,) = compared[
            (compared["generator"] == source)
            & (compared["kind"] == "model")
            & (compared["hit"] == "top1")
            & (compared["rule"] == "restricted")
        ].to_dict("records")
        assert row["before"] == pytest.approx(other["a_mean"])
        assert row["gain"] == pytest.approx(-other["difference"])
        bounds = (row["low"], row["high"]), (-other["high"], -other["low"])
        if source == "photo":  # none of them was trained on
            assert bounds[0] == pytest.approx(bounds[1])
        else:  # of four fifths as many
            widths = [high - low for low, high in bounds]
            assert widths[0] / widths[1] == pytest.approx(1.25**0.5, rel=0.03)
            assert bounds[0][0] < bounds[1][0] and bounds[1][1] < bounds[0][1]
        assert (row["only_after"], row["only_before"]) == (other["only_b"], other["only_a"])


def test_the_deviation_is_that_of_the_networks_gains(
    tmp_path: Path, hits: tuple[Column, Column]
) -> None:
    files = [scores(tmp_path, "net", hits[0]), scores(tmp_path, "net+linear", hits[1])]
    table = adaptation(files, [parts(tmp_path)], 0.95).set_index(["generator", "category"])
    frame = pd.DataFrame({"c": CATEGORY, "m": MAKER, "part": PART})
    frame["gain"] = hits[1].astype(int) - hits[0]
    of = frame[frame["m"] == "muse"]
    by = [
        np.mean([part[part["c"] == each]["gain"].mean() for each in ("clock", "kite")])
        for _, part in of.groupby("part")
    ]
    assert table.loc[("muse", "*"), "sd"] == pytest.approx(np.std(by, ddof=1))
    kites = of[of["c"] == "kite"].groupby("part")["gain"].mean()
    assert table.loc[("muse", "kite"), "sd"] == pytest.approx(kites.std(ddof=1))
    assert table.loc[("muse", "kite"), "gain"] == pytest.approx(
        of[of["c"] == "kite"]["gain"].mean()
    )
    assert table.loc[("muse", "kite"), "n"] == PER


def test_a_category_that_the_base_has_no_class_of_is_no_part_of_the_gain_over_those_it_names(
    tmp_path: Path, hits: tuple[Column, Column]
) -> None:
    before = hits[0] & (CATEGORY == "clock")  # it cannot choose kites
    files = [scores(tmp_path, "net", before), scores(tmp_path, "net+linear", hits[1])]
    keys = ["generator", "category"]
    told = [parts(tmp_path)]
    all_named = adaptation(files, told, 0.95).set_index(keys)
    table = adaptation(files, told, 0.95, {"net": ["kite"]}).set_index(keys)
    over = ["named_gain", "named_low", "named_high"]
    plain = ["gain", "low", "high"]
    for source in ("*", "dream", "photo"):
        assert table.loc[source, "named"].to_dict() == {"*": 1, "clock": 1, "kite": 0}
        clock = table.loc[(source, "clock"), plain].tolist()
        assert table.loc[(source, "*"), over].tolist() == pytest.approx(clock)
        assert table.loc[(source, "clock"), over].tolist() == clock
        assert table.loc[(source, "kite"), over].isna().all()
        assert table.loc[(source, "*"), "gain"] > table.loc[(source, "*"), "named_gain"]
        assert all_named.loc[(source, "*"), "named"] == 2
        means = all_named.loc[(source, "*"), over].tolist()
        assert means == all_named.loc[(source, "*"), plain].tolist()
    pd.testing.assert_frame_equal(table.iloc[:, :-4], all_named.iloc[:, :-4])
    nothing = adaptation(files, told, 0.95, {"net": ["kite", "clock"]})
    assert (nothing["named"] == 0).all() and nothing[over].isna().all(axis=None)


def test_it_is_said_which_images_are_like_those_trained_on(
    tmp_path: Path, hits: tuple[Column, Column]
) -> None:
    files = [scores(tmp_path, "net", hits[0]), scores(tmp_path, "net+linear", hits[1])]
    table = adaptation(files, [parts(tmp_path)], 0.95)
    told = table[table["category"] == "*"].set_index("generator")["trained"].to_dict()
    assert told == {"*": "some", "dream": "all", "muse": "none", "photo": "none"}


def test_of_an_encoder_nothing_is_known_from_before(
    tmp_path: Path, hits: tuple[Column, Column]
) -> None:
    files = [scores(tmp_path, "sees+linear", hits[1])]
    about = parts(tmp_path, model="sees+linear", base="sees", encoder=True)
    table = adaptation(files, [about], 0.95)
    unknown = ["before", "gain", "low", "high", "only_after", "only_before", "sd"]
    unknown += ["named", "named_gain", "named_low", "named_high"]
    assert table[unknown].isna().all(axis=None)
    assert table["after"].notna().all() and (table["after_low"] < table["after"]).all()


def test_what_does_not_belong_together_is_refused(
    tmp_path: Path, hits: tuple[Column, Column]
) -> None:
    files = [scores(tmp_path, "net", hits[0])]
    with pytest.raises(AdaptationError, match="no scores"):
        adaptation(files, [parts(tmp_path)], 0.95)
    files.append(scores(tmp_path, "net+linear", hits[1]))
    less = pq.read_table(parts(tmp_path))
    pq.write_table(less.slice(1), tmp_path / "less.parquet")
    with pytest.raises(AdaptationError, match="not about the images that were scored"):
        adaptation(files, [tmp_path / "less.parquet"], 0.95)


@pytest.mark.slow
def test_the_program_writes_the_table(tmp_path: Path, hits: tuple[Column, Column]) -> None:
    files = [scores(tmp_path, "net", hits[0]), scores(tmp_path, "net+linear", hits[1])]
    done = tabulate("adaptation", tmp_path, {"level": 0.95}, scores=files, parts=[parts(tmp_path)])
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "adaptation.csv")
    assert len(table) == 4 * 3 and list(table.columns) == list(ADAPTATION)
