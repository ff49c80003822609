"""What networks say is joined so that each image is there once, and written like any logits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.adapted.joining import JoiningError, join_folds
from synthsight.adapted.writing import Paths, WritingError, described_features, write_adapted
from synthsight.classifiers.embed import write_features
from synthsight.images.sources import SCHEMA
from tests.adapted.drawn import some_images
from tests.support import REPOSITORY

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
        **{
            "fold": fold,
            "images": 6,
            "loss": 0.5 + fold,
            "sources": "generated",
            "folds": 2,
            "seed": 0,
            "epochs": 1,
        },
        **{"learning_rate": 0.1, "batch_size": 2, "precision": "fp32"},
        **{"weights_sha256": "abc", "weights_source": "here", "name": "net+finetune"},
        **{"categories": list(IMAGES.categories), "division": "of all", **about},
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
    joined = join_folds(folds, sources(tmp_path), "net+finetune")
    assert joined.said.names.tolist() == names
    assert joined.said.part.tolist() == [1, 0] * 6
    assert (joined.said.logits == logits_of(names)).all()
    assert (joined.said.chosen == ~IMAGES.real).all()
    assert joined.trained["images"] == [6, 7] and joined.trained["losses"] == [0.5, 1.5]

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
        (slice(0, 6), slice(6, 12), {"division": "of other groups"}, "are not of one training"),
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
        join_folds(folds, sources(tmp_path), "net+finetune")


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"name": "other+finetune"}, "is of 'other\\+finetune', and should be of 'net"),
        ({"categories": ["clock", "kite", "zebra"]}, "is about other categories than"),
        ({"categories": ["clock", "kite"]}, "is about other categories than"),
    ],
)
def test_networks_of_another_model_or_of_other_categories_are_refused(
    tmp_path: Path, about: dict[str, Any], message: str
) -> None:
    """The number of categories is the same in the first two, and so are the logits."""
    folds = [
        write_fold(tmp_path / f"{number}.parquet", number, names, **about)
        for number, names in enumerate((IMAGES.names[:6].tolist(), IMAGES.names[6:].tolist()))
    ]
    with pytest.raises(JoiningError, match=message):
        join_folds(folds, sources(tmp_path), "net+finetune")


def features_file(path: Path, **about: Any) -> Path:
    said = {"model": "net", "precision": "fp32", "weights_sha256": "a", "weights_source": "b"}
    table = pa.table({"image": ["x"]})
    told = {"synthsight": json.dumps({**said, **about})}
    pq.write_table(table.replace_schema_metadata(told), path)
    return path


def test_features_of_one_layer_were_all_made_alike(tmp_path: Path) -> None:
    files = [features_file(tmp_path / f"{number}.parquet") for number in range(2)]
    assert described_features(files) == {"weights_sha256": "a", "weights_source": "b"}
    for key, other in (("weights_sha256", "c"), ("precision", "fp16"), ("layers", ["fc"])):
        files[1] = features_file(tmp_path / "1.parquet", **{key: other})
        with pytest.raises(WritingError, match=rf"were not made alike \({key} differs\)"):
            described_features(files)


def test_a_category_without_images_is_named(tmp_path: Path) -> None:
    names = IMAGES.names.tolist()
    fold = write_fold(tmp_path / "0.parquet", 0, names)
    joined = join_folds([fold], sources(tmp_path), "net+finetune")
    settings = {**SETTINGS, **joined.settings, "classes": ["kite", "vase", "clock", "zebra"]}
    paths = Paths(tmp_path / "logits", tmp_path / "p.parquet", tmp_path / "n.json")
    with pytest.raises(WritingError, match="'zebra'"):
        write_adapted(paths, joined.said, settings, joined.weights, joined.trained)


@pytest.mark.long
def test_a_layer_is_fitted_to_features_of_its_own_base_alone(tmp_path: Path) -> None:
    pairs = {"a": pa.array([], pa.string()), "b": pa.array([], pa.string())}
    pq.write_table(pa.table(pairs), tmp_path / "duplicates.parquet")
    values = np.random.default_rng(0).normal(size=(len(IMAGES), 4)).astype(np.float32)
    about = {"model": "other", "weights_sha256": "a", "weights_source": "b"}
    write_features(tmp_path / "features.parquet", IMAGES.names.tolist(), values, about)

    def fit(base: str) -> subprocess.CompletedProcess[str]:
        spec = {**SETTINGS, "base": base, "sources": "all", "folds": 2, "seed": 0}
        inputs = {"features": "features.parquet", "duplicates": "duplicates.parquet"}
        outputs = {"logits": "logits", "parts": "p.parquet", "layers": "l", "note": "n.json"}
        given = [f"--{name}={tmp_path / file}" for name, file in {**inputs, **outputs}.items()]
        given += [f"--sources={sources(tmp_path)}", f"--spec={json.dumps(spec)}"]
        program = REPOSITORY / "workflow" / "scripts" / "fit_linear.py"
        command = [sys.executable, str(program), *given]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    refused = fit("net")
    assert refused.returncode == 1 and "has features of 'other', not of 'net'" in refused.stderr
    assert not (tmp_path / "p.parquet").exists()
    assert fit("other").returncode == 0
