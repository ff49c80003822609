"""What networks say is joined so that each image is there once, and written like any logits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.adapted.joining import JoiningError, join_folds
from synthsight.adapted.writing import Paths, WritingError, write_adapted
from synthsight.images.sources import SCHEMA
from tests.adapted.drawn import some_images

IMAGES = some_images(per=2, real=True)
SETTINGS = {
    **{"model": "net+finetune", "base": "net", "encoder": False, "method": "finetune"},
    **{"label_space": "labels.json", "classes": ["kite", "vase", "clock"]},
}


def sources(folder: Path) -> Path:
    """The sources of all images, out of order."""
    rows = [
        {
            "image": name,
            "category": IMAGES.categories[shows],
            "generator": name[0],
            "group": name,
            "real": name[0] == "m",
        }
        for name, shows in zip(IMAGES.names, IMAGES.category, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows[::-1], schema=SCHEMA), folder / "sources.parquet")
    return folder / "sources.parquet"


def logits_of(images: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits that tell which image they are of."""
    place = {name: row for row, name in enumerate(IMAGES.names)}
    return np.array([[place[name], -1, 0.5] for name in images], np.float32)


def write_fold(path: Path, fold: int, predicted: list[str], **about: Any) -> Path:
    said = {
        **{"fold": fold, "images": 6, "sources": "generated", "folds": 2, "seed": 0, "epochs": 1},
        **{"learning_rate": 0.1, "batch_size": 2, "precision": "fp32"},
        **{"weights_sha256": "abc", "weights_source": "here", **about},
    }
    values = pa.FixedSizeListArray.from_arrays(pa.array(logits_of(predicted).reshape(-1)), 3)
    table = pa.table({"image": pa.array(predicted, pa.string()), "logits": values})
    pq.write_table(table.replace_schema_metadata({"synthsight": json.dumps(said)}), path)
    return path


def test_each_image_has_what_the_network_said_that_did_not_see_it(tmp_path: Path) -> None:
    names = IMAGES.names.tolist()
    folds = [
        write_fold(tmp_path / "0.parquet", 0, names[1::2]),
        write_fold(tmp_path / "1.parquet", 1, names[::2][::-1], images=7),
    ]
    joined = join_folds(folds, sources(tmp_path))
    assert joined.said.names.tolist() == names
    assert joined.said.part.tolist() == [1, 0] * 6
    assert (joined.said.logits == logits_of(names)).all()
    assert (joined.said.chosen == ~IMAGES.real).all()
    assert joined.trained["images"] == [6, 7]

    paths = Paths(tmp_path / "logits", tmp_path / "parts.parquet", tmp_path / "note.json")
    settings = {**SETTINGS, **joined.settings}
    write_adapted(paths, joined.said, settings, joined.weights, joined.trained)
    table = pq.read_table(tmp_path / "logits" / "kite.parquet")
    kites = [name for name in names if "/kite/" in name]
    assert table["image"].to_pylist() == kites
    assert table.schema.field("logits").type == pa.list_(pa.float32(), 3)
    # The categories' order is clock, kite, vase; that of the classes kite, vase, clock.
    assert np.array(table["logits"].to_pylist()) == pytest.approx(logits_of(kites)[:, [1, 2, 0]])
    about = json.loads(table.schema.metadata[b"synthsight"])
    assert (about["model"], about["label_space"]) == ("net+finetune", "labels.json")
    note = json.loads((tmp_path / "note.json").read_text())
    assert note["source"] == "net, trained as a whole on the generated images"
    assert note["adapted"]["images"] == [6, 7] and note["reference"] is None
    parts = pq.read_table(tmp_path / "parts.parquet").to_pydict()
    assert parts["part"] == [1, 0] * 6 and parts["chosen"] == (~IMAGES.real).tolist()


@pytest.mark.parametrize(
    ("first", "second", "about", "message"),
    [
        (slice(0, 6), slice(5, 12), {}, "has an image that is predicted twice"),
        (slice(0, 5), slice(6, 12), {}, "no network predicts"),
        (slice(0, 6), slice(6, 12), {"seed": 1}, "are not of one training"),
        (slice(0, 6), slice(6, 12), {"weights_sha256": "b"}, "are not of one training"),
        (slice(0, 6), slice(6, 12), {"fold": 0}, "in this order"),
    ],
)
def test_parts_that_do_not_make_a_whole_are_refused(
    tmp_path: Path, first: slice, second: slice, about: dict[str, Any], message: str
) -> None:
    names = IMAGES.names.tolist()
    folds = [
        write_fold(tmp_path / "0.parquet", 0, names[first]),
        write_fold(tmp_path / "1.parquet", about.pop("fold", 1), names[second], **about),
    ]
    with pytest.raises(JoiningError, match=message):
        join_folds(folds, sources(tmp_path))


def test_a_category_without_images_is_named(tmp_path: Path) -> None:
    names = IMAGES.names.tolist()
    joined = join_folds([write_fold(tmp_path / "0.parquet", 0, names)], sources(tmp_path))
    settings = {**SETTINGS, **joined.settings, "classes": ["kite", "vase", "clock", "zebra"]}
    paths = Paths(tmp_path / "logits", tmp_path / "p.parquet", tmp_path / "n.json")
    with pytest.raises(WritingError, match="'zebra'"):
        write_adapted(paths, joined.said, settings, joined.weights, joined.trained)
