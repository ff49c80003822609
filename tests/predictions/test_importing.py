"""Joining predictions with the run's images: exactly and counted; doubts are errors."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthsight.errors import SynthsightError
from synthsight.labels.spaces import LabelSpace
from synthsight.predictions.stored import (
    read_about,
    read_category,
    without_prediction,
)
from tests.predictions.support import IMAGES, LABELS, Imports, rows


@pytest.fixture(name="imports")
def imports_(tmp_path: Path) -> Imports:
    return Imports(tmp_path)


ALL = "".join(f"{image},kite\n" for image in IMAGES)


# Which image is meant ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "./dream/kite/1.png",
        "dream\\kite\\1.png",
        "/data/sets/dream/kite/1.png",
        "C:\\sets\\dream\\kite\\1.png",
        "Dream/Kite/1.PNG",
    ],
)
def test_a_path_that_can_mean_one_image_alone_is_taken_for_it(
    imports: Imports, written: str
) -> None:
    found = imports.text("image,label\n" + ALL.replace(IMAGES[0], written))
    assert found[IMAGES[0]] == [(0, None)]
    assert imports.note["predictions"]["renamed"] == 1


def test_a_file_s_name_is_enough_where_no_other_image_has_it(imports: Imports) -> None:
    text = ALL.replace(IMAGES[3], unicodedata.normalize("NFD", "ä.png"))
    assert IMAGES[3] in imports.text("image,label\n" + text)
    text = ALL.replace(IMAGES[0], "1.png")  # dream's kite, or muse's
    with pytest.raises(SynthsightError, match=r"1 of the run's 4 images .*kite/1.png.* several"):
        imports.text("image,label\n" + text)


def test_images_that_the_run_does_not_have_are_counted_and_named(imports: Imports) -> None:
    others = "".join(f"elsewhere/{number}.png,no class at all\n" for number in range(12))
    imports.text("image,label\n" + others + ALL + "muse/kite/broken.png,kite\n")
    about = imports.note["predictions"]
    assert about["unknown"] == {
        "count": 12,
        "first": [f"elsewhere/{number}.png" for number in range(10)],
    }
    assert about["unusable"] == 1 and about["missing"]["count"] == 0
    assert any(line.startswith("12 images in it are none of the run's") for line in imports.said)


def test_a_file_about_other_images_is_refused_with_names_of_both(imports: Imports) -> None:
    with pytest.raises(
        SynthsightError,
        match=r"no row has a prediction for one of the run's 4 images. It names "
        r"'dream/kite/3.png'; close: dream/kite/[12].png; the run has 'dream/kite/1.png'",
    ):
        imports.text("image,label\ndream/kite/3.png,kite\n")


# Images without a prediction ----------------------------------------------------------------------


def test_missing_predictions_are_refused_with_a_list_unless_said_otherwise(
    imports: Imports,
) -> None:
    text = f"image,label\n{IMAGES[1]},kite\n{IMAGES[2]},\n"  # an empty label is none
    with pytest.raises(
        SynthsightError,
        match=r"3 of the run's 4 images have no prediction of model: dream/kite/1.png, "
        r"muse/kite/1.png, muse/vase/ä.png. Add them, or write `missing: wrong`",
    ):
        imports.text(text)
    assert imports.text(text, missing="wrong") == {
        image: [(0, None)] if image == IMAGES[1] else [] for image in IMAGES
    }
    assert imports.note["predictions"]["missing"]["count"] == 3
    assert imports.note["predictions"]["ranks"] == 1
    assert imports.text(text, missing="exclude") == {IMAGES[1]: [(0, None)]}
    path = imports.folder / "imported"
    assert without_prediction(imports.manifests, path) == (
        "model",
        [image for image in IMAGES if image != IMAGES[1]],
    )


def test_logits_that_are_missing_are_null(imports: Imports) -> None:
    values = [np.arange(7, dtype=np.float32) + number for number in range(2)]
    path = imports.folder / "p.parquet"
    pd.DataFrame({"image": [IMAGES[3], IMAGES[0]], "logits": values}).to_parquet(path)
    found = imports.read(path, missing="wrong")
    assert found[IMAGES[1]] is None and found[IMAGES[2]] is None
    assert found[IMAGES[3]] == values[0].tolist() and found[IMAGES[0]] == values[1].tolist()


def test_the_rows_of_a_category_are_read_by_themselves(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("stored", "importing"):
        monkeypatch.setattr(f"synthsight.predictions.{module}.ROWS", 2)
    imports.text("image,label\n" + ALL)
    path = imports.folder / "imported"
    assert read_about(path).rows == {"kite": 3, "vase": 1}
    parts = [part["image"].to_pylist() for part in read_category(path, "kite")]
    assert parts == [[IMAGES[0], IMAGES[1]], [IMAGES[2]]]
    assert [part["image"].to_pylist() for part in read_category(path, "vase")] == [[IMAGES[3]]]
    assert list(read_category(path, "sofa")) == []


# What contradicts itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["image,label,rank", "I,kite,1", "I,vase,1"],
            "line 3: 'I' has two rows of rank 1.*line 2",
        ),
        (["image,label,rank", "I,kite,1", "I,vase,3"], "line 3: 'I' has a row of rank 3, and none"),
        (["image,label,rank", "I,kite,2"], "ranks begin with"),
        (["image,label,rank", "I,kite,first"], "line 2: the rank 'first' is not a whole number"),
        (["image,label,rank", "I,kite,1", "I,kite,2"], "the class 'kite' twice \\(line 2, 3\\)"),
        (["image,label", "I,kite", "I,vase"], "several rows, and neither a rank nor a probability"),
        (["image,label,prob", "I,kite,0.5", "I,vase,"], "several rows, and neither a rank"),
        (
            ["image,label,prob", "I,kite,87"],
            "line 2: the probability 87 is not in 0..1: write 0.87",
        ),
        (["image,label,prob", "I,kite,-0.1"], "the probability -0.1 is not in 0..1"),
        (["image,label,prob", "I,kite,much"], "line 2: the probability 'much' is not a number"),
        (["image,index", "I,-1"], "line 2: there is no class -1"),
        (["image,index", "I,1.5"], "line 2: the index '1.5' is not a whole number"),
        (["image,index,label", "I,4,vase"], "'vase' stands beside the index 4, and is class 5"),
        (["image,label", "I,crane"], "line 2: 'crane' is the name of class 4"),
        (["image,label", ",kite"], "line 2: it does not say which image it is about"),
        (["image,label", "I,\"['kite', '', 'vase']\""], "the guess of rank 2 is empty"),
        (["image,label,prob", 'I,"[1, 2]","[0.5]"'], "lists of different lengths"),
        (["image,label,prob", 'I,"[1, 2]","[0.1 0.5]"'], "has 0.5 at rank 2, more than 0.1 at the"),
        (["image,label,rank,prob", "I,1,1,.2", "I,2,2,.5"], "line 3: 'I' has 0.5 at rank 2, more"),
        (["image,index_0,index_2", "I,1,2"], "of the columns of its index.* number 1 is missing"),
        (["image,index_2,index_3", "I,1,2"], "begin with 'index_2', and the first is missing"),
        (["image,label,prediction", "I,1,2"], "columns 'label' and 'prediction' may both be its"),
        (["image,probability", "I,0.5"], "row 2: probability of one class alone, and no label"),
        (["picture,label", "I,kite"], "no column says which image a row is about"),
        (["image,answers", "I,kite"], "no column says which class was predicted.*columns: .label"),
        (["I,kite"], "no column says which image"),
        (["image,logits", 'I,"[1 2 3]"'], "row 2: 3 numbers, but its labels name 7 classes"),
        (["image,logits", 'I,"[1 2 3 4 5 6 nan]"'], "row 2: NaN or infinite numbers"),
        (["image,prob", 'I,"[1 1 0 0 0 0 0]"'], "row 2: probabilities .* do not sum to 1"),
    ],
)
def test_doubts_are_errors_with_file_and_line(
    imports: Imports, lines: list[str], said: str
) -> None:
    text = "\n".join(lines).replace("I,", f"{IMAGES[0]},") + "\n"
    with pytest.raises(SynthsightError, match=said.replace("'I'", f"'{IMAGES[0]}'")) as caught:
        imports.text(text, missing="wrong")
    assert str(caught.value).startswith(str(imports.folder / "p.csv"))
    assert "\n" not in str(caught.value)


def test_an_image_with_two_rows_of_lists_is_refused(imports: Imports) -> None:
    text = rows(["image,label,prob", f'{IMAGES[0]},"[1, 2]",', f'{IMAGES[0]},"[3]",'])
    with pytest.raises(
        SynthsightError, match=r"line 3: 'dream/kite/1.png' has another row, line 2"
    ):
        imports.text(text)
    values = [np.zeros(7, np.float32)] * 2
    path = imports.folder / "p.parquet"
    pd.DataFrame({"image": [IMAGES[0]] * 2, "logits": values}).to_parquet(path)
    with pytest.raises(SynthsightError, match=r"row 2: 'dream/kite/1.png' has another row, 1"):
        imports.read(path, missing="wrong")


def test_an_image_may_have_fewer_guesses_than_others_and_all_that_is_known_is_the_least(
    imports: Imports,
) -> None:
    lines = [f"{IMAGES[0]},kite,1", f"{IMAGES[0]},vase,2", f"{IMAGES[0]},,3"]
    lines += [f"{image},hare,1" for image in IMAGES[1:]]
    found = imports.text("\n".join(["image,label,rank", *lines]))
    assert found[IMAGES[0]] == [(0, None), (5, None)]
    assert imports.note["predictions"]["ranks"] == 1


def test_of_equal_probabilities_the_class_with_the_lower_index_comes_first(
    imports: Imports,
) -> None:
    lines = ["image,index,prob", *(f"{IMAGES[0]},{cls},0.25" for cls in (5, 2, 6))]
    found = imports.text("\n".join(lines), missing="wrong")
    assert [cls for cls, _ in found[IMAGES[0]]] == [2, 5, 6]


@pytest.mark.parametrize(
    "content", [b"", b"\0\1\2", b"PK\x03\x04", b"[", b"{", b"[1]", b"{}", b"[]"]
)
@pytest.mark.parametrize("name", ["p.csv", "p.json", "p.jsonl", "p.parquet", "p.txt"])
def test_what_is_no_such_file_ends_in_one_line(imports: Imports, name: str, content: bytes) -> None:
    with pytest.raises(SynthsightError) as caught:
        imports.read(imports.file(name, content))
    assert "\n" not in str(caught.value).strip()


CELLS = st.one_of(
    st.sampled_from([*IMAGES, *LABELS.simple, "0", "1", "6", "7", "-1", "0.5", "", "nan", "[1 2]"]),
    st.text(max_size=6),
)


@pytest.mark.long
@settings(
    max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    header=st.lists(
        st.sampled_from(["image", "label", "index", "rank", "prob", "logits", "other", "label_0"]),
        max_size=4,
        unique=True,
    ),
    cells=st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=4),
    as_json=st.booleans(),
)
def test_any_table_is_read_or_refused_in_one_line(
    imports: Imports, header: list[str], cells: list[list[str]], as_json: bool
) -> None:
    if as_json:
        listed: list[Any] = [dict(zip(header, row, strict=False)) for row in cells]
        path = imports.file("p.json", json.dumps(listed))
    else:
        frame = pd.DataFrame([row[: len(header)] for row in cells], columns=header)
        frame.to_csv(path := imports.folder / "p.csv", index=False)
    try:
        found = imports.read(path, missing="wrong")
    except SynthsightError as error:
        assert re.fullmatch(r"[^\n]+", str(error).strip()), error
    else:
        assert set(found) == set(IMAGES)


def test_the_same_rows_in_another_order_are_the_same_file(imports: Imports) -> None:
    rng = np.random.default_rng(0)
    lines = [
        f"{image},{cls},{rank}" for image in IMAGES for rank, cls in enumerate(rng.permutation(7))
    ]
    found = [
        imports.text("\n".join(["image,index,rank", *(lines[i] for i in order)]))
        for order in (range(len(lines)), rng.permutation(len(lines)))
    ]
    assert found[0] == found[1]


def test_a_label_file_s_names_are_found_as_the_configuration_has_categories() -> None:
    """``labels: categories`` writes underscores as blanks; answers may be written either way."""
    from synthsight.predictions.classes import Classes

    space = LabelSpace("of the run", ("toilet seat", "vase"), (("toilet seat",), ("vase",)))
    assert Classes(space).by_label("toilet_seat") == 0
