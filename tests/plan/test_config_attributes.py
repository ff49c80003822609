"""``images.attributes``: what is taken, and what is wrong, before any job runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from synthsight.plan import specs
from synthsight.plan.config import models
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from tests.plan.test_config import RESOLVED, images, load, write

CONTENT = "image,prompt,steps\npizza/a.png,a pizza,20\n"


@pytest.fixture(autouse=True)
def prepared_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "pizza/b.png")
    Path("a.csv").write_text(CONTENT)
    monkeypatch.setattr(
        models, "resolve_cached", lambda asked, *_: [{"model": RESOLVED} for _ in asked]
    )


def configured(attributes: str, **further: str) -> Experiment:
    keys = {"root": "images", **further, "attributes": attributes}
    lines = "".join(f"\n  {key}: {value}" for key, value in keys.items())
    return load(write(images=f"images:{lines}"))


def test_all_columns_but_the_image_s_are_attributes_and_the_content_decides() -> None:
    found = configured("{table: a.csv}")
    assert specs.find_attributes(found) == {
        **{"content": hashlib.sha256(CONTENT.encode()).hexdigest(), "image": "image"},
        **{"columns": ("prompt", "steps"), "root": found.settings.images.root},
    }
    assert specs.attributes(found) == {"level": 0.95}
    assert Files(found).said.attributes == ["results/test/sources/attributes.parquet"]
    assert "results/test/tables/attributes.parquet" in Files(found).report_tables
    some = configured("{table: a.csv, columns: [steps], compare: [steps]}")
    assert specs.find_attributes(some)["columns"] == ("steps",)
    assert specs.attributes(some) == {"level": 0.95, "compare": ("steps",)}


def test_of_the_run_s_own_table_the_columns_that_say_nothing_else_are_taken() -> None:
    Path("t.csv").write_text("file,category,prompt,seed\npizza/a.png,pizza,a pizza,1\n")
    found = configured("{}", table="t.csv", columns="{image: file}")
    assert found.attributes is not None
    assert (found.attributes.table, found.attributes.image) == ("t.csv", "file")
    assert found.attributes.columns == ("prompt", "seed")
    other = configured("{table: a.csv}", table="t.csv", columns="{image: file}")
    assert other.attributes is not None
    assert (other.attributes.image, other.attributes.columns) == ("image", ("prompt", "steps"))


def test_without_the_key_nothing_is_planned_and_nothing_changes() -> None:
    found = load(write())
    assert found.attributes is None
    assert Files(found).said.attributes == []
    assert not any("attributes" in path for path in Files(found).report_tables)
    assert "attributes" not in specs.report(found)["settings"]["images"]


def test_prompts_of_a_set_need_no_file() -> None:
    found = configured("{}")
    assert found.attributes is not None
    assert found.attributes.table is None
    assert specs.find_attributes(found) == {}


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("{table: b.csv}", "images.attributes.table: b.csv cannot be read: No such file"),
        ("{table: a.csv, image: file}", "images.attributes.table: a.csv has no column 'file'"),
        ("{table: a.csv, columns: [step]}", "columns[0]: the file has no column 'step'; did you"),
        ("{table: a.csv, columns: [steps, steps]}", "columns[1]: 'steps' is listed twice"),
        ("{table: a.csv, compare: [stepz]}", "compare[0]: no attribute 'stepz'; did you mean"),
        ("{columns: [steps]}", "images.attributes.columns: there is no file that it could be"),
        ("{table: only.csv}", "the file has no further columns: name those that are attributes"),
        ("{table: ~/a.csv}", "images.attributes.table: '~/a.csv': "),
        ("{tables: a.csv}", "images.attributes.tables: unknown key; did you mean 'table'"),
    ],
)
def test_what_is_wrong_is_said_before_any_job(attributes: str, message: str) -> None:
    Path("only.csv").write_text("image\npizza/a.png\n")
    with pytest.raises(ConfigError) as raised:
        configured(attributes)
    assert message in str(raised.value)
