"""Files as programs and people write them: each is recognised, and all say the same."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthsight.labels.spaces import LabelSpace
from tests.predictions.support import IMAGES, LABELS, Imports

#: Of each image the three best classes, with probabilities that float32 holds exactly.
GUESSES = {
    IMAGES[0]: [(4, 0.5), (0, 0.25), (6, 0.125)],
    IMAGES[1]: [(0, 0.75), (4, 0.125), (2, 0.0625)],
    IMAGES[2]: [(1, 0.5), (2, 0.5), (3, 0.0)],
    IMAGES[3]: [(5, 0.25), (6, 0.25), (0, 0.125)],
}
FIRST = {image: guesses[:1] for image, guesses in GUESSES.items()}

INDEX = [np.array([cls for cls, _ in each]) for each in GUESSES.values()]
#: As timm calls classes: WordNet's names in one text, twice the same for the two cranes.
NAMES = [np.array([", ".join(LABELS.lemmas[cls]) for cls in each], dtype=object) for each in INDEX]
PROBABILITY = [np.array([p for _, p in each], np.float32) for each in GUESSES.values()]


def timm_results(k: int, separate: bool, index: bool = True) -> pd.DataFrame:
    """The frame that timm's inference.py writes, its columns as its options have them."""
    data: dict[str, Any] = {"filename": list(GUESSES)}
    parts: list[tuple[str, Any]] = [("index", INDEX)] if index else []
    for name, lists in [*parts, ("label", NAMES), ("prob", PROBABILITY)]:
        cut = [each[:k] for each in lists]
        if separate and k > 1:
            data |= {f"{name}_{i}": [each[i] for each in cut] for i in range(k)}
        else:
            data[name] = [each[0] for each in cut] if k == 1 else cut
    return pd.DataFrame(data)


def timm_saved(frame: pd.DataFrame, path: Path) -> Path:
    """Written as timm's ``save_results`` does."""
    with np.printoptions(threshold=sys.maxsize):
        if path.suffix == ".parquet":
            frame.set_index("filename").to_parquet(path)
        elif path.name == "split.json":
            frame.to_json(path, indent=4, orient="split", index=False)
        elif path.suffix == ".json":
            frame.set_index("filename").to_json(path, indent=4, orient="index")
        elif path.suffix == ".jsonl":
            frame.to_json(path, lines=True, orient="records")
        else:
            frame.to_csv(path, index=False)
    return path


@pytest.fixture(name="imports")
def imports_(tmp_path: Path) -> Imports:
    return Imports(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.json", "split.json", "a.jsonl"])
@pytest.mark.parametrize(("k", "separate"), [(3, False), (3, True), (1, False)])
def test_timm_s_inference_script(imports: Imports, name: str, k: int, separate: bool) -> None:
    path = timm_saved(timm_results(k, separate), imports.folder / name)
    assert imports.read(path) == (FIRST if k == 1 else GUESSES)
    assert imports.note["predictions"]["ranks"] == k


def test_timm_s_names_alone_leave_open_which_crane_is_meant(imports: Imports) -> None:
    path = timm_saved(timm_results(3, False, index=False), imports.folder / "a.csv")
    with pytest.raises(Exception, match=r"line 2: 'crane' is the name of class 4 .* and class 3"):
        imports.read(path)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_timm_s_results_of_all_classes_are_logits(imports: Imports, suffix: str) -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(len(LABELS)), len(IMAGES))
    frame = pd.DataFrame({"filename": IMAGES, "prob": list(shares.astype(np.float32))})
    found = imports.read(timm_saved(frame, imports.folder / f"a.{suffix}"))
    for image, expected in zip(IMAGES, shares, strict=True):
        np.testing.assert_allclose(np.exp(found[image]), expected, rtol=1e-5)
    assert imports.note["predictions"]["kind"] == "logits"


def test_logits_in_numbered_columns_and_in_lists_are_taken_as_they_are(imports: Imports) -> None:
    values = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    expected = dict(zip(IMAGES, values.tolist(), strict=True))
    columns = {f"logit_{number}": values[:, number] for number in range(7)}
    path = imports.folder / "a.csv"
    pd.DataFrame({"image": IMAGES, **columns}).to_csv(path, index=False)
    assert imports.read(path) == expected
    pd.DataFrame({"image": IMAGES, "logits": list(values)}).to_parquet(
        path := path.with_name("p.parquet")
    )
    assert imports.read(path) == expected


def test_pipelines_of_transformers(imports: Imports) -> None:
    unique = {3: "crane bird", 4: "n00000004"}
    said = {
        image: [{"label": unique.get(cls, LABELS.simple[cls]), "score": p} for cls, p in each]
        for image, each in GUESSES.items()
    }
    listed = [{"image": image, "predictions": each} for image, each in said.items()]
    assert imports.text(json.dumps(listed), "list.json") == GUESSES
    assert imports.text(json.dumps(said), "by_image.json") == GUESSES
    lines = "\n".join(map(json.dumps, listed))
    assert imports.text(lines, "lines.jsonl") == GUESSES
    flat = [{"image": image, **guess} for image, each in said.items() for guess in each]
    # Two of the third image are equally probable: the class with the lower index comes first.
    assert imports.text(json.dumps(flat), "flat.json") == GUESSES


def test_imagenet_x_s_columns(imports: Imports) -> None:
    lines = [f"{image},{each[0][0]},{each[0][1]}" for image, each in GUESSES.items()]
    text = "\n".join(["file_name,predicted_class,predicted_probability", *lines])
    assert imports.text(text) == FIRST


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_row_for_each_guess_in_any_order(imports: Imports, first: int, separator: str) -> None:
    lines = [
        separator.join([image, LABELS.synsets[cls], str(rank + first)])  # type: ignore[index]
        for image, each in GUESSES.items()
        for rank, (cls, _) in enumerate(each)
    ]
    shuffled = [lines[number] for number in np.random.default_rng(1).permutation(len(lines))]
    text = "\r\n".join([separator.join(["Image", "synset", "RANK"]), *shuffled, ""])
    found = imports.text("\ufeff" + text)
    assert {image: [cls for cls, _ in each] for image, each in found.items()} == {
        image: [cls for cls, _ in each] for image, each in GUESSES.items()
    }
    assert all(p is None for each in found.values() for _, p in each)


def test_other_columns_are_named_in_the_configuration(imports: Imports) -> None:
    lines = "\n".join(f"{image},truth,{each[0][0]}" for image, each in GUESSES.items())
    text = f"picture,label,answer\n{lines}\n"
    columns = {"image": "picture", "label": "answer"}
    found = imports.text(text, columns=columns)
    assert {image: each[0][0] for image, each in found.items()} == {
        image: each[0][0] for image, each in GUESSES.items()
    }
    with pytest.raises(Exception, match=r"no column 'anwer', as columns.label says; did you mean"):
        imports.text(text, columns={**columns, "label": "anwer"})


def test_quotes_and_line_breaks_in_cells_are_read_as_written(imports: Imports) -> None:
    text = 'image,label\n"dream/kite/1.png","wood\nrabbit"\n'
    text += "".join(f"{image},kite\n" for image in IMAGES[1:])
    assert imports.text(text)[IMAGES[0]] == [(1, None)]


def test_json_has_the_columns_of_all_its_rows(imports: Imports) -> None:
    guess = [{"label": "kite", "score": 0.5}]
    by_image: dict[str, Any] = dict(zip(IMAGES, ["hare", guess, [], ["vase", "hare"]], strict=True))
    expected = [[(2, None)], [(0, 0.5)], [], [(5, None), (2, None)]]
    for order in (IMAGES, IMAGES[::-1], (IMAGES[2], *IMAGES[:2], IMAGES[3])):
        text = json.dumps({image: by_image[image] for image in order})
        found = imports.text(text, "p.json", missing="wrong")
        assert found == dict(zip(IMAGES, expected, strict=True))
    listed: list[dict[str, Any]] = [{"image": image, "label": "kite"} for image in IMAGES]
    for each in listed[1:]:
        each["probability"] = 0.5
    lines = "\n".join(map(json.dumps, listed))
    for text, name in ((lines, "p.jsonl"), (lines, "lines.json"), (json.dumps(listed), "p.json")):
        found = imports.text(text, name)
        assert found == {image: [(0, None if image == IMAGES[0] else 0.5)] for image in IMAGES}


@pytest.mark.long
def test_a_header_longer_than_a_cell_may_be_is_read(imports: Imports) -> None:
    """That of ImageNet-22k's logits is, where it is taken for one name."""
    classes = 12_000
    labels = LabelSpace(
        "many", tuple(f"c{n}" for n in range(classes)), tuple((f"c{n}",) for n in range(classes))
    )
    header = ",".join(["image", *(f"logit_{number}" for number in range(classes))])
    assert len(header) > csv.field_size_limit()
    cells = ",".join(str(number % 5) for number in range(classes))
    found = imports.text("\n".join([header, *(f"{i},{cells}" for i in IMAGES)]), labels=labels)
    assert found[IMAGES[3]] == [number % 5 for number in range(classes)]
