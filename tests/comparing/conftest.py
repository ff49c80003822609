"""Two runs of a project: the small one, and a next version of it, both finished."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import Project, draw_image


@pytest.fixture(scope="session")
def compared(finished: Project, once: Callable[..., Project]) -> Project:
    """A project with the runs ``small`` and ``next``.

    Of the 12 images one is exchanged, one is added, one has another name, and those of a category
    have gone; a model sees another part of its images.
    """

    def make(folder: Path) -> Project:
        shutil.copytree(finished.folder, folder / "project", symlinks=True)
        project = Project(folder / "project")
        pictures = project.folder / "pictures2"
        shutil.copytree(project.folder / "pictures", pictures)
        draw_image(pictures / "dream" / "bagel" / "0.png", 991, size=(90, 70))
        draw_image(pictures / "dream" / "bagel" / "7.png", 992, size=(90, 70))
        (pictures / "muse" / "clock" / "1.png").rename(pictures / "muse" / "clock" / "5.png")
        shutil.rmtree(pictures / "dream" / "toilet_seat")
        shutil.rmtree(pictures / "muse" / "toilet_seat")
        config = project.config
        config["run"] = "next"
        config["images"]["root"] = "pictures2"
        config["models"][1]["crop"] = 48
        config["vqa"]["root"] = "pictures"
        project.configure(config)
        project.run("all")
        return project

    return once("compared", make)
