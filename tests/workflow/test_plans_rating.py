"""The pages for raters through the real command: what makes them, and what makes them again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synthsight.rating.pictures import read_pictures
from tests.support import Job, Project, draw_image

pytestmark = pytest.mark.long

#: What follows when an image may have changed; ``rating`` is the target.
PAGE: set[Job] = {("rating_pictures",), ("rating_page",), ("rating",)}
PAGE_OF_QUESTIONS: set[Job] = {("rating_pictures_vqa",), ("rating_page_vqa",), ("rating",)}


def test_the_pages_need_images_and_questions_and_no_model(project: Project) -> None:
    assert project.plan("rating") == set()
    config = project.config
    config["models"][0]["mean"] = [0.1, 0.2, 0.3]
    config["vqa"]["models"] = config["vqa"]["models"][:1]
    config["matching"] = {"aggregation": "mean"}
    project.configure(config)
    assert project.plan("rating") == set()
    jobs = project.plan("rating", "--forceall")
    assert {job[0] for job in jobs} == {
        *("index_images", "find_sources", "index_questions"),
        *(job[0] for job in PAGE | PAGE_OF_QUESTIONS),
    }


def test_a_changed_image_makes_the_pages_again_that_may_show_it(project: Project) -> None:
    image = project.folder / "pictures" / "dream" / "clock" / "1.png"  # nobody asks about it
    draw_image(image, seed=1234, size=(95, 70))
    assert project.plan("rating") == PAGE | {("index_images", "clock"), ("find_sources",)}
    before = {each.name for each in read_pictures(project.results / "rating" / "pictures.parquet")}
    project.run("rating")
    after = {each.name for each in read_pictures(project.results / "rating" / "pictures.parquet")}
    assert len(before - after) == len(after - before) == 1
    assert project.plan("rating") == set()


def test_another_size_draws_pictures_and_other_words_make_the_pages_alone(
    project: Project,
) -> None:
    config = project.config
    config["rating"] = {"instructions": "Look closely."}
    project.configure(config)
    pages: set[Job] = {("rating_page",), ("rating_page_vqa",), ("rating",)}
    assert project.plan("rating") == pages
    config["rating"] = {"side": 64}
    project.configure(config)
    assert project.plan("rating") == PAGE | PAGE_OF_QUESTIONS
    config["rating"] = {"images": 11}
    project.configure(config)
    assert project.plan("rating") == PAGE
    assert project.plan() == set(), "results know nothing of the pages"


def test_a_page_that_is_made_otherwise_is_no_matter_of_other_targets(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    """It may have been sent, and stays as it is until somebody asks for another."""
    edit("src/synthsight/rating/style.css", "#rate p", "#rate  p")
    for target, said in (("all", False), ("rating", True)):
        done = project.snakemake("--dry-run", target)
        assert done.returncode == 0
        assert ("files whose own record differs" in done.stdout + done.stderr) == said
