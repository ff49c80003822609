"""Pages for raters, small ones, and people who rate on them in a real browser."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synthsight.pages.pictures import as_webp
from synthsight.rating.page import Page, render
from synthsight.rating.pictures import Picture
from tests.browser import Window

#: More than the page asks of a picture to be on screen before a response counts.
LOOK = 300  # milliseconds


def pictures(number: int, questions: Sequence[str] = ()) -> list[Picture]:
    """Pictures, each of one colour of its own, under names like those that people see."""
    rng = np.random.default_rng(number)
    found = []
    for each in range(number):
        image = Image.new("RGB", (40 + each, 30), tuple(map(int, rng.integers(0, 256, 3))))
        name = f"image-{hashlib.sha256(str(each).encode()).hexdigest()[:20]}"
        found.append(Picture(name, as_webp(image, 64, 80), tuple(questions)))
    return sorted(found, key=lambda picture: picture.name)


def write_page(
    path: Path,
    shown: Sequence[Picture],
    categories: Sequence[str] | None,
    instructions: str | None = None,
    consent: str | None = None,
) -> Path:
    """Write a page for raters."""
    text = render(Page(shown, categories, instructions, consent, None, "1.0"))
    path.write_text(text, encoding="utf-8")
    return path


class Rater(Window):
    """A browser in which somebody rates; what is on screen is told by the picture's colours."""

    def begin(self, name: str) -> None:
        self.page.fill("#name", name)
        self.page.get_by_role("button", name="Begin").click()
        self.look()

    def resume(self, name: str) -> None:
        self.page.get_by_role("button", name=f"Go on as {name}").click()
        self.look()

    def look(self) -> None:
        """As long as a person at least looks at a picture."""
        self.page.wait_for_timeout(LOOK)

    def choose(self, label: str) -> None:
        """Click the button of a choice."""
        self.page.locator(".choice", has=self.page.get_by_text(label, exact=True)).click()
        self.look()

    def press(self, *keys: str) -> None:
        """Press keys, and look at what is there then."""
        for key in keys:
            self.page.keyboard.press(key)
        self.look()

    def type(self, text: str) -> None:
        """Type a text."""
        self.page.keyboard.type(text)

    @property
    def place(self) -> str:
        """Where the rater is, such as ``Picture 3 of 10``."""
        return str(self.page.inner_text("#place"))

    @property
    def picture(self) -> str:
        """The picture's address, which holds it."""
        return str(self.page.get_attribute("#picture", "src"))

    @property
    def chosen(self) -> list[str]:
        """The labels of the choice that the picture has, if it has one."""
        found: list[str] = self.page.locator(".choice[aria-pressed=true] span").all_inner_texts()
        return found

    def save(self, folder: Path) -> Path:
        """Save the responses, under the name that the page suggests."""
        with self.page.expect_download() as downloading:
            self.page.locator("[data-save]:visible").click()
        path = folder / downloading.value.suggested_filename
        downloading.value.save_as(path)
        return path


def read_responses(path: Path) -> list[dict[str, str]]:
    """The rows of a file of responses, as Python's reader of CSV has them."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def rate_all(browser: Any, page: Path, name: str, labels: Sequence[str], folder: Path) -> Path:
    """Have a rater give these responses, in turn, and save them.

    Args:
        browser: of Playwright.
        page: with as many pictures, or questions.
        name: of the rater.
        labels: of the buttons to click.
        folder: where to save.

    Returns:
        The saved file.
    """
    rater = Rater(browser, page)
    rater.begin(name)
    for label in labels:
        rater.choose(label)
    path = rater.save(folder)
    rater.context.close()
    return path
