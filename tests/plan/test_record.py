"""What a run's plan says of the files in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.canonical import canonical_json
from synthsight.plan.record import OWN, Record, Wanted, leftovers, read_record, write_record
from synthsight.plan.standing import describe_leftovers

TABLE = Wanted("tabulate", '{"level":0.9}', "c0de", ("results/a/tables/kappa.parquet",))


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    logits = ("results/a/logits/m/b.parquet", "results/a/logits/m/c.parquet")
    inputs = ("fetch_weights weights/m *.json", f"prepare_pixels g/{OWN}.arrow")
    made = Wanted("classify", canonical_json({"model": "é"}), None, logits, inputs, temporary=True)
    record = Record("results/a", "words/simple", 0.95, (TABLE, made))
    write_record(record, tmp_path)
    assert read_record(tmp_path) == record
    assert made.inputs_of(logits[1]) == [inputs[0], "prepare_pixels g/c.arrow"]


def test_a_plan_that_cannot_be_written_leaves_no_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(Record("results/a", "classes", 0.95, (TABLE,)), tmp_path)

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synthsight.plan.record.atomic", full)
    write_record(Record("results/a", "classes", 0.9, (TABLE,)), tmp_path)
    with pytest.raises(FileNotFoundError):
        read_record(tmp_path)


def test_what_no_longer_belongs_to_a_configuration_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        *("tables/kappa.parquet", "tables/kappa.csv", "tables/.1.kappa.csv", "report.html"),
        *("logs/old.log", "thumbnails/images/old.parquet"),
        *("tables/vqa.csv", "logits/old/b.parquet", "vqa/answers/old/1.parquet", "images/x"),
    ):
        path = Path("results", "a", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = leftovers([TABLE], "results/a")
    assert [path.removeprefix("results/a/") for path in found] == [
        *("images/x", "logits/old/b.parquet", "tables/vqa.csv", "vqa/answers/old/1.parquet")
    ]
    assert leftovers([TABLE], "results/b") == []


def test_what_a_server_has_answered_is_nothing_that_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be had again, so nobody is advised to remove it."""
    monkeypatch.chdir(tmp_path)
    for name in ("journal/gone/1.jsonl", "answers/gone/1.parquet"):
        path = Path("results/a/vqa") / name
        path.parent.mkdir(parents=True)
        path.touch()
    assert leftovers([TABLE], "results/a") == ["results/a/vqa/answers/gone/1.parquet"]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (["a/b"], "a holds a file that does not belong to the configuration: a/b. It is not read"),
        (
            list("bcdefg"),
            "a holds 6 files that do not belong to the configuration: b, c, d, e and ",
        ),
    ],
)
def test_leftovers_are_counted_and_a_few_are_named(left: list[str], said: str) -> None:
    assert str(describe_leftovers(left, "a")).startswith(said)
    assert describe_leftovers([], "a") is None
