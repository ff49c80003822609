"""Joining predictions with the run's images: exactly and counted; doubts are errors."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthsight.errors import SynthsightError
from synthsight.images.manifest import ImageRecord, write_manifest
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
        "./{}",
        "{}",
        "/data/sets/{}",
        "C:\\sets\\{}",
    ],
)
@pytest.mark.parametrize("change", [str.title, lambda path: path.replace("/", "\\")])
def test_a_path_that_can_mean_one_image_alone_is_taken_for_it(
    imports: Imports, written: str, change: Callable[[str], str]
) -> None:
    lines = [f"{written.format(change(image))},kite" for image in IMAGES]
    found = imports.text("\n".join(["image,label", *lines]))
    assert found == {image: [(0, None)] for image in IMAGES}
    assert imports.note["predictions"]["renamed"] == 4
    said = f"4 images are written otherwise in it.*: {re.escape(lines[0][:-5])} is {IMAGES[0]}"
    assert any(re.match(said, line) for line in imports.said)


def test_folders_in_front_are_those_of_all_images_and_are_said(imports: Imports) -> None:
    """The reader must see it if they are another data set's, which has files of the same names."""
    imports.text("image,label\n" + "".join(f"imagenet-val/{image},kite\n" for image in IMAGES))
    assert imports.note["predictions"]["folders"] == "imagenet-val"
    assert any("all with imagenet-val in front" in line for line in imports.said)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["sd/I0", "dalle/I1"], "'sd/.*1.png' and 'dalle/.*2.png' have different folders.*sd and"),
        (["I0", "dalle/I1"], "have different folders in front .*none and dalle"),
        (["dalle/I1", "I0"], "have different folders in front .*dalle and none"),
        (["sd/I0", "dalle/I0"], "both 'sd/.*1.png' and 'dalle/.*1.png' would be the run's 'dream"),
        (["I0", "imagenet-val/I0"], "both 'dream/kite/1.png' and 'imagenet-val/dream/kite/1.png'"),
        (["I3", "vase/ä.png"], "both 'muse/vase/ä.png' and 'vase/ä.png' would be the run's"),
        (["ä.png", "I3"], "both 'ä.png' and 'muse/vase/ä.png' would be the run's"),
    ],
)
@pytest.mark.parametrize("numbers", [False, True])
def test_images_of_another_data_set_are_not_taken_for_the_run_s(
    imports: Imports, names: list[str], said: str, numbers: bool
) -> None:
    written = [re.sub("I(.)", lambda found: IMAGES[int(found[1])], name) for name in names]
    header, cell = ("logits", '"[1 2 3 4 5 6 7]"') if numbers else ("label", "kite")
    text = "\n".join([f"image,{header}", *(f"{name},{cell}" for name in written)])
    with pytest.raises(SynthsightError, match=f"p.csv: .*{said}"):
        imports.text(text, missing="wrong")


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


@pytest.mark.parametrize("name", ["p.parquet", "p.jsonl", "p.csv"])
def test_a_row_without_numbers_is_no_prediction(imports: Imports, name: str) -> None:
    numbers = [1.0, 2, 3, 4, 5, 6, 7]
    values = [None, numbers, [], numbers]
    path = imports.folder / name
    frame = pd.DataFrame({"image": IMAGES, "logits": values})
    if name == "p.parquet":
        frame.to_parquet(path)
    elif name == "p.jsonl":
        frame.to_json(path, lines=True, orient="records")
    else:
        frame.to_csv(path, index=False)
    found = imports.read(path, missing="wrong")
    assert found == dict(zip(IMAGES, [None, numbers, None, numbers], strict=True))
    assert imports.note["predictions"]["missing"]["count"] == 2


def test_numbers_of_parquet_that_are_not_those_of_all_classes_are_told(imports: Imports) -> None:
    path = imports.folder / "p.parquet"
    frame = pd.DataFrame({"image": IMAGES, "answered": "kite", "confidence": 0.9})
    frame.to_parquet(path)
    with pytest.raises(
        SynthsightError,
        match=r"row 1: probability of one class alone, and no label .* not read: answered",
    ):
        imports.read(path)
    text = [str([1.0, 2, 3, 4, 5, 6, 7])] * 4
    pd.DataFrame({"image": IMAGES, "logits": text}).to_parquet(path)
    assert imports.read(path)[IMAGES[0]] == [1, 2, 3, 4, 5, 6, 7]


def test_a_run_without_usable_images_ends_in_one_line(imports: Imports) -> None:
    for path, category in zip(imports.manifests, ("kite", "vase"), strict=True):
        bad = ImageRecord("x.png", category, None, None, None, None, "excluded", "damaged")
        write_manifest(path, [bad])
    with pytest.raises(SynthsightError, match=r"p.csv: the run has no image that can be used"):
        imports.text("image,label\n" + ALL, missing="wrong")


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
        (["image,label,prob", 'I,kite,"[.5 .5 0 0 0 0 0]"'], "one label beside 7 numbers in its"),
        (["image,index,logits", 'I,3,"[1 2 3 4 5 6 7]"'], "rename the column 'index'"),
        (["image,label", "I," + "[" * 3000 + "]"], "line 2: a list is nested too deeply"),
        (["image,logits", "I," + "[" * 3000 + "]"], "row 2: a list is nested too deeply"),
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


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("image,label,pred,confidence", "kite,hare,0.9"),
        ("image,label,y_pred", "kite,2"),
        ("image,label,argmax", "kite,2"),
        ("image,label,top1", "kite,hare"),
        ("image,class,predictions", "kite,\"['hare', 'vase']\""),
        ("image,prediction,predictions", "kite,\"['hare', 'vase']\""),
        ("image,index,guesses", '0,"[""hare"", ""vase""]"'),
        ("image,label,label_1,label_2", "kite,hare,vase"),
        ("path,label,top1,top2,top3,top4,top5", "kite,hare,vase,1,4,6"),
        ("image,class_index,pred", "0,2"),
        ("image,index,index_0,index_1", "0,2,1"),
        ("image,synset,resnet_pred", "n00000000,hare"),
        ("image,label,answer", "kite,hare"),
        ("image,label,conformer_pred", "kite,hare"),
        ("image,label,pred_index", "kite,2"),
        ("image,prob,label,prob_0,prob_1", ".9,kite,.9,.1"),
    ],
)
def test_a_column_that_may_be_the_truth_is_not_taken_for_the_prediction(
    imports: Imports, header: str, row: str
) -> None:
    text = "\n".join([header, *(f"{image},{row}" for image in IMAGES)])
    with pytest.raises(SynthsightError, match=r"p.csv: .* may .*: state which .*columns: {"):
        imports.text(text)


def test_the_configuration_says_which_column_is_the_prediction(imports: Imports) -> None:
    def of(header: str, row: str, **columns: str) -> list[tuple[int, float | None]]:
        text = "\n".join([header, *(f"{image},{row}" for image in IMAGES)])
        found = imports.text(text, columns=columns)
        assert len({str(each) for each in found.values()}) == 1
        said: list[tuple[int, float | None]] = found[IMAGES[0]]
        return said

    assert of("image,label,pred,confidence", "kite,hare,0.5", label="pred") == [(2, 0.5)]
    assert "columns that are read: image: image, label: pred, probability: confidence; " in str(
        imports.said
    ) and "not read: label" in str(imports.said)
    assert imports.note["predictions"]["unread"] == ["label"]
    assert of("image,label,pred", "kite,hare", label="label") == [(0, None)]
    assert of("image,class_index,pred", "0,2", label="pred") == [(2, None)]
    assert of("image,label,pred_index", "kite,2", index="pred_index") == [(2, None)]
    several = [(2, None), (5, None)]
    assert of("image,label,label_1,label_2", "kite,hare,vase", label="label_") == several
    assert of("image,label,top1,top2", "kite,hare,vase", label="top") == several
    assert (
        of("image,class,predictions", "kite,\"['hare', 'vase']\"", label="predictions") == several
    )
    mappings = '"[{""label"": ""hare"", ""score"": 0.5}]"'
    assert of("image,class,predictions", f"kite,{mappings}", label="predictions") == [(2, 0.5)]


def test_a_column_that_says_how_good_a_prediction_is_leaves_the_label_as_it_is(
    imports: Imports,
) -> None:
    text = "\n".join(
        ["image,label,predicted_probability,pred_correct", *(f"{i},kite,.5,1" for i in IMAGES)]
    )
    assert imports.text(text)[IMAGES[0]] == [(0, 0.5)]


def test_a_second_row_of_one_image_is_no_ranking(imports: Imports) -> None:
    lines = [f"{image},kite,.6" for image in IMAGES]
    text = "\n".join(["image,label,prob", *lines, f"{IMAGES[0]},hare,.9"])
    with pytest.raises(
        SynthsightError, match=r"line 6: 'dream/kite/1.png' has other rows, too \(line 2\)"
    ):
        imports.text(text)
    pairs = [f"{image},{cls},{p}" for image in IMAGES for cls, p in (("kite", 0.5), ("hare", 0.25))]
    assert imports.text("\n".join(["image,label,prob", *pairs[:-1]]))[IMAGES[0]] == [
        (0, 0.5),
        (2, 0.25),
    ]  # the last image has one guess, as where the others were cut
    with pytest.raises(SynthsightError, match=r"line 10: .* too \(line 2, 3\), .* images have 2"):
        imports.text("\n".join(["image,label,prob", *pairs, f"{IMAGES[0]},vase,.9"]))


def test_equal_probabilities_are_counted_and_said(imports: Imports) -> None:
    values = [
        [0.5, 0.5, 0, 0, 0, 0, 0],  # a tie at the first place; beyond, nothing is predicted
        [0.4, 0.2, 0.1, 0.1, 0.1, 0.1, 0],  # ties at the third place and the fifth
        [0.4, 0.2, 0.15, 0.1, 0.08, 0.05, 0.02],
        [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1],
    ]
    path = imports.folder / "p.parquet"
    pd.DataFrame({"image": IMAGES, "prob": values}).to_parquet(path)
    imports.read(path)
    assert imports.note["predictions"]["ties"] == {"first": 1, "fifth": 2}
    assert any("equal probabilities in 1 images at the first" in line for line in imports.said)
    rows = [f"{i},{c},{p}" for i, of in zip(IMAGES, values, strict=True) for c, p in enumerate(of)]
    imports.text("\n".join(["image,index,prob", *rows]))
    # As guesses by row, classes of probability 0 are named, and tie at the fifth place, too.
    assert imports.note["predictions"]["ties"] == {"first": 1, "fifth": 3}
    lists = [f'{image},"[2, 5]","[0.5, 0.5]"' for image in IMAGES]
    imports.text("\n".join(["image,index,prob", *lists]))
    assert imports.note["predictions"]["ties"] == {"first": 0, "fifth": 0}  # the list is the order


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
