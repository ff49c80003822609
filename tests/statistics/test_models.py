"""What is known of models besides what they get right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from synthsight.report.sizes import have_sizes, short, sizes
from synthsight.statistics.columns import MODELS
from synthsight.statistics.models import models, tabulate
from synthsight.tables import Outputs, read_frame

NETWORK = {
    "name": "net",
    "architecture": {"library": "timm", "name": "resnet50"},
    "parameters": 25_557_032,
    "source": "timm/resnet50",
    "license": "apache-2.0",
    "sha256": "a",
    "safetensors_sha256": "b",
}
ADAPTED = {"name": "net+linear", "adapted": {"base": "net"}, "source": "net", "sha256": "c"}
IMPORTED = {"name": "csv", "library": "predictions", "source": "p.csv", "license": None}
ASKED = {"name": "ofa", "family": "ofa", "parameters": 182, "source": "o", "license": "MIT"}
TYPED = {"name": "said", "family": "chat", "answers": {}, "source": "a.csv", "license": None}


def written(folder: Path, *notes: dict[str, Any]) -> list[str]:
    paths = [folder / f"{note['name']}.json" for note in notes]
    for path, note in zip(paths, notes, strict=True):
        path.write_text(json.dumps(note), encoding="utf-8")
    return list(map(str, paths))


def test_each_model_has_a_row_with_what_its_note_says(tmp_path: Path) -> None:
    notes = written(tmp_path, IMPORTED, ADAPTED, NETWORK)
    table = models(notes, written(tmp_path, TYPED, ASKED), {"net": [224, 192]})
    assert list(table) == list(MODELS)
    assert table["model"].tolist() == ["csv", "net", "net+linear", "ofa", "said"]
    assert table["task"].tolist() == ["classify"] * 3 + ["answer"] * 2
    assert table["library"].tolist() == ["predictions", "timm", "adapted", "ofa", "answers"]
    net = table.set_index("model").loc["net"]
    assert (net["parameters"], net["input_height"], net["input_width"]) == (25_557_032, 224, 192)
    assert (net["architecture"], net["license"], net["sha256"]) == ("resnet50", "apache-2.0", "b")
    adapted = table.set_index("model").loc["net+linear"]
    assert (adapted["architecture"], adapted["input_width"], adapted["sha256"]) == ("net", 192, "c")
    assert table["parameters"].isna().tolist() == [True, False, True, False, True]


def test_whole_numbers_stay_whole_in_files(tmp_path: Path) -> None:
    outputs = Outputs([tmp_path / "models.csv", tmp_path / "models.parquet"])
    tabulate(outputs, written(tmp_path, NETWORK, IMPORTED), [], {})
    assert ",25557032,,," in (tmp_path / "models.csv").read_text(encoding="utf-8")
    table = read_frame(tmp_path / "models.parquet", MODELS)
    assert table["parameters"].tolist() == [pd.NA, 25_557_032]


def test_the_page_says_sizes_in_words(tmp_path: Path) -> None:
    table = models(written(tmp_path, NETWORK, IMPORTED), [], {"net": [224, 192]})
    said = sizes({"models": table})
    assert said["net"] == {"parameters": "25.6 million parameters", "input": "192 x 224 pixels"}
    assert said["csv"] == {"parameters": "not known", "input": ""}
    assert not have_sizes({"models": table}), "one size is no chart"
    assert sizes({}) == {} and not have_sizes({})
    numbers = [999, 1000, 999_499, 1_234_567, 12_345_678, 123_456_789, 7_000_000_000]
    assert list(map(short, numbers)) == [
        *("999", "1.00 thousand", "999 thousand", "1.23 million", "12.3 million"),
        *("123 million", "7.00 billion"),
    ]
