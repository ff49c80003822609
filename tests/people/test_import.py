"""What people say: files as people write them, joined to a run's images and questions."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.people import finding, import_people
from synthsight.people.disguise import disguised
from synthsight.people.finding import RatedImages
from synthsight.people.import_people import (
    Given,
    Imported,
    PeopleError,
    import_answers,
    import_labels,
)
from synthsight.people.responses import read_responses, vocabulary_of
from synthsight.rating.pictures import choose_images
from synthsight.tabular import TableError

COLUMNS = {name: name for name in ("rater", "image", "question", "response")}
CATEGORIES = ("clock", "sun glass", "toilet_seat")

#: Lines of a file of model-vs-human, as people's files there are written.
TOOLBOX = """\
subj,Session,trial,rt,object_response,category,condition,imagename
subject-01,1,1,0.796405076980591,clock,clock,cr,0001_cl_s01_cr_clock_40_n04111531_14126.png
subject-01,1,2,NaN,na,toilet_seat,bw,0002_cl_s01_bw_toilet_40_n02134084_5274.png
subject-01,1,3,0.6,clock,clock,bw,0003_cl_s01_bw_toilet_40_n02134084_5274.png
subject-02,1,1,0.5,toilet_seat,clock,cr,0077_cl_s02_cr_clock_40_n04111531_14126.png
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def manifest(rows: Sequence[dict[str, Any]], real: Sequence[str] = ()) -> None:
    """Write a manifest, and where its usable images come from."""
    full = [
        {
            "sha256": hashlib.sha256(row["image"].encode()).hexdigest(),
            "generator": row["image"].split("/")[0],
            "status": "ok",
            "reason": None,
            "group": row["image"],
            **row,
        }
        for row in rows
    ]
    for row in full:
        row["real"] = row["generator"] in real
    pq.write_table(pa.Table.from_pylist(full), "manifest.parquet")
    used = [row for row in full if row["status"] == "ok" and not row.get("why")]
    why = {row["image"]: row.get("why") or row["reason"] for row in full if row not in used}
    excluded = {
        "image": pa.array([*why], pa.string()),
        "reason": pa.array([*why.values()], pa.string()),
    }
    pq.write_table(pa.table(excluded), "excluded.parquet")
    names = ("image", "category", "generator", "group", "real")
    columns = [{name: row[name] for name in names} for row in used]
    pq.write_table(pa.Table.from_pylist(columns), "sources.parquet")


def sha256(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


IMAGES = [
    {"image": "dream/clock/1.png", "category": "clock", "group": "clock//a"},
    {"image": "dream/Clock/B.PNG", "category": "clock"},
    {"image": "muse/toilet_seat/1.png", "category": "toilet_seat"},
    {"image": "muse/toilet_seat/2.png", "category": "toilet_seat", "why": "the same file as 'a'"},
    {"image": "muse/toilet_seat/3.png", "category": "toilet_seat", "why": "no prediction of told"},
    {
        "image": "muse/clock/bad.png",
        "category": "clock",
        "status": "excluded",
        "reason": "truncated",
    },
]


def given(*texts: str, **columns: str) -> Given:
    files = {}
    for number, text in enumerate(texts):
        path = Path(f"people{number}.csv")
        path.write_text(text, encoding="utf-8")
        files[str(path)] = hashlib.sha256(text.encode()).hexdigest()
    return Given(files, {**COLUMNS, **columns})


def labels(*texts: str, images: Sequence[dict[str, Any]] = IMAGES, **columns: str) -> Imported:
    manifest(images, real=["muse"])
    about = given(*texts, **columns)
    return import_labels(
        about,
        ["manifest.parquet"],
        "sources.parquet",
        CATEGORIES,
        "pictures",
        ["excluded.parquet"],
    )


def test_labels_are_joined_to_what_is_known_of_their_images() -> None:
    found = labels(
        "rater,image,response\nann,dream/clock/1.png,clock\nann,muse/toilet_seat/1.png,other\n"
    )
    assert found.table.to_pylist() == [
        {
            "rater": "ann",
            "image": "dream/clock/1.png",
            "category": "clock",
            "generator": "dream",
            "group": "clock//a",
            "real": False,
            "response": "clock",
            "correct": True,
        },
        {
            "rater": "ann",
            "image": "muse/toilet_seat/1.png",
            "category": "toilet_seat",
            "generator": "muse",
            "group": None,
            "real": True,
            "response": "other",
            "correct": False,
        },
    ]
    assert found.excluded == []
    assert found.notes == ["people0.csv: 2 labels of 1 rater about 2 images"]


def test_what_the_rating_page_writes_is_read_with_its_disguised_names() -> None:
    name = disguised("dream/clock/1.png", sha256("dream/clock/1.png"))
    found = labels(f"rater,image,response,seconds\nann,{name},cannot tell,2.5\n")
    (row,) = found.table.to_pylist()
    assert (row["image"], row["response"], row["correct"]) == (
        *("dream/clock/1.png", "cannot tell"),
        False,
    )
    assert len(found.notes) == 1, "a disguised name is not written otherwise"


def test_a_label_of_an_image_that_has_changed_since_does_not_count() -> None:
    old = disguised("dream/clock/1.png", sha256("what it was"))
    found = labels(f"rater,image,response\nann,{old},clock\nbob,dream/clock/1.png,clock\n")
    assert found.table["rater"].to_pylist() == ["bob"]
    (lost,) = found.excluded
    assert "its file has changed since people saw it" in str(lost.reason)


def test_what_people_have_rated_counts_though_the_page_shows_other_pictures_by_then() -> None:
    images = [
        {"image": f"{generator}/{category}/0.png", "category": category}
        for category in ("clock", "toilet_seat")
        for generator in ("dream", "muse")
    ]
    manifest(images)
    before, now = (set(choose_images("sources.parquet", limit, 0)) for limit in (2, 3))
    assert before - now, "a larger number may show others"
    rows = "".join(f"ann,{disguised(image, sha256(image))},other\n" for image in sorted(before))
    found = labels(f"rater,image,response\n{rows}", images=images)
    assert set(found.table["image"].to_pylist()) == before and found.excluded == []


@pytest.mark.parametrize(
    ("written", "image"),
    [
        ("dream\\clock\\1.png", "dream/clock/1.png"),
        ("DREAM/clock/1.PNG", "dream/clock/1.png"),
        ("./dream/clock/1.png", "dream/clock/1.png"),
        ("pictures/dream/clock/1.png", "dream/clock/1.png"),
        ("b.png", "dream/Clock/B.PNG"),
        ("clock/1.png", "dream/clock/1.png"),
    ],
)
def test_a_path_that_can_only_mean_one_image_is_taken_for_it_and_noted(
    written: str, image: str
) -> None:
    found = labels(f"rater,image,response\nann,{written},clock\n")
    assert found.table["image"].to_pylist() == [image]
    assert found.notes[1] == (
        f"people0.csv: 1 image is written otherwise than in the run and is taken for that, the "
        f"first: {written!r} for {image!r}"
    )


def test_a_path_from_the_root_on_is_taken_wherever_the_root_lies() -> None:
    root = Path("pictures").absolute()
    found = labels(f"rater,image,response\nann,{root}/dream/clock/1.png,clock\n")
    assert found.table["image"].to_pylist() == ["dream/clock/1.png"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ann,1.png,clock", "it may be any of dream/clock/1.png, muse/toilet_seat/1.png: write"),
        (
            "ann,dream/clock/9.png,clock",
            "no such image in the run; did you mean 'dream/clock/1.png'",
        ),
        ("ann,elsewhere/dream/clock/1.png,clock", "no such image in the run"),
        ("ann,muse/clock/bad.png,clock", "the image is excluded: truncated"),
        ("ann,muse/toilet_seat/2.png,clock", "the image is left out: the same file as 'a'"),
        ("ann,muse/toilet_seat/3.png,clock", "the image is left out: no prediction of told"),
        ("ann,dream/clock/1.png,clok", "not one of the possible responses; did you mean 'clock'?"),
        ("ann,dream/clock/1.png,", "no response; who cannot tell says 'cannot tell'"),
        (",dream/clock/1.png,clock", "no rater"),
        ("*,dream/clock/1.png,clock", "a rater cannot be called '*'"),
        ("ann,,clock", "no image"),
        ("zoe,dream/clock/1.png,other", "the rater has said it before (line 2)"),
    ],
)
def test_what_cannot_count_is_left_out_with_line_and_reason(row: str, reason: str) -> None:
    found = labels(f"rater,image,response\nzoe,dream/clock/1.png,clock\n{row}\n")
    assert found.table["correct"].to_pylist() == [True], "the first counts"
    (lost,) = found.excluded
    assert (lost.file, lost.line) == ("people0.csv", 3)
    assert str(lost.reason).startswith(reason)
    assert "1 of 2 rows is left out; tables/people_excluded.csv says which" in found.notes[0]


def test_a_rater_who_says_it_again_in_another_file_is_told_where() -> None:
    text = "rater,image,response\nann,dream/clock/1.png,{}\n"
    found = labels(text.format("clock"), text.format("other"))
    assert found.table["response"].to_pylist() == ["clock"]
    assert found.excluded[0].reason == "the rater has said it before (people0.csv, line 2)"


def test_raters_whose_names_look_alike_are_noted() -> None:
    rows = "".join(f"{name},dream/clock/1.png,clock\n" for name in ("Ann", "ann"))
    found = labels(f"rater,image,response\n{rows}")
    assert "the raters 'Ann' and 'ann' count as 2 people" in found.notes[1]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_rater_called_by_a_number_is_one_person_however_the_number_is_written(
    ending: str,
) -> None:
    names = ("1", "1.0", "01", "1.5", "v1.0")
    if ending == "csv":  # JSON's 1 and 1.0 are numbers, too
        rows = "".join(f"{name},dream/clock/1.png,clock\n" for name in names)
        Path("a.csv").write_text(f"rater,image,response\n{rows}")
    else:
        about = '"image": "dream/clock/1.png", "response": "clock"'
        given_names = ("1", "1.0", '"01"', "1.5", '"v1.0"')
        Path("a.jsonl").write_text("\n".join(f'{{"rater": {n}, {about}}}' for n in given_names))
    found = read_responses(Path(f"a.{ending}"), COLUMNS, "labels", [])
    assert [each.rater for each in found] == ["1", "1", "01", "1.5", "v1.0"]


def test_an_export_with_decimal_numbers_repeats_what_the_same_raters_have_said() -> None:
    text = "rater,image,response\n{},dream/clock/1.png,clock\n"
    found = labels(text.format("1"), text.format("1.0"))
    assert found.table["rater"].to_pylist() == ["1"]
    assert found.excluded[0].reason == "the rater has said it before (people0.csv, line 2)"


def test_nothing_that_can_be_used_is_an_error_with_the_first_reason() -> None:
    with pytest.raises(
        PeopleError, match=r"people0\.csv: none of 1 response can be used; line 2: no such"
    ):
        labels("rater,image,response\nann,x.png,clock\n")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("clock", "clock"), ("CLOCK", "clock"), ("toilet seat", "toilet_seat")),
        *(("Toilet-Seat", "toilet_seat"), ("sunglass", "sun glass"), ("other", "other")),
        *(("Something else", "other"), ("cannot tell", "cannot tell"), ("na", "cannot tell")),
        *(("N/A", "cannot tell"), ("can't tell", "cannot tell"), ("CANNOT_TELL", "cannot tell")),
        *(("clocks", None), ("nan", None), ("?", None)),
    ],
)
def test_responses_are_understood_as_names_of_folders_are(written: str, meant: str | None) -> None:
    assert vocabulary_of(CATEGORIES).meant(written) == meant


def test_a_category_called_other_is_that_category() -> None:
    vocabulary = vocabulary_of(["Other", "clock"])
    assert (vocabulary.meant("other"), vocabulary.meant("na")) == ("Other", "cannot tell")


def test_categories_that_look_alike_are_told_by_their_exact_names_alone() -> None:
    vocabulary = vocabulary_of(["sun glass", "sunglass"])
    assert vocabulary.meant("sunglass") == "sunglass"
    assert vocabulary.meant("Sunglass") is None


# model-vs-human ----------------------------------------------------------------------------------


def test_files_of_model_vs_human_are_read_whatever_number_the_trial_has() -> None:
    images = [
        {"image": f"gen/{category}/{name}", "category": category}
        for category, name in (
            ("clock", "0001_cl_dnn_cr_clock_40_n04111531_14126.png"),
            ("toilet_seat", "0009_cl_dnn_bw_toilet_40_n02134084_5274.png"),
        )
    ]
    found = labels(TOOLBOX, images=images)
    rows = [
        (row["rater"], row["category"], row["response"], row["correct"])
        for row in found.table.to_pylist()
    ]
    assert rows == [
        ("subject-01", "clock", "clock", True),
        ("subject-01", "toilet_seat", "cannot tell", False),
        ("subject-02", "clock", "toilet_seat", False),
    ]
    (lost,) = found.excluded
    assert lost.line == 4
    assert "says that the image shows 'clock', and in the run it shows 'toilet_seat'" in str(
        lost.reason
    )
    notes: list[str] = []
    read_responses(Path("people0.csv"), COLUMNS, "labels", notes)
    assert notes == [], "its other columns are known"


MIXED = """\
subj,imagename,object_response,rater,image,response
s1,clock/x.png,toilet_seat,ann,dream/clock/1.png,clock
"""


def test_the_stated_columns_come_before_those_of_model_vs_human() -> None:
    found = labels(MIXED)
    assert found.table.select(["rater", "response"]).to_pylist() == [
        {"rater": "ann", "response": "clock"}
    ]
    notes: list[str] = []
    read_responses(Path("people0.csv"), COLUMNS, "labels", notes)
    said = "people0.csv: the columns 'subj', 'imagename', 'object_response' are not read"
    assert notes == [said]
    theirs = {"rater": "subj", "image": "imagename", "response": "object_response"}
    (row,) = read_responses(Path("people0.csv"), {**COLUMNS, **theirs}, "labels", [])
    assert (row.rater, row.response) == ("s1", "toilet_seat")


def test_a_file_with_model_vs_human_s_columns_and_some_of_the_others_is_asked_about() -> None:
    Path("a.csv").write_text(MIXED.replace(",image,", ",picture,"))
    with pytest.raises(
        TableError, match=r"model-vs-human .* and 'rater', 'response': which is meant\?"
    ):
        read_responses(Path("a.csv"), COLUMNS, "labels", [])
    (row,) = read_responses(Path("a.csv"), {**COLUMNS, "image": "picture"}, "labels", [])
    assert (row.rater, row.image) == ("ann", "dream/clock/1.png")


def test_model_vs_human_s_columns_may_be_stated_in_part() -> None:
    Path("a.csv").write_text(TOOLBOX)
    found = read_responses(Path("a.csv"), {**COLUMNS, "rater": "subj"}, "labels", [])
    assert (found[0].rater, found[0].stated) == ("subject-01", "clock")


# Files -------------------------------------------------------------------------------------------


def test_all_formats_of_tables_say_the_same() -> None:
    rows = [
        {"rater": 1, "image": "dream/clock/1.png", "response": "clock"},
        {"rater": 2, "image": "dream/clock/1.png", "response": "other"},
    ]
    text = "rater;image;response\n1;dream/clock/1.png;clock\n2;dream/clock/1.png;other\n"
    Path("a.csv").write_text(text)
    Path("a.tsv").write_text(text.replace(";", "\t"))
    Path("a.json").write_text(json.dumps(rows))
    Path("a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), "a.parquet")
    for ending in ("csv", "tsv", "json", "jsonl", "parquet"):
        found = read_responses(Path(f"a.{ending}"), COLUMNS, "labels", [])
        assert [(each.rater, each.response) for each in found] == [("1", "clock"), ("2", "other")]


def test_columns_may_have_other_names_and_further_ones_are_noted() -> None:
    text = "who,file,said,age,seconds\nann,dream/clock/1.png,clock,77,2\n"
    found = labels(text, rater="who", image="file", response="said")
    assert found.table["rater"].to_pylist() == ["ann"]
    notes: list[str] = []
    named = {**COLUMNS, "rater": "who", "image": "file", "response": "said"}
    read_responses(Path("people0.csv"), named, "labels", notes)
    assert notes == ["people0.csv: the columns 'age' are not read"]


def test_a_missing_column_is_named_with_the_key_that_names_it() -> None:
    Path("a.csv").write_text("rater,picture,response\nann,x,y\n")
    with pytest.raises(TableError, match=r"no column 'image'.*people\.columns\.image"):
        read_responses(Path("a.csv"), COLUMNS, "labels", [])


def test_a_file_that_changed_after_the_plan_stops_the_job() -> None:
    about = given("rater,image,response\nann,dream/clock/1.png,clock\n")
    Path("people0.csv").write_text("rater,image,response\nann,dream/clock/1.png,other\n")
    with pytest.raises(Exception, match=r"people0\.csv has changed since the run began"):
        about.read("labels")


@pytest.mark.slow
def test_a_spoiled_file_is_an_error_in_one_line_or_rows_left_out_never_a_traceback() -> None:
    """Sound rows with bytes changed, taken out and put in at random."""
    manifest(IMAGES)
    rng = random.Random(5)
    sound = "rater,image,response\n" + "ann,dream/clock/1.png,clock\nbob,b.png,other\n" * 3
    ends = set()
    for _ in range(300):
        content = bytearray(sound.encode())
        for _ in range(rng.randrange(1, 6)):
            place = rng.randrange(len(content))
            change = rng.choice(("set", "cut", "put", "double"))
            if change == "set":
                content[place] = rng.randrange(256)
            elif change == "cut":
                del content[place : place + rng.randrange(1, 9)]
            elif change == "put":
                content[place:place] = bytes(rng.choice((0, 10, 13, 34, 44, 59, 200)) for _ in "ab")
            else:
                content += content[place:]
        Path("people0.csv").write_bytes(content)
        about = Given({"people0.csv": hashlib.sha256(content).hexdigest()}, COLUMNS)
        try:
            found = import_labels(
                about, ["manifest.parquet"], "sources.parquet", CATEGORIES, "pictures"
            )
        except (TableError, PeopleError) as error:
            assert "\n" not in str(error)
            ends.add(type(error))
        else:
            ends.add(Imported)
            rows = read_responses(Path("people0.csv"), COLUMNS, "labels", [])
            assert len(found.table) + len(found.excluded) == len(rows)
    assert ends == {TableError, Imported}


def test_images_that_differ_in_case_alone_are_told_apart() -> None:
    find = RatedImages(dict.fromkeys(("a/x.png", "a/X.png")), {}, "pictures")
    assert find.find("a/X.png") == ("a/X.png", None)
    assert "it may be any of a/x.png, a/X.png" in str(find.find("A/X.png")[1])


def test_close_names_are_looked_for_among_so_many_names_and_so_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[int] = []
    monkeypatch.setattr(
        finding, "did_you_mean", lambda written, known: looked_at.append(len([*known])) or ""
    )
    find = RatedImages({f"a/{n}.png": None for n in range(12_000)}, {}, "pictures")
    for number in range(22):
        find.find(f"b/x{number}.jpg")
    assert looked_at == [10_000] * 20 + [0] * 2


def test_a_close_response_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        import_people, "did_you_mean", lambda written, known: asked.append(written) or "; so?"
    )
    rows = "".join(f"r{n},dream/clock/1.png,clok\n" for n in range(50))
    found = labels(f"rater,image,response\nann,dream/clock/1.png,clock\n{rows}")
    assert asked == ["clok"]
    assert {each.reason for each in found.excluded} == {"not one of the possible responses; so?"}


# Questions ---------------------------------------------------------------------------------------


def questions() -> None:
    rows = [
        ("a.png", "Is it red?", "yes", "ok", None),
        ("a.png", "Is there a dog?", "no", "ok", None),
        ("b.png", "Is it red?", "no", "excluded", "truncated"),
    ]
    names = ("image", "question", "answer", "status", "reason")
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    digests = pa.array([sha256(image) for image in table["image"].to_pylist()])
    pq.write_table(table.append_column("sha256", digests), "shard.parquet")


def test_answers_are_joined_by_image_and_by_the_question_s_words() -> None:
    questions()
    name = disguised("a.png", sha256("a.png"))
    text = (
        "rater,image,question,response,seconds\n"
        f"ann,{name},Is it red?,yes,1\n"
        "ann,a.png,is there  a dog,True,1\n"
        "bob,a.png,Is it red?,cannot tell,1\n"
        "bob,a.png,Is it blue?,yes,1\n"
        "bob,b.png,Is it red?,yes,1\n"
        "ann,a.png,IS IT RED,no,1\n"
        "ann,a.png,,no,1\n"
    )
    found = import_answers(given(text), ["shard.parquet"], "pictures")
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        ("ann", "a.png", "Is it red?", "yes", "yes", True),
        ("ann", "a.png", "Is there a dog?", "no", "yes", False),
        ("bob", "a.png", "Is it red?", "yes", "cannot tell", False),
    ]
    assert [(each.line, each.reason) for each in found.excluded] == [
        (5, "no such question about this image; did you mean 'is it red'?"),
        (6, "the question is left out: truncated"),
        (7, "the rater has said it before (line 2)"),
        (8, "no question"),
    ]


def test_a_question_that_is_not_asked_is_compared_with_those_of_its_image_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions()
    offered: list[list[str]] = []
    monkeypatch.setattr(
        import_people, "did_you_mean", lambda written, known: offered.append([*known]) or ""
    )
    text = "rater,image,question,response\nann,a.png,Is it red?,yes\nann,b.png,Is it blue?,yes\n"
    import_answers(given(text), ["shard.parquet"], "pictures")
    assert offered == [["is it red"]]


def test_unknown_questions_do_not_cost_a_look_at_all_there_are() -> None:
    rows = [
        {"image": f"{n}.png", "question": "Is it red?", "answer": "yes", "sha256": None}
        for n in range(20_000)
    ]
    table = pa.Table.from_pylist(rows).append_column("status", pa.array(["ok"] * len(rows)))
    pq.write_table(table.append_column("reason", pa.nulls(len(rows), pa.string())), "shard.parquet")

    def seconds(unknown: int) -> float:
        lines = "".join(f"ann,{n}.png,Who?,yes\n" for n in range(unknown))
        text = f"rater,image,question,response\nann,0.png,Is it red?,yes\n{lines}"
        start = time.process_time()
        found = import_answers(given(text), ["shard.parquet"], "pictures")
        assert len(found.excluded) == unknown
        return time.process_time() - start

    assert seconds(1000) - seconds(1) < 0.5, "20 million comparisons take a second"


def test_answers_may_be_sentences_with_one_of_the_two_words() -> None:
    questions()
    text = (
        "rater,image,question,response\n"
        'ann,a.png,Is it red?,"Yes, mostly"\n'
        "ann,a.png,Is there a dog?,No idea\n"
        "bob,a.png,Is it red?,I see no red\n"
        "bob,a.png,Is there a dog?,yes and no\n"
        "eve,a.png,Is it red?,rather orange\n"
    )
    found = import_answers(given(text), ["shard.parquet"], "pictures")
    assert [(row["rater"], row["response"], row["correct"]) for row in found.table.to_pylist()] == [
        ("ann", "yes", True),
        ("ann", "cannot tell", False),
        ("bob", "no", False),
    ]
    assert [(each.line, each.reason) for each in found.excluded] == [
        (5, "not one of the possible responses"),
        (6, "not one of the possible responses"),
    ]
    assert found.notes[-1] == (
        "people0.csv: 2 responses in words of people's own, read by the yes or no in it, the first: "
        "'Yes, mostly' as yes"
    )
