"""Marks that readers of the report gave images, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.people.marks import MARKS, MarksError, marked, of_marks, read_marks
from synthsight.tabular import TableError
from tests.support import REPOSITORY

IMAGES = {
    **{"dream/kite/1.png": None, "dream/kite/2.png": None, "=1+1/kite/3.png": None},
    "dream/kite/broken.png": "not an image",
}


def read(folder: Path, *rows: str, head: str = "image,mark,remark") -> Path:
    path = folder / "marks.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_marked_images_are_left_out_with_what_was_said(tmp_path: Path) -> None:
    path = read(
        tmp_path,
        "dream/kite/2.png,bad picture,two tails",
        "dream/kite/1.png,label wrong,",
        "dream/kite/1.png,Label wrong,",
        'dream/kite/1.png,bad picture,"it\nis blurred"',
        "'=1+1/kite/3.png,label wrong,a bird",
        "dream/kite/broken.png,label wrong,",
    )
    reasons, said = marked(read_marks(path), IMAGES, "pictures")
    assert reasons == {
        "=1+1/kite/3.png": "marked: label wrong (a bird)",
        "dream/kite/1.png": "marked: label wrong; bad picture (it is blurred)",
        "dream/kite/2.png": "marked: bad picture (two tails)",
    }
    assert said == [
        "3 images are left out because people marked them (images.marks; tables/excluded.csv has "
        "the marks)",
        "1 mark is of files that are excluded anyway",
    ]


def test_images_that_the_run_lacks_are_named_and_of_others_alone_it_is_an_error(
    tmp_path: Path,
) -> None:
    other = "dream/kite/7.png,label wrong,"
    path = read(tmp_path, "dream/kite/1.png,label wrong,", other)
    reasons, said = marked(read_marks(path), IMAGES, "pictures")
    assert [*reasons] == ["dream/kite/1.png"]
    assert said[1].startswith("1 mark is of no image of the run and counts for nothing: ")
    assert f"'dream/kite/7.png' ({path}, line 3: no such image in the run; did you mean" in said[1]
    with pytest.raises(MarksError, match=r"no marked image is one of the run: .*'pictures'"):
        marked(read_marks(read(tmp_path, other)), IMAGES, "pictures")


def test_paths_may_have_the_root_in_front(tmp_path: Path) -> None:
    path = read(tmp_path, "pictures\\dream\\kite\\1.png,label wrong", head="image,mark")
    reasons, _ = marked(read_marks(path), IMAGES, "pictures")
    assert reasons == {"dream/kite/1.png": "marked: label wrong"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "dream/kite/1.png,wrong label,",
            "line 2: the mark 'wrong label'.*write label wrong or bad",
        ),
        ("dream/kite/1.png,,", "line 2: the mark ''"),
        (",label wrong,", "line 2: no image"),
        ("dream/kite/1.png,label wrong", "line 2: 2 values, but the header has 3"),
    ],
)
def test_rows_that_say_nothing_are_refused_by_their_line(
    tmp_path: Path, row: str, message: str
) -> None:
    with pytest.raises(TableError, match=message):
        read_marks(read(tmp_path, row))


def test_the_page_offers_the_marks_that_are_read_back() -> None:
    program = REPOSITORY / "src" / "synthsight" / "report" / "program" / "marking.js"
    offered = ", ".join(f'"{mark}"' for mark in MARKS)
    assert f"const ALL_MARKS = [{offered}];" in program.read_text(encoding="utf-8")


def test_the_report_says_how_many_are_left_out_for_what() -> None:
    reasons = ["marked: label wrong (a bird)", "marked: label wrong; bad picture", "not an image"]
    assert of_marks(reasons) == [
        "2 images are left out because people marked them, 2 as label wrong and 1 as bad picture "
        "(images.marks): who looks at what models get wrong, and marks it, lifts their accuracy"
    ]
    assert of_marks(["not an image"]) == []
