"""Sets of questions as they are published: recognised, read, and their images found."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synthsight.json_rows import JsonError, entries_of, keys_of
from synthsight.tabular import TableError
from synthsight.vqa.question import Question
from synthsight.vqa.questions import Asked, read_asked
from synthsight.vqa.sets import given as given_module
from tests.support import draw_image

COLUMNS = {name: name for name in ("image", "question", "answer", "generator", "objects", "group")}


class Folder:
    """A folder with images and files of questions, and what was noted of these."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []

    def images(self, *names: str) -> None:
        """Draw images."""
        for seed, name in enumerate(names):
            draw_image(self.path / "pictures" / name, seed)

    def text(self, name: str, text: str) -> None:
        """Write a file."""
        (self.path / name).write_text(text, encoding="utf-8")

    def asked(
        self,
        *files: str,
        root: str = "pictures",
        annotations: Sequence[str] = (),
        kept: Path | None = None,
        **columns: str,
    ) -> Asked:
        """Read files of questions."""
        self.notes.clear()
        (self.path / root).mkdir(exist_ok=True)
        return read_asked(
            *([self.path / name for name in files], {**COLUMNS, **columns}, self.path / root),
            *(self.notes, [self.path / name for name in annotations], kept),
        )

    def read(self, *files: str, **about: Any) -> list[Question]:
        """The questions of files."""
        return self.asked(*files, **about).questions

    def noted(self) -> str:
        """What was noted, in one text, without the folder."""
        return "\n".join(self.notes).replace(f"{self.path}/", "")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def told(questions: Sequence[Question]) -> list[tuple[str, str, str]]:
    """Image, question and answer of those that can be asked."""
    return [(q.image, q.question, q.answer) for q in questions if q.reason is None]


def reasons(questions: Sequence[Question]) -> list[str]:
    return [question.reason for question in questions if question.reason is not None]


# POPE ------------------------------------------------------------------------------------------

POPE = [
    {"question_id": 1, "image": "COCO_val2014_000000000007.png", "text": "Is there a mug in it?"},
    {"question_id": 2, "image": "COCO_val2014_000000000007.png", "text": "Is there a yak in it?"},
]


def pope(*more: dict[str, Any]) -> str:
    rows = [{**POPE[0], "label": "yes"}, {**POPE[1], "label": "no"}, *more]
    return "\n".join(map(json.dumps, rows))


@pytest.mark.parametrize("name", ["coco_pope_random.json", "coco_pope_random.jsonl"])
def test_pope_is_read_from_json_lines_whatever_they_are_called(folder: Folder, name: str) -> None:
    folder.images("COCO_val2014_000000000007.png")
    folder.text(name, pope())
    assert told(folder.read(name)) == [
        ("COCO_val2014_000000000007.png", "Is there a mug in it?", "yes"),
        ("COCO_val2014_000000000007.png", "Is there a yak in it?", "no"),
    ]
    assert folder.noted() == f"{name} is a set of questions in the form of POPE: 2 yes/no questions"


def test_a_name_of_a_set_is_found_in_whatever_folder_if_there_is_one(folder: Folder) -> None:
    folder.images("val2014/COCO_val2014_000000000007.png")
    folder.text("pope.json", pope({**POPE[0], "image": "8.png", "label": "no"}))
    found = folder.read("pope.json")
    assert {image for image, *_ in told(found)} == {"val2014/COCO_val2014_000000000007.png"}
    assert "no such image below" in reasons(found)[0]
    folder.images("other/COCO_val2014_000000000007.png")
    first = reasons(folder.read("pope.json"))[0]
    assert first.startswith(
        "several images may be meant by COCO_val2014_000000000007.png: "
        "other/COCO_val2014_000000000007.png, val2014/COCO_val2014_000000000007.png. Set vqa.root"
    )
    # One of the same name but another ending may be another image.
    folder.text(
        "png.json", json.dumps({**POPE[0], "image": "9.jpg", "label": "no"}) + "\n" + pope()
    )
    folder.images("9.png")
    assert "no such image below" in reasons(folder.read("png.json"))[0]


def test_questions_of_several_files_are_asked_once_and_named_with_their_file(
    folder: Folder,
) -> None:
    folder.images("COCO_val2014_000000000007.png")
    folder.text("a.json", pope())
    folder.text("b.json", pope({**POPE[1], "text": "Is there a hat in it?", "label": "no"}))
    found = folder.read("a.json", "b.json")
    assert [(Path(q.file).name, q.line) for q in found] == [
        *(("a.json", 1), ("a.json", 2), ("b.json", 1), ("b.json", 2), ("b.json", 3))
    ]
    first = folder.path / "a.json"
    assert reasons(found) == [f"the same question as on line {n} of {first}" for n in (1, 2)]
    folder.text("c.json", pope({**POPE[0], "label": "no"}))
    contradicted = reasons(folder.read("a.json", "c.json"))
    assert contradicted[0] == (
        f"also asked on line 1 of {folder.path / 'c.json'}, 3 of {folder.path / 'c.json'}, but "
        "with a different answer"
    )


def test_columns_that_are_named_are_read_as_they_are_named(folder: Folder) -> None:
    folder.images("COCO_val2014_000000000007.png")
    folder.text("pope.json", pope())
    assert len(told(folder.read("pope.json", question="text", answer="label"))) == 2
    assert folder.notes == []
    with pytest.raises(TableError, match="no column 'answer'"):
        folder.read("pope.json", question="text")


def test_a_file_of_two_forms_is_refused(folder: Folder) -> None:
    row = {"id": "a", "question": "Is it?", "choices": ["yes", "no"], "answer": "yes"}
    folder.text(
        "q.json", json.dumps([{**row, "item_id": "a", "question_natural_language": "Is it?"}])
    )
    with pytest.raises(TableError, match=r"may be of TIFA and DSG, by its columns .*vqa\.columns"):
        folder.read("q.json")


# TIFA and DSG ----------------------------------------------------------------------------------


def tifa(*questions: tuple[str, str, list[str], str]) -> str:
    """A file in the form of TIFA."""
    return json.dumps(
        [
            {
                **{"id": item, "caption": f"a text for {item}", "question": question},
                **{"choices": choices, "answer": answer, "element_type": "object", "element": "x"},
            }
            for item, question, choices, answer in questions
        ]
    )


TIFA = tifa(
    ("coco_1", "is this a mug?", ["yes", "no"], "yes"),
    ("coco_1", "what is this?", ["mug", "hat", "yak"], "mug"),
    ("coco_12", "is this a hat?", ["yes", "no"], "no"),
)


def test_tifa_asks_about_every_image_of_a_prompt_by_every_generator(folder: Folder) -> None:
    folder.images("muse/coco_1.png", "muse/coco_12.png", "dream/coco_1_0.png", "dream/coco_1_1.png")
    folder.text("tifa.json", TIFA)
    asked = folder.asked("tifa.json")
    found = asked.questions
    assert [(q.image, q.generator, q.group, q.answer) for q in found if q.reason is None] == [
        ("dream/coco_1_0.png", "dream", "coco_1", "yes"),
        ("dream/coco_1_1.png", "dream", "coco_1", "yes"),
        ("muse/coco_1.png", "muse", "coco_1", "yes"),
        ("muse/coco_12.png", "muse", "coco_12", "no"),
    ]
    assert reasons(found) == [
        f"no image of coco_12 below {folder.path}/pictures/dream, called coco_12 or coco_12_1, or "
        "in a folder coco_12"
    ]
    assert asked.prompts
    assert folder.notes == [
        f"{folder.path}/tifa.json is a set of questions in the form of TIFA: 2 yes/no questions; "
        "passed over are those with other choices than yes and no, 1",
        f"{folder.path}/tifa.json: below {folder.path}/pictures are 4 images of 2 of its 2 "
        "prompts, by the generators dream, muse",
    ]


@pytest.mark.parametrize(
    ("image", "generator"),
    [
        ("coco_1.png", None),
        ("coco_1_seed7.png", None),
        ("coco_1-00003.png", None),
        ("images/coco_1.png", None),
        ("images/muse/coco_1.png", "muse"),
        ("muse/images/coco_1.png", "muse"),
        ("coco_1/0001.png", None),
        ("muse/coco_1/samples/0001.png", "muse"),
    ],
)
def test_an_image_of_a_prompt_is_told_by_its_name_or_its_folder(
    folder: Folder, image: str, generator: str | None
) -> None:
    folder.images(image)
    folder.text("tifa.json", tifa(("coco_1", "is this a mug?", ["yes", "no"], "yes")))
    (question,) = folder.read("tifa.json")
    assert (question.image, question.generator, question.reason) == (image, generator, None)


def test_images_of_no_prompt_are_noted_and_links_are_not_followed(folder: Folder) -> None:
    folder.images("coco_1.png", "coco_2.png", "grid.png")
    (folder.path / "elsewhere").mkdir()
    os.symlink(folder.path / "elsewhere", folder.path / "pictures" / "muse")
    folder.text("tifa.json", TIFA)
    found = folder.read("tifa.json")
    assert len(told(found)) == 1
    assert "(links to folders are not followed: muse)" in reasons(found)[0]
    assert "2 images below pictures are of no prompt of it, and nothing is asked about them: " in (
        folder.noted()
    )
    assert "coco_2.png, grid.png" in folder.noted()


DSG = """\
item_id,text,keywords,proposition_id,dependency,category_broad,category_detailed,tuple,\
question_natural_language
mj_3,"A mug, blue",mug,1,0,entity,whole,entity - whole (mug),Is there a mug?
mj_3,"A mug, blue","mug, blue",2,1,attribute,color,"attribute - color (mug, blue)",Is the mug blue?
"""


@pytest.mark.parametrize("separator", [",", ";"])
def test_dsg_asks_what_should_be_there(folder: Folder, separator: str) -> None:
    folder.images("mj_3.png")
    rows = csv.reader(io.StringIO(DSG))
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    folder.text("dsg.csv", text.getvalue())
    found = folder.read("dsg.csv")
    assert [(q.question, q.answer, q.line) for q in found if q.reason is None] == [
        ("Is there a mug?", "yes", 2),
        ("Is the mug blue?", "yes", 3),
    ]
    assert "in the form of DSG: 2 questions, whose answers are all yes" in folder.noted()


def test_questions_beside_a_set_take_its_generators_and_groups(folder: Folder) -> None:
    """So a file of three columns, with questions whose answer is no, can stand beside a set."""
    folder.images("muse/coco_1.png", "dream/coco_1.png", "cup.png")
    folder.text("tifa.json", tifa(("coco_1", "is this a mug?", ["yes", "no"], "yes")))
    folder.text("no.csv", "image,question,answer\nmuse/coco_1.png,Is it?,no\ncup.png,Is it?,no\n")
    for files in (("tifa.json", "no.csv"), ("no.csv", "tifa.json")):
        found = folder.read(*files)
        assert reasons(found) == []
        assert {(q.image, q.generator, q.group) for q in found} == {
            *(("muse/coco_1.png", "muse", "coco_1"), ("dream/coco_1.png", "dream", "coco_1")),
            ("cup.png", None, None),
        }
    folder.text("no.csv", "image,question,answer,generator\nmuse/coco_1.png,Is it?,no,dream\n")
    with pytest.raises(
        TableError, match=r"has generator 'muse' .*, but generator 'dream' on line 2"
    ):
        folder.read("tifa.json", "no.csv")


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_that_all_answers_are_the_same_is_said(folder: Folder, answer: str) -> None:
    folder.images("coco_1.png")
    asked = [("coco_1", f"is this {n}?", ["yes", "no"], answer) for n in range(10)]
    folder.text("tifa.json", tifa(*asked))
    folder.read("tifa.json")
    assert f"the answer to all 10 questions is {answer}: a model that always says {answer} is" in (
        folder.noted()
    )
    folder.text("tifa.json", tifa(*asked[1:], ("coco_1", "is it?", ["yes", "no"], "yes")))
    folder.read("tifa.json")
    assert ("the answer to all" in folder.noted()) == (answer == "yes")
    folder.text("tifa.json", tifa(*asked[1:]))
    folder.read("tifa.json")
    assert "the answer to all" not in folder.noted()


# VQA v2 ----------------------------------------------------------------------------------------


def annotation(about: int, image: int, kind: str, most: str, *answers: str) -> dict[str, Any]:
    each = [
        {"answer": a, "answer_confidence": "yes", "answer_id": n} for n, a in enumerate(answers)
    ]
    return {
        **{"question_type": "is", "multiple_choice_answer": most, "answers": each},
        **{"image_id": image, "answer_type": kind, "question_id": about},
    }


def pair(folder: Folder, asked: list[dict[str, Any]], answered: list[dict[str, Any]]) -> None:
    """Write both files, with what surrounds the lists in those that are published."""
    about = {"info": {"year": 0}, "license": {"name": "none"}, "data_subtype": "val2014"}
    folder.text("q.json", json.dumps({**about, "questions": asked}))
    folder.text("a.json", json.dumps({**about, "annotations": answered, "data_type": "mscoco"}))


def question(about: int, image: int, text: str) -> dict[str, Any]:
    return {"image_id": image, "question": text, "question_id": about}


def test_vqa2_asks_the_yes_no_questions_of_a_pair_of_files(folder: Folder) -> None:
    folder.images("val2014/COCO_val2014_000000000007.png", "000000000008.png", "9.png")
    pair(
        folder,
        [
            question(70, 7, "Is it red?"),
            question(71, 7, "What is it?"),
            question(80, 8, "Is it new?"),
            question(90, 9, "Is it?"),
        ],
        [
            annotation(90, 9, "yes/no", "no", *["no"] * 10),
            annotation(70, 7, "yes/no", "yes", *["yes"] * 6, *["no"] * 4),
            annotation(71, 7, "other", "mug", *["mug"] * 10),
            annotation(80, 8, "yes/no", "no", *["no"] * 4, *["yes"] * 3, *["maybe"] * 3),
        ],
    )
    found = folder.read("q.json", annotations=["a.json"])
    assert told(found) == [
        ("val2014/COCO_val2014_000000000007.png", "Is it red?", "yes"),
        ("000000000008.png", "Is it new?", "no"),
        ("9.png", "Is it?", "no"),
    ]
    assert [q.line for q in found] == [1, 3, 4]
    assert folder.noted() == (
        "q.json is a set of questions in the form of VQA v2: 3 yes/no questions; passed over are 1 "
        "of the type 'other'"
    )


def test_what_people_do_not_agree_on_in_vqa2_is_left_out_with_the_reason(folder: Folder) -> None:
    folder.images("7.png")
    pair(
        folder,
        [question(number, 7, f"Is it {number}?") for number in range(70, 76)],
        [
            annotation(70, 7, "yes/no", "yes", *["yes"] * 5, *["no"] * 5),
            annotation(71, 7, "yes/no", "yes", *["yes"] * 4, *["no"] * 6),
            annotation(72, 7, "yes/no", "left", "left", "left", "yes"),
            annotation(73, 7, "yes/no", "yes"),
            annotation(74, 8, "yes/no", "yes", "yes"),
            annotation(99, 7, "number", "2", "2"),
        ],
    )
    found = folder.read("q.json", annotations=["a.json"])
    assert told(found) == [("7.png", "Is it 73?", "yes")]
    assert reasons(found) == [
        "of 10 people as many say yes as say no (5), so that neither is true",
        "its multiple_choice_answer is 'yes', but of 10 people 6 say no",
        "the answer must be yes or no (or true/false, 1/0); found 'left'",
        f"its image_id is 7, and 8 in {folder.path}/a.json: the files do not belong together",
        f"no annotation with its question_id, 75, in {folder.path}/a.json",
    ]
    assert "a.json: 1 annotations are about no question of " in folder.noted()
    assert "with the question_id 99" in folder.noted()
    assert "q.json: 1 questions have no annotation in " in folder.noted()


def test_an_image_id_must_mean_one_image(folder: Folder) -> None:
    folder.images("val2014/COCO_val2014_000000000007.png", "val2017/000000000007.png")
    asked = [question(70, 7, "Is it?"), question(80, 8, "Is it?"), question(90, -9, "Is it?")]
    answered = [annotation(q["question_id"], q["image_id"], "yes/no", "no") for q in asked]
    pair(folder, asked, answered)
    found = folder.read("q.json", annotations=["a.json"])
    assert reasons(found) == [
        "several images may be meant by image_id 7: val2014/COCO_val2014_000000000007.png, "
        "val2017/000000000007.png. Set vqa.root to the folder of one of them",
        f"no image of image_id 8 below {folder.path}/pictures, called COCO_val2014_000000000008, "
        "000000000008 or 8",
        "the image_id must be a number; found -9",
    ]
    found = folder.read("q.json", annotations=["a.json"], root="pictures/val2017")
    assert told(found) == [("000000000007.png", "Is it?", "no")]


@pytest.mark.parametrize(
    ("files", "annotations", "message"),
    [
        (["q.json"], [], r"q\.json holds the questions of VQA v2, .* vqa\.annotations"),
        (["a.json"], [], r"a\.json holds the annotations of VQA v2: name it in vqa\.annotations"),
        (["a.json"], ["q.json"], r"a\.json holds the annotations of VQA v2: name it in"),
        (["q.json"], ["q.json"], r"q\.json, in vqa\.annotations, does not hold the annotations"),
        (["pope.json"], ["a.json"], r"pope\.json is not a file of questions of VQA v2"),
        (["q.json", "q2.json"], ["a.json"], "1 files in vqa.annotations, and 2 in vqa.questions"),
        (["q2.json"], ["a.json"], "q2.json: two questions with the question_id 70"),
        (["q.json"], ["a2.json"], "a2.json: two annotations with the question_id 70"),
        (["q.json"], ["a3.json"], "number 2 of its annotations has no answer_type and no multiple"),
        (["q.json"], ["a4.json"], "a4.json, among its annotations: expected a comma or the end"),
        (["q.json"], ["a5.json"], "a5.json, among its annotations: "),
    ],
)
def test_files_of_vqa2_that_are_no_pair_are_refused(
    folder: Folder, files: list[str], annotations: list[str], message: str
) -> None:
    pair(folder, [question(70, 7, "Is it?")], [annotation(70, 7, "yes/no", "no")])
    folder.text("pope.json", pope())
    folder.text("q2.json", json.dumps({"questions": [question(70, 7, "Is it?")] * 2}))
    one = annotation(70, 7, "yes/no", "no")
    folder.text("a2.json", json.dumps({"annotations": [one, one]}))
    folder.text("a3.json", json.dumps({"annotations": [one, {"question_id": 1, "image_id": 2}]}))
    folder.text("a4.json", json.dumps({"annotations": [one]}).replace("}]}", "}7]}"))
    folder.text("a5.json", json.dumps({"annotations": [one]})[:-20])
    with pytest.raises(TableError, match=message):
        folder.read(*files, annotations=annotations)


def test_a_set_is_read_again_only_if_a_file_changes(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.images("7.png")
    asked, answered = question(70, 7, "Is it?"), annotation(70, 7, "yes/no", "no")
    pair(
        folder, [asked, question(71, 7, "What is it?")], [answered, annotation(71, 7, "other", "x")]
    )
    kept = folder.path / "kept"
    first = folder.read("q.json", annotations=["a.json"], kept=kept)
    noted = folder.noted()
    with monkeypatch.context() as patch:
        patch.setattr("synthsight.vqa.sets.reading.read_pair", lambda *_: 1 / 0)
        assert folder.read("q.json", annotations=["a.json"], kept=kept) == first
        assert folder.noted() == noted
        (folder.path / "pictures" / "7.png").unlink()  # images are looked for each time
        assert (
            "no image of image_id 7"
            in reasons(folder.read("q.json", annotations=["a.json"], kept=kept))[0]
        )
        for path in (kept / "questions").iterdir():
            path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(ZeroDivisionError):
            folder.read("q.json", annotations=["a.json"], kept=kept)
    folder.images("7.png")
    assert folder.read("q.json", annotations=["a.json"], kept=kept) == first
    pair(folder, [asked], [{**answered, "multiple_choice_answer": "yes"}])
    assert told(folder.read("q.json", annotations=["a.json"], kept=kept)) == [
        ("7.png", "Is it?", "yes")
    ]


def test_what_is_no_text_is_read_each_time(folder: Folder) -> None:
    """A question that is a mapping is left out with the same reason at each start."""
    pair(
        folder, [{**question(70, 7, ""), "question": {"a": 1}}], [annotation(70, 7, "yes/no", "no")]
    )
    folder.images("7.png")
    for _ in range(2):
        found = folder.read("q.json", annotations=["a.json"], kept=folder.path / "kept")
        assert "the question must be text; found dict" in reasons(found)[0]
    assert given_module._recall(folder.path / "none") is None


def test_a_list_in_a_mapping_is_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthsight.json_rows._CHUNK", 3)
    content = {
        "a": {"questions": 1},
        "n": 12345,
        "list": [1234567, 'ä"]', {"x": [1.5e3]}, -7],
        "b": 0,
    }
    for indent in (None, 2):
        path = tmp_path / f"{indent}.json"
        path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
        assert list(entries_of(path, "list")) == content["list"]
        assert keys_of(path) == ["a", "n", "list"]
    for text, message in (
        ('{"list": [1}', "expected a comma or the end of the list"),
        ('{"list": [1', "expected a comma or the end of the list"),
        ('{"list": [1]', "expected a comma or the end of the mapping"),
        ('{"list": [1]} 2', "text after the end"),
        ('{"list": [1], "list": [2]}', "occurs twice"),
        ('{"list": 1}', "is not a list"),
        ("{}", "no list 'list'"),
        ("[1]", "expected '{'"),
        ("", "expected '{', found 'its end'"),
        ('{"list": ' + "[" * 100_000, "nested too deeply"),
    ):
        path.write_text(text)
        with pytest.raises(JsonError, match=message):
            list(entries_of(path, "list"))


# VLMEvalKit ------------------------------------------------------------------------------------


def kit(*rows: str) -> str:
    return "\n".join(["index\timage\tquestion\tanswer\tcategory", *rows, ""])


def encoded(folder: Folder, image: str, more: int = 0) -> str:
    """An image as base64, made larger by some bytes behind it."""
    content = (folder.path / "pictures" / image).read_bytes()
    return base64.b64encode(content + bytes(more)).decode()


@pytest.mark.parametrize("more", [0, 150_000])  # more than the csv module takes by itself
def test_rows_of_vlmevalkit_are_about_the_images_that_it_has_written(
    folder: Folder, more: int
) -> None:
    folder.images("sub/10.png")
    code = encoded(folder, "sub/10.png", more)
    folder.text("POPE.tsv", kit(f"10\t{code}\tIs it?\tYes\tx", f"11\t{code}\tIs it not?\tNo\tx"))
    found = folder.read("POPE.tsv", kept=folder.path / "kept")
    assert told(found) == [("sub/10.png", "Is it?", "yes")]
    assert reasons(found) == [f"no image of 11 below {folder.path}/pictures, called 11"]
    (path,) = (folder.path / "kept" / "questions").iterdir()
    assert path.stat().st_size < 5_000  # without the images


def test_images_in_a_table_are_answered_with_the_command_that_writes_them(folder: Folder) -> None:
    folder.images("a.png")
    code = encoded(folder, "a.png")
    folder.text("POPE.tsv", kit(f"10\t{code}\tIs it?\tYes\tx"))
    with pytest.raises(TableError, match=r"no image is called like a row.*`synthsight unpack"):
        folder.read("POPE.tsv")
    folder.text("q.csv", f"image,question,answer\n{code},Is it?,yes\n")
    with pytest.raises(
        TableError, match=r"'image' holds the images themselves.*`synthsight unpack"
    ):
        folder.read("q.csv")


def test_a_cell_that_is_too_large_may_be_an_image(folder: Folder) -> None:
    folder.images("a.png")
    code = encoded(folder, "a.png", 150_000)
    folder.text("q.tsv", kit(f"10\t{code}\tIs it?\tYes\tx"))
    with pytest.raises(TableError, match=r"line 2: field larger .*If it is an image, `synthsight"):
        folder.read("q.tsv", image="index")


def test_paths_of_vlmevalkit_come_before_numbers(folder: Folder) -> None:
    folder.images("sub/a.png", "10.png")
    folder.text("q.tsv", "index\timage_path\tquestion\tanswer\n10\tsub/a.png\tIs it?\tYes\n")
    assert told(folder.read("q.tsv")) == [("sub/a.png", "Is it?", "yes")]
