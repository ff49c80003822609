"""Questions from files of all kinds: what is read, what is left out and why, and the shards."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthsight.tabular import TableError
from synthsight.vqa.question import Question
from synthsight.vqa.questions import read_questions
from synthsight.vqa.repeats import find_repeats
from synthsight.vqa.shards import (
    deal,
    index_questions,
    read_left_out,
    read_shard,
    shard_digest,
    shard_of,
    write_shard,
)
from tests.support import draw_image

COLUMNS = {name: name for name in ("image", "question", "answer", "generator", "objects")}

ROWS: list[dict[str, Any]] = [
    {"image": "muse/a.png", "question": "Is it red, or not?", "answer": "yes"},
    {"image": "muse/a.png", "question": 'Is "it"\ntall?', "answer": "no"},
    {"image": "b.png", "question": "Ist es schön?", "answer": "yes"},
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for seed, image in enumerate(("muse/a.png", "b.png", "c.png")):
        draw_image(tmp_path / "pictures" / image, seed)
    return tmp_path / "pictures"


def write(folder: Path, ending: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"questions.{ending}"
    frame = pd.DataFrame(rows)
    if ending == "parquet":
        frame.to_parquet(path)
    elif ending in ("csv", "tsv"):
        frame.to_csv(path, index=False, sep="," if ending == "csv" else "\t")
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_the_same_questions_are_read_from_every_kind_of_file(
    tmp_path: Path, root: Path, ending: str
) -> None:
    questions = read_questions(write(tmp_path, ending, ROWS), COLUMNS, root)
    found = [{"image": q.image, "question": q.question, "answer": q.answer} for q in questions]
    assert found == ROWS
    assert all(q.reason is None and q.generator is None for q in questions)


@pytest.mark.parametrize(
    ("ending", "lines"),
    [
        ("csv", [2, 3, 5]),  # the second question has a line end in it
        ("tsv", [2, 3, 5]),
        ("json", [2, 7, 12]),
        ("jsonl", [1, 2, 3]),
        ("parquet", [1, 2, 3]),
    ],
)
def test_a_question_knows_the_line_on_which_it_begins(
    tmp_path: Path, root: Path, ending: str, lines: list[int]
) -> None:
    questions = read_questions(write(tmp_path, ending, ROWS), COLUMNS, root)
    assert [question.line for question in questions] == lines


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        *(("yes", "yes"), ("YES", "yes"), (" Yes ", "yes"), ("True", "yes"), (True, "yes")),
        *((1, "yes"), ("1", "yes"), (1.0, "yes"), ("no", "no"), ("No", "no"), ("FALSE", "no")),
        *((False, "no"), (0, "no"), ("0", "no")),
    ],
)
def test_answers_are_understood_in_every_usual_form(
    tmp_path: Path, root: Path, answer: Any, meaning: str
) -> None:
    path = write(tmp_path, "json", [{**ROWS[0], "answer": answer}])
    assert read_questions(path, COLUMNS, root)[0].answer == meaning


def test_a_generator_that_would_stand_for_all_is_none(tmp_path: Path, root: Path) -> None:
    path = write(tmp_path, "json", [{**ROWS[0], "generator": "*"}, {**ROWS[0], "generator": "**"}])
    first, second = read_questions(path, {**COLUMNS, "generator": "generator"}, root)
    assert "a generator cannot be called '*'" in str(first.reason)
    assert second.reason is None and second.generator == "**"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "maybe"}, "found 'maybe'"),
        ({"answer": None}, "found none"),
        ({"answer": 2}, "found '2'"),
        ({"question": "  "}, "an empty question"),
        ({"image": ""}, "no image"),
        ({"image": "muse/aa.png"}, "no such image below {root}; close: muse/a.png"),
        ({"image": "../secret.png"}, "has '..': write it from {root}, without"),
        ({"image": "/etc/passwd"}, "must stay below {root}"),
        ({"image": "notes.txt"}, "not an image by its name"),
        ({"image": "out.png"}, "a link that leads out"),
        ({"question": {"text": "Is it?"}}, "the question must be text; found dict: {{'text': "),
        ({"question": ["Is it?", "Is it red?"]}, "the question must be text; found list: ['Is"),
        ({"question": 5}, "the question must be text; found int: 5"),
        ({"question": "\u200b ?"}, "an empty question"),
        ({"image": {"path": "b.png"}}, "the image must be text; found dict"),
        ({"answer": ["yes"]}, "the answer must be text, a number or true/false; found list"),
        ({"generator": ["dream", "muse"]}, "the generator must be text or a number; found list"),
        ({"generator": True}, "the generator must be text or a number; found bool: true"),
        ({"objects": {"name": "cat"}}, "the objects must be text with && between the names, or"),
        ({"objects": ["cat", 7]}, "or a list of texts; found list: ['cat', 7]"),
    ],
)
def test_a_question_that_cannot_be_asked_is_left_out_with_its_reason(
    tmp_path: Path, root: Path, change: dict[str, Any], reason: str
) -> None:
    (root / "notes.txt").write_text("no picture")
    draw_image(tmp_path / "secret.png", 9)
    os.symlink(tmp_path / "secret.png", root / "out.png")
    questions = read_questions(
        write(tmp_path, "json", [*ROWS, {**ROWS[0], **change}]), COLUMNS, root
    )
    assert [question.reason is None for question in questions] == [True, True, True, False]
    assert reason.format(root=root) in str(questions[3].reason)


def test_a_repeated_question_is_asked_once_and_a_contradicted_one_never(
    tmp_path: Path, root: Path
) -> None:
    rows = [
        {"image": "b.png", "question": "Is it red?", "answer": "yes"},
        {"image": "b.png", "question": "is it  RED?", "answer": "yes"},
        {"image": "c.png", "question": "Is it red?", "answer": "yes"},
        {"image": "c.png", "question": "Is it red?", "answer": "no"},
        {"image": "./c.png", "question": "Is it blue?", "answer": "no"},
        {"image": "c.png", "question": "Is it blue?", "answer": "no"},
    ]
    questions = read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root)
    assert [question.reason for question in questions] == [
        None,
        "the same question as on line 1",
        "also asked on line 4, but with a different answer",
        "also asked on line 3, but with a different answer",
        None,
        "the same question as on line 5",
    ]


@pytest.mark.parametrize(
    "other",
    [
        *("Is there a cafe\u0301?", "Is there\u200b a caf\u00e9?", "Is\u00a0there  a caf\u00e9 ?"),
        *("IS THERE A CAF\u00c9", "Is there a caf\u00e9\uff1f"),
    ],
)
def test_questions_that_look_alike_are_one_but_are_asked_as_they_are_written(
    tmp_path: Path, root: Path, other: str
) -> None:
    rows = [
        {"image": "b.png", "question": "Is there a caf\u00e9?", "answer": "yes"},
        {"image": "b.png", "question": other, "answer": "no"},
        {"image": "c.png", "question": other, "answer": "no"},
        {"image": "c.png", "question": "Is there a cave?", "answer": "no"},
    ]
    questions = read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root)
    assert ["different answer" in str(question.reason) for question in questions] == [
        *(True, True, False, False)
    ]
    assert [question.question for question in questions] == [row["question"] for row in rows]


@pytest.mark.parametrize("ending", ["json", "jsonl", "parquet"])
def test_lists_of_objects_are_joined_whole(tmp_path: Path, root: Path, ending: str) -> None:
    names = [f"a {number}th thing" for number in range(40)]
    rows = [{**ROWS[0], "objects": names}, {**ROWS[1], "objects": []}]
    questions = read_questions(write(tmp_path, ending, rows), COLUMNS, root)
    assert [question.objects for question in questions] == ["&&".join(names), None]
    assert [question.reason for question in questions] == [None, None]


@pytest.mark.parametrize("name", ["Objects", "objects_", "OBJECTS", "Gene rator", "Generator"])
def test_an_optional_column_is_not_passed_over_for_its_spelling(
    tmp_path: Path, root: Path, name: str
) -> None:
    wanted = "objects" if "bj" in name.lower() else "generator"
    path = write(tmp_path, "csv", [{**ROWS[0], name: "x"}])
    with pytest.raises(TableError, match=f"column '{name}'; did you mean '{wanted}'"):
        read_questions(path, COLUMNS, root)
    assert read_questions(path, {**COLUMNS, wanted: name}, root)[0].reason is None


def test_a_column_with_a_name_close_to_an_optional_one_is_noted(tmp_path: Path, root: Path) -> None:
    notes: list[str] = []
    path = write(tmp_path, "csv", [{**ROWS[0], "genrator": "x", "object": "y", "notes": "z"}])
    read_questions(path, COLUMNS, root, notes)
    assert notes == [
        f"{path} has no column 'generator'; is it 'genrator'? Then state vqa.columns.generator",
        f"{path} has no column 'objects'; is it 'object'? Then state vqa.columns.objects",
    ]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            "dream",
            "muse",
            "'b.png' has generator 'dream' on line 1, but generator 'muse' on line 2",
        ),
        (None, "muse", "'b.png' has no generator on line 1, but generator 'muse' on line 2"),
        ("dream", None, "'b.png' has generator 'dream' on line 1, but no generator on line 2"),
    ],
)
def test_an_image_has_one_generator(
    tmp_path: Path, root: Path, first: str | None, second: str | None, message: str
) -> None:
    rows = [
        {"image": "b.png", "question": "Is it red?", "answer": "yes", "generator": first},
        {"image": "./b.png", "question": "Is it tall?", "answer": "yes", "generator": second},
    ]
    with pytest.raises(TableError, match=message):
        read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root)


@pytest.mark.parametrize("images", [("b.png", "./b.png"), ("b.png", "muse/a.png")])
@pytest.mark.parametrize(
    "other",
    [
        "DALL-E 2.",
        "Dall-E 2",
        "DALL-E\u00a02",
        "DALL-E\u200b 2",
        "DALL\u2011E 2",
        "DALL\u2212E 2",
        "DALL\u00b7E 2",
        "dalle_2",
        "DALLE2?",
    ],
)
def test_spellings_of_a_generator_are_refused_for_one_image_and_for_two(
    tmp_path: Path, root: Path, images: tuple[str, str], other: str
) -> None:
    rows = [
        {"image": images[0], "question": "Is it red?", "answer": "yes", "generator": "DALL-E 2"},
        {"image": images[1], "question": "Is it tall?", "answer": "yes", "generator": other},
    ]
    message = r"the generators 'DALL-E 2' \(line 1\) and '.*' \(line 2\) differ only in how the"
    with pytest.raises(TableError, match=message):
        read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root)


def test_an_image_in_the_folder_of_another_generator_is_noted(tmp_path: Path, root: Path) -> None:
    notes: list[str] = []
    rows = [{**ROWS[0], "generator": "dream"}, {**ROWS[2], "generator": "Muse"}]
    questions = read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root, notes)
    assert [question.reason for question in questions] == [None, None]
    (note,) = notes
    assert "1 images lie in the folder of another generator than theirs, the first: " in note
    assert "'muse/a.png' with generator 'dream' on line 1, in the folder of 'Muse'" in note
    notes.clear()
    rows = [{**ROWS[0], "generator": "muse"}, {**ROWS[2], "generator": "dream"}]
    read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root, notes)
    assert notes == []


def test_what_is_asked_about_copies_of_a_picture_is_asked_once_or_never(
    tmp_path: Path, root: Path
) -> None:
    (root / "copy.png").write_bytes((root / "b.png").read_bytes())
    (root / "bad.png").write_bytes(b"no picture")
    questions = [
        Question(2, "b.png", "Is it red?", "yes"),
        Question(3, "copy.png", "is it RED ?", "no"),
        Question(4, "copy.png", "Is it tall?", "no"),
        Question(5, "b.png", "Is it tall?", "no"),
        Question(6, "copy.png", "Is it deep?", "no"),
        Question(7, "c.png", "Is it red?", "no"),
        Question(8, "bad.png", "Is it red?", "no"),
    ]
    shards = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for shard, part in zip(shards, (questions[::2], questions[1::2]), strict=True):
        write_shard(shard, index_questions(part, root, 10**6))
    reasons = read_left_out(shards)
    assert "image" in reasons.pop(("bad.png", "Is it red?"))
    same = "which is the same picture"
    assert reasons == {
        ("b.png", "Is it red?"): f"asked, but with a different answer, about 'copy.png', {same}",
        ("copy.png", "is it RED ?"): f"asked, but with a different answer, about 'b.png', {same}",
        ("copy.png", "Is it tall?"): f"also asked about 'b.png', {same}",
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.csv", b"", "is empty"),
        ("q.csv", b"image,question,answer\n", "has no questions"),
        ("q.csv", b"image,question,answer\nb.png,Is it red, or not?,yes\n", "line 2: 4 values"),
        ("q.csv", b'image,question,answer\nb.png,"Is it,yes\n', "line 2"),
        ("q.csv", b"image,image,answer\nb.png,x,yes\n", "two columns 'image'"),
        (
            "q.csv",
            b"image,question,answers\nb.png,Is it?,yes\n",
            "no column 'answer'; did you mean",
        ),
        ("q.csv", b"image,question,answer\n\xe9.png,Is it?,yes\n", "line 2: not UTF-8"),
        ("q.json", b'{"image": 1}', "no column 'question'"),
        ("q.json", b'"image"', "expected a list"),
        ("q.json", b'[{"image": "b.png",\n "question": }]', "line 2"),
        ("q.json", b"[1]", "expected a mapping"),
        ("q.json", b"[{}] more", "after the end"),
        ("q.json", b'[{"image": "b.png"} {"image": 2}]', "expected a comma"),
        ("q.json", b'[{"image": "b.png"}', "line 1"),
        ("q.jsonl", b'{"image": 1}\n{"image"', "line 2"),
        ("q.parquet", b"PAR1 not really", "not a readable Parquet file"),
        ("q.xlsx", b"", "extension must be one of .csv"),
        ("missing.csv", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, root: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message):
        read_questions(tmp_path / name, COLUMNS, root)


def test_columns_may_have_other_names(tmp_path: Path, root: Path) -> None:
    rows = [{"file": "b.png", "Q": "Is it?", "A": "no", "made by": "muse", "seen": "car&&dog"}]
    columns = {
        "image": "file",
        "question": "Q",
        "answer": "A",
        "generator": "made by",
        "objects": "seen",
    }
    question = read_questions(write(tmp_path, "csv", rows), columns, root)[0]
    assert question == Question(2, "b.png", "Is it?", "no", "muse", "car&&dog", None)
    with pytest.raises(TableError, match=r"vqa\.columns\.generator"):
        read_questions(write(tmp_path, "csv", ROWS), {**COLUMNS, "generator": "made by"}, root)


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200), ending=st.sampled_from(["csv", "tsv", "json", "jsonl"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_bytes"
    folder.mkdir(exist_ok=True)
    path = folder / f"q.{ending}"
    path.write_bytes(b"image,question,answer\n" + content if ending == "csv" else content)
    try:
        questions = read_questions(path, COLUMNS, folder)
    except TableError:
        return
    assert all(question.reason for question in questions)  # there is no image at all


def test_all_questions_about_an_image_are_in_one_shard_whatever_else_is_asked(root: Path) -> None:
    questions = [Question(line, f"{line % 40}.png", f"Is it {line}?", "yes") for line in range(200)]
    dealt = deal(questions, 4)
    assert sorted(dealt) == ["1", "2", "3", "4"]
    assert all(
        {shard_of(question.image, 4) for question in part} == {shard}
        for shard, part in dealt.items()
    )
    assert sorted(q.line for part in dealt.values() for q in part) == list(range(200))
    fewer = deal([question for question in questions if question.image != "7.png"], 4)
    moved = {shard for shard in dealt if dealt[shard] != fewer[shard]}
    assert moved == {shard_of("7.png", 4)}


def test_the_digest_of_a_shard_is_of_its_questions_and_images_not_of_lines(root: Path) -> None:
    question = Question(1, "b.png", "Is it?", "yes")
    digest = shard_digest([question], root)
    assert shard_digest([Question(9, "b.png", "Is it?", "yes")], root) == digest
    assert shard_digest([Question(1, "b.png", "Is it?", "no")], root) != digest
    draw_image(root / "b.png", 77, size=(50, 50))
    assert shard_digest([question], root) != digest


def test_a_shard_says_which_images_cannot_be_used(tmp_path: Path, root: Path) -> None:
    (root / "c.png").write_bytes((root / "c.png").read_bytes()[:60])
    questions = [
        Question(5, "c.png", "Is it?", "yes"),
        Question(6, "b.png", "Is it tall?", "yes"),
        Question(7, "b.png", "Is it deep?", "no", "muse", "car"),
    ]
    rows = index_questions(questions, root, 10**6)
    write_shard(tmp_path / "1.parquet", rows)
    assert read_shard(tmp_path / "1.parquet") == rows
    assert [(row.image, row.number, row.question, row.status) for row in rows] == [
        ("b.png", 1, "Is it tall?", "ok"),
        ("b.png", 2, "Is it deep?", "ok"),
        ("c.png", 1, "Is it?", "excluded"),
    ]
    assert "damaged" in str(rows[2].reason)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", "image;question;answer\r\nb.png;Ist es schön?;yes\r\n"),
        ("q.tsv", "image\tquestion\tanswer\r\nb.png\tIst es schön?\tyes\r\n"),
        ("q.csv", "sep=;\r\nimage;question;answer\r\nb.png;Ist es schön?;yes\r\n"),
        ("q.json", '[{"image": "b.png", "question": "Ist es schön?", "answer": true}]'),
        ("q.jsonl", '{"image": "b.png", "question": "Ist es schön?", "answer": true}\n'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_as_it_says_that_it_is_encoded(
    tmp_path: Path, root: Path, name: str, text: str, encoding: str
) -> None:
    """Excel's Unicode text is UTF-16, its CSV UTF-8 begins with a mark."""
    (tmp_path / name).write_bytes(text.encode(encoding))
    (question,) = read_questions(tmp_path / name, COLUMNS, root)
    assert (question.question, question.answer, question.reason) == ("Ist es schön?", "yes", None)


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@pytest.mark.parametrize("listed", [False, True])
def test_json_is_a_list_or_lines_whatever_the_file_is_called(
    tmp_path: Path, root: Path, ending: str, listed: bool
) -> None:
    path = tmp_path / f"q.{ending}"
    lines = [json.dumps(row) for row in ROWS]
    path.write_text("\n" + ("[" + ",\n".join(lines) + "]" if listed else "\n".join(lines)))
    questions = read_questions(path, COLUMNS, root)
    assert [question.line for question in questions] == [2, 3, 4]
    assert [question.question for question in questions] == [row["question"] for row in ROWS]


#: What spreadsheets write, of the same two questions on the lines that are given.
TABLES = {
    "semicolons": (
        "q.csv",
        "image;question;answer\nb.png;Is it red, or not?;yes\nc.png;Is it?;no\n",
    ),
    "a line that states the separator": (
        "q.csv",
        "sep=;\nimage;question;answer\nb.png;Is it red, or not?;yes\nc.png;Is it?;no\n",
    ),
    "a line that states a tab": (
        "q.csv",
        "sep=\t\r\nimage\tquestion\tanswer\r\n"
        "b.png\tIs it red, or not?\tyes\r\nc.png\tIs it?\tno\r\n",
    ),
    "tabs in a csv": (
        "q.csv",
        "image\tquestion\tanswer\nb.png\tIs it red, or not?\tyes\nc.png\tIs it?\tno\n",
    ),
    "commas in a tsv": (
        "q.tsv",
        'image,question,answer\nb.png,"Is it red, or not?",yes\nc.png,Is it?,no\n',
    ),
    "bars": ("q.csv", "image|question|answer\nb.png|Is it red, or not?|yes\nc.png|Is it?|no\n"),
    "empty columns": (
        "q.csv",
        'image,question,answer,,\nb.png,"Is it red, or not?",yes,,\nc.png,Is it?,no,,\n,,,,\n',
    ),
    "blanks around names": (
        "q.csv",
        'image , question, answer\nb.png,"Is it red, or not?", yes\nc.png, Is it?, no\n',
    ),
    "numbers": (
        "q.csv",
        'image,question,answer\nb.png,"Is it red, or not?",1.0\nc.png,Is it?,0.0\n',
    ),
    "letters": ("q.csv", 'image,question,answer\nb.png,"Is it red, or not?",Y\nc.png,Is it?,f\n'),
    "empty rows": (
        "q.csv",
        'image,question,answer\nb.png,"Is it red, or not?",yes\n,,\n\nc.png,Is it?,no\n , ,\n',
    ),
}


@pytest.mark.parametrize("what", TABLES)
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, root: Path, what: str) -> None:
    name, content = TABLES[what]
    (tmp_path / name).write_bytes(content.encode())
    questions = read_questions(tmp_path / name, COLUMNS, root)
    found = [(q.image, q.question, q.answer, q.reason) for q in questions]
    assert found == [
        ("b.png", "Is it red, or not?", "yes", None),
        ("c.png", "Is it?", "no", None),
    ]
    first = 3 if "states" in what else 2
    assert [q.line for q in questions] == [first, first + (3 if what == "empty rows" else 1)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.csv", b"version https://git-lfs.github.com/spec/v1\noid", "it is a Git LFS pointer"),
        ("q.csv", b"<!DOCTYPE html><html>", "it is a web page"),
        ("q.csv", b'[{"image": "b.png"}]', "it is JSON, not .* call it .json"),
        ("q.csv", b"PAR1 and so on", "it is a Parquet file, not .* call it .parquet"),
        ("q.csv", "image,question".encode("utf-16")[:-1], "text in UTF-16, and is damaged"),
        ("q.txt", b"image\tquestion", "call one that is text .csv or .tsv"),
        (
            "q.csv",
            "image,question,answer\nb.png,Ist es schön?,no\n".encode("cp1252"),
            "line 2: not UTF-8 text; .*CSV UTF-8.*Windows-1252 it would say .*Ist es schön",
        ),
        ("q.csv", b"PK\x03\x04 and so on", "it is a zip archive"),
        ("q.json", b"<html>Not found</html>", "it is a web page"),
        ("q.json", b'{\n"image": 1}', "line 1: expected a list of mappings: .* in each line"),
        ("q.jsonl", b'[\n{"image": 1}', "line 2: expected a comma or the end of the list"),
        ("q.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer"),
        ("q.parquet", b"version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer"),
        ("q.parquet", b"image,question\n", "it is text"),
        ("q.xlsx", b"PK\x03\x04", "it is a zip archive.*Save a table of a spreadsheet as CSV"),
        (
            "q.csv",
            b"image,question,answer,\nb.png,Is it?,yes,note\n",
            "line 2: 'note' is in a column without a name",
        ),
        ("q.csv", b"image;question\nb.png;Is it?\n", "no column 'answer'.*has: image, question"),
    ],
)
def test_a_file_that_is_something_else_is_called_what_it_is(
    tmp_path: Path, root: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message) as caught:
        read_questions(tmp_path / name, COLUMNS, root)
    assert name in str(caught.value)


def test_a_question_asked_very_often_names_a_few_of_the_others() -> None:
    """A black picture, say, that stands for thousands: reasons would grow with their square."""
    repeats = find_repeats([("p", "q", "no" if number else "yes") for number in range(9)])
    assert len(repeats) == 9
    assert (repeats[0].others, repeats[0].more) == ((1, 2, 3, 4), 4)
    assert (repeats[8].others, repeats[8].more) == ((0, 1, 2, 3), 4)
    agreeing = find_repeats([("p", "q", "no")] * 3)
    assert {number: repeat.others for number, repeat in agreeing.items()} == {1: (0, 2), 2: (0, 1)}


def test_an_image_has_one_group_in_all_of_its_rows(tmp_path: Path, root: Path) -> None:
    """It changes no shard and no digest of the questions; where it is not named it is not read."""
    rows: list[dict[str, Any]] = [
        {"image": "b.png", "question": "Is it red?", "answer": "yes", "group": "7"},
        {"image": "./b.png", "question": "Is it tall?", "answer": "yes", "group": "7"},
    ]
    with_groups = {**COLUMNS, "group": "group"}
    found = read_questions(write(tmp_path, "jsonl", rows), with_groups, root)
    assert [each.group for each in found] == ["7", "7"]
    unread = read_questions(write(tmp_path, "jsonl", rows), COLUMNS, root)
    assert [each.group for each in unread] == [None, None]
    assert repr(found) == repr(unread)
    assert shard_digest(found, root) == shard_digest(unread, root)
    for other, named in (("8", "the group '8'"), (None, "no group")):
        rows[1]["group"] = other
        with pytest.raises(TableError, match=f"the group '7' on line 1, but {named} on line 2"):
            read_questions(write(tmp_path, "jsonl", rows), with_groups, root)
