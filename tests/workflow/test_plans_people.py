"""What people say: which jobs run when it is added, edited or taken away."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

from tests.support import Job, Project, add_people

OF_LABELS: set[Job] = {("import_people",), ("people",), ("plot_people",), ("report",)}
OF_ANSWERS: set[Job] = {("import_people",), ("people_answers",), ("report",)}


@pytest.mark.long
def test_people_run_their_own_jobs_and_no_model_and_an_edit_runs_them_again(
    project: Project,
) -> None:
    add_people(project)
    assert project.plan() == OF_LABELS | OF_ANSWERS
    said = project.run()
    assert (
        "people.csv: 36 labels of 3 raters about 12 images; 1 of 37 rows is left out; "
        "tables/people_excluded.csv says which and why"
    ) in said
    tables = project.results / "tables"
    with (tables / "people_excluded.csv").open(encoding="utf-8") as lines:
        (lost,) = csv.DictReader(lines)
    assert (lost["file"], lost["line"], lost["rater"]) == ("people.csv", "38", "r0")
    assert lost["reason"] == "the rater has said it before (line 2)"
    found = pq.read_table(tables / "people.parquet").to_pandas()
    mean = found[(found["kind"] == "mean") & (found["category"] == "*")].set_index("generator")
    # Of each rater's twelve images every fourth is wrong, but for clocks that "clock" is right for.
    labels = pq.read_table(project.results / "people" / "labels.parquet").to_pandas()
    by_image = labels.groupby(["category", "image"])["correct"].mean()
    assert abs(mean.loc["*", "accuracy"] - by_image.groupby("category").mean().mean()) < 1e-12
    assert (project.results / "figures" / "people.pdf").is_file()
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert "Of 12 generated images that 3 people rated, a person gets on average" in page
    assert project.plan() == set()
    people = project.folder / "people.csv"
    text = people.read_text(encoding="utf-8")
    people.touch()
    assert project.plan() == set(), "contents decide, not times"
    people.write_text(text.replace("r2", "r9"), encoding="utf-8")
    assert project.plan() >= OF_LABELS
    assert project.plan() <= OF_LABELS | OF_ANSWERS
    people.write_text(text, encoding="utf-8")
    assert project.plan() == set()


def test_a_file_of_people_that_cannot_be_read_stops_the_run_before_any_job(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    add_people(project)
    edit("people.csv", "rater,image", "rater,picture")
    said = project.fail("--dry-run")
    assert "people.labels: people.csv has no column 'image'" in said
    assert "State the column's name in people.columns.image" in said
