"""Sets of questions that hold their images: these become files, and the questions can be asked."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.commands.main import main
from synthsight.images.reading import decode_rgb
from synthsight.tabular import Form, TableError, read_rows
from synthsight.vqa.questions import read_questions
from synthsight.vqa.sets.embedded import EmbeddedError, unpack_questions
from tests.support import draw_image

COLUMNS = {name: name for name in ("image", "question", "answer", "generator", "objects")}

#: How ``datasets`` stores an image.
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.fixture
def drawn(tmp_path: Path) -> list[bytes]:
    """The bytes of three images."""
    found = []
    for seed in range(3):
        draw_image(tmp_path / "drawn" / f"{seed}.png", seed, size=(40, 30))
        found.append((tmp_path / "drawn" / f"{seed}.png").read_bytes())
    return found


def hub(path: Path, images: list[Any], **columns: list[Any]) -> Path:
    """A Parquet file as on the Hugging Face hub."""
    asked = {
        "question_id": [str(number) for number, _ in enumerate(images)],
        "question": [f"Is it {number}?" for number, _ in enumerate(images)],
        "answer": ["yes", "no", "yes", "no"][: len(images)],
        **columns,
        "image": pa.array(images, IMAGE),
    }
    pq.write_table(pa.table(asked), path)
    return path


def asked(folder: Path) -> list[tuple[str, str, str, str | None]]:
    """Image, question, answer and reason of what was written."""
    found = read_questions(folder / "questions.csv", COLUMNS, folder)
    return [(q.image, q.question, q.answer, q.reason) for q in found]


def test_parquet_of_the_hub_becomes_images_and_questions(
    tmp_path: Path, drawn: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, _ = drawn
    images = [{"bytes": a, "path": "x/a.jpg"}, {"bytes": b, "path": None}]
    hub(tmp_path / "1.parquet", images, category=["x", "y"], boxes=[[1], [2]])
    again = [{"bytes": a, "path": "else.png"}, {"bytes": drawn[2], "path": "A.png"}]
    hub(tmp_path / "2.parquet", again, category=["x", "y"], boxes=[[1], [2]])
    folder = tmp_path / "new" / "set"
    parts = [str(tmp_path / f"{number}.parquet") for number in (1, 2)]
    assert main(["unpack", *parts, str(folder)]) == 0
    found = asked(folder)
    # The same picture is one file; of one name, written alike or not, the second has another.
    names = [image for image, *_ in found]
    assert names[0] == names[2] == "images/a.png"
    assert len(set(names)) == 3 and names[3].startswith("images/A~")
    assert [each[1:] for each in found] == [
        *(("Is it 0?", "yes", None), ("Is it 1?", "no", None)),
        *(("Is it 0?", "yes", "the same question as on line 2"), ("Is it 1?", "no", None)),
    ]
    assert [(folder / name).read_bytes() for name in names] == [a, b, a, drawn[2]]
    with open(folder / "questions.csv", encoding="utf-8", newline="") as lines:
        assert next(csv.reader(lines)) == ["image", "question_id", "question", "answer", "category"]
    said = capsys.readouterr().out
    assert "questions.csv: 4 questions about 3 images" in said
    assert "Columns without text or numbers are left out: boxes." in said
    assert f"  vqa:\n    questions: {folder}/questions.csv\n    root: {folder}\n" in said


def test_tables_of_vlmevalkit_become_images_and_questions(
    tmp_path: Path, drawn: list[bytes]
) -> None:
    """A row may name another one that has its image."""
    codes = [base64.b64encode(content).decode() for content in drawn]
    rows = [
        *(("7", codes[0], "Is it?"), ("8", "9", "Is it new?"), ("9", codes[1], "Is it old?")),
        *(("10", "77", "Is it there?"), ("11", "", "Is it\nnot?")),
    ]
    with open(tmp_path / "POPE.tsv", "w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, delimiter="\t")
        table.writerow(["index", "image", "question", "answer"])
        table.writerows([*row, "Yes"] for row in rows)
    written = unpack_questions([tmp_path / "POPE.tsv"], tmp_path / "set")
    assert (written.rows, written.images) == (5, 2)
    assert [(image, reason) for image, _, _, reason in asked(tmp_path / "set")] == [
        *(("images/7.png", None), ("images/9.png", None), ("images/9.png", None)),
        *(("", "no image"), ("", "no image")),
    ]
    assert written.without == [
        f"{tmp_path}/POPE.tsv, line 6: no image",
        f"{tmp_path}/POPE.tsv, line 5: '77' is no image, and no row's index",
    ]


def test_addresses_with_data_and_json_lines_are_taken(tmp_path: Path, drawn: list[bytes]) -> None:
    code = "data:image/png;base64," + base64.b64encode(drawn[0]).decode()
    row = {"picture": code, "question": "Is it?", "answer": True}
    (tmp_path / "q.jsonl").write_text(json.dumps(row) + "\n")
    written = unpack_questions([tmp_path / "q.jsonl"], tmp_path / "set")
    assert written.column == "picture"
    (question,) = read_questions(
        tmp_path / "set" / "questions.csv", {**COLUMNS, "image": "picture"}, tmp_path / "set"
    )
    assert question.reason is None and question.answer == "yes"
    assert decode_rgb((tmp_path / "set" / question.image).read_bytes()).size == (40, 30)


def test_what_is_no_image_is_said_and_asked_about_by_nobody(
    tmp_path: Path, drawn: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    images = [{"bytes": drawn[0], "path": "../../../up.png"}, None, {"bytes": b"%PDF-", "path": ""}]
    hub(tmp_path / "q.parquet", images)
    assert main(["unpack", str(tmp_path / "q.parquet"), str(tmp_path / "set")]) == 0
    assert [image for image, *_ in asked(tmp_path / "set")] == ["images/up.png", "", ""]
    said = " ".join(capsys.readouterr().out.split())
    assert "2 questions without an image:" in said
    assert "row 2: no image" in said and "row 3: it is a PDF file" in said


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("two.parquet", None, "several columns with images: left, right; say which with --image"),
        ("two.parquet", "middle", "no column 'middle'. It has: left, right, question"),
        ("none.parquet", None, "no images in it; its columns are question"),
        ("empty.parquet", None, "no image in the column 'image': .*row 1: no image"),
        ("q.csv", None, "no images in it; its columns are image, question"),
        ("damaged.parquet", None, "not a readable Parquet file"),
        ("missing.parquet", None, "missing.parquet cannot be read: No such file"),
    ],
)
def test_a_file_without_images_is_refused_and_leaves_nothing(
    tmp_path: Path, drawn: list[bytes], name: str, column: str | None, message: str
) -> None:
    picture = pa.array([{"bytes": drawn[0], "path": None}], IMAGE)
    text = pa.array(["Is it?"])
    pq.write_table(
        pa.table({"left": picture, "right": picture, "question": text}), tmp_path / "two.parquet"
    )
    pq.write_table(pa.table({"question": text}), tmp_path / "none.parquet")
    hub(tmp_path / "empty.parquet", [None])
    (tmp_path / "q.csv").write_text("image,question\na.png,Is it?\n")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    with pytest.raises((EmbeddedError, TableError), match=message):
        unpack_questions([tmp_path / name], tmp_path / "set", column)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith("set")]


def test_nothing_is_written_over(tmp_path: Path, drawn: list[bytes]) -> None:
    path = hub(tmp_path / "q.parquet", [{"bytes": drawn[0], "path": None}])
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("mine")
    with pytest.raises(EmbeddedError, match="is there already, and not empty"):
        unpack_questions([path], tmp_path / "set")
    (tmp_path / "set" / "mine.txt").unlink()
    assert unpack_questions([path], tmp_path / "set").images == 1


@pytest.mark.parametrize("kind", [IMAGE, pa.binary(), pa.list_(IMAGE), pa.large_binary()])
def test_images_in_parquet_are_refused_before_they_are_read(
    tmp_path: Path, drawn: list[bytes], kind: pa.DataType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the type of the column, or the first that it has: not by reading all of them."""
    value: Any = {"bytes": drawn[0], "path": None}
    value = [value] if kind == pa.list_(IMAGE) else value if kind == IMAGE else drawn[0]
    column = pa.array([None, *[value] * 50], kind)
    text = pa.array(["yes"] * 51)
    path = tmp_path / "q.parquet"
    pq.write_table(pa.table({"image": column, "question": text, "answer": text}), path)
    read: list[int] = []
    whole = pq.ParquetFile.iter_batches

    def counted(file: pq.ParquetFile, size: int, **options: Any) -> Any:
        for batch in whole(file, size, **options):
            read.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    with pytest.raises(TableError, match=r"'image' holds the images themselves.*synthsight unpack"):
        read_questions(path, COLUMNS, tmp_path)
    assert sum(read) <= 2
    form = Form({"image": "image"}, (), "images.columns", "a table of images", "rows")
    with pytest.raises(TableError, match=r"not their paths$"):
        list(read_rows(path, form))


def test_names_in_parquet_may_be_bytes(tmp_path: Path) -> None:
    draw_image(tmp_path / "a.png", 0)
    table = pa.table({"image": [b"a.png"], "question": ["Is it?"], "answer": ["yes"]})
    pq.write_table(table, tmp_path / "q.parquet")
    (question,) = read_questions(tmp_path / "q.parquet", COLUMNS, tmp_path)
    assert (question.image, question.reason) == ("a.png", None)
