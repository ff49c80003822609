"""``images.marks``: what is said of its files before any job runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from synthsight.plan import specs
from synthsight.plan.config import models
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.files import Files
from tests.plan.test_config import RESOLVED, images, load, write

ROW = "image,mark,remark\npizza/a.png,label wrong,a pie\n"


@pytest.fixture(autouse=True)
def prepared_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "pizza/b.png")
    monkeypatch.setattr(
        models, "resolve_cached", lambda asked, *_: [{"model": RESOLVED} for _ in asked]
    )


def configured(marks: str) -> str:
    return write(images=f"images:\n  root: images\n  marks: {marks}")


def test_files_are_in_the_specs_of_what_they_change_by_their_content() -> None:
    Path("b.csv").write_text(ROW)
    Path("a.csv").write_text(ROW.replace("a.png", "b.png"))
    found = load(configured("[b.csv, a.csv]"))
    digests = {
        name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in ("a.csv", "b.csv")
    }
    assert found.marks == digests
    assert found.excludes_more
    spec = specs.list_excluded(found)
    assert spec == {"marks": digests, "root": found.settings.images.root}
    assert specs.find_sources(found)["marks"] == digests
    assert Files(found).excluded == ["results/test/tables/excluded.parquet"]


def test_without_marks_specs_are_what_they_were() -> None:
    found = load(write())
    assert found.marks == {}
    assert specs.list_excluded(found) == {}
    assert "marks" not in specs.find_sources(found)
    assert "excludes" not in specs.report(found)
    assert "marks" not in specs.report(found)["settings"]["images"]


@pytest.mark.parametrize(
    ("marks", "content", "message"),
    [
        ("none.csv", None, "images.marks: none.csv cannot be read: No such file"),
        ("a.csv", "image,mark\npizza/a.png,ugly\n", "a.csv, line 2: the mark 'ugly'"),
        ("a.csv", "image,marks\npizza/a.png,label wrong\n", "a.csv has no column 'mark'"),
        ("a.csv", "image,mark\n", "a.csv has no marks"),
        ("[a.csv, ./a.csv]", ROW, "'./a.csv' is the same file as 'a.csv': list it once"),
        ("~/a.csv", None, "images.marks: '~/a.csv': "),
    ],
)
def test_what_cannot_be_read_is_said_before_any_job(
    marks: str, content: str | None, message: str
) -> None:
    if content is not None:
        Path("a.csv").write_text(content)
    with pytest.raises(ConfigError) as raised:
        load(configured(marks))
    assert message in str(raised.value)
