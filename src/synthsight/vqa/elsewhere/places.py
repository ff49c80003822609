"""Which of the run's questions the rows of a file of answers mean."""

from __future__ import annotations

from typing import Any

from synthsight.predictions.joining import JoinError, Names
from synthsight.vqa.elsewhere.reading import AnswersError, Given
from synthsight.vqa.joining import RunQuestions
from synthsight.vqa.repeats import comparable
from synthsight.wording import one_line

#: Questions that a note or a message has room for.
SHOWN = 10


class Places:
    """Finds the run's questions for rows, and counts those that are about none.

    Images are found as files of predictions name them
    (:class:`synthsight.predictions.joining.Names`), and by the names under which people are shown
    them; texts as they are compared (:func:`synthsight.vqa.repeats.comparable`).

    Args:
        asked: the run's questions.
        file: the file, for messages.

    Attributes:
        unknown: the number of rows that are about none of the run's questions.
        unusable: likewise, about questions that are left out.
        first: the first few that are unknown, in words.
        by_text: the number of rows that do not say which image they are about.
        names: finds images, and knows which are written otherwise.
    """

    def __init__(self, asked: RunQuestions, file: str) -> None:
        self._asked, self._file = asked, file
        self.names = Names(asked.images, root="vqa.root")
        self.unknown = self.unusable = self.by_text = 0
        self.first: list[str] = []

    def find(self, given: Given) -> tuple[str, str] | None:
        """The image and question that a row is about; None if it is none that can be asked.

        Raises:
            AnswersError: the row may be about several.
        """
        row, why = self._by_text(given) if given.image is None else self._by_image(given)
        if row is None:
            self.unknown += 1
            if len(self.first) < SHOWN:
                about = "" if given.image is None else f" about {one_line(given.image, 80)}"
                text = one_line(given.questions[0], 80)
                self.first.append(f"{text!r}{about} (line {given.line}: {why})")
            return None
        if row["status"] != "ok":
            self.unusable += 1
            return None
        return row["image"], row["question"]

    def others(self) -> str:
        """What to say of the rows that are unknown, if there are any."""
        if not self.unknown:
            return ""
        rows = "1 row is" if self.unknown == 1 else f"{self.unknown:,} rows are"
        return f". {rows} about others, such as {self.first[0]}"

    def _by_image(self, given: Given) -> tuple[dict[str, Any] | None, str]:
        assert given.image is not None
        shown = given.image.replace("\\", "/").rpartition("/")[2].partition(".")[0]
        image = self._asked.names.get(shown)
        if image is None:
            try:
                number = self.names.find(given.image)
            except JoinError as error:
                raise AnswersError(f"{self._file}, line {given.line}: {error}") from None
            if number is None:
                hint = self.names.close_to(given.image) if len(self.first) < SHOWN else ""
                return None, f"no such image in the run{hint}"
            image = self.names.images[number]
        asked = self._asked.about(image)
        texts = map(comparable, given.questions)
        found = {text: asked[text] for text in texts if text in asked}
        row = self._one(given, found)
        return row, "no such question about this image" if row is None else ""

    def _by_text(self, given: Given) -> tuple[dict[str, Any] | None, str]:
        by_text = self._asked.by_text
        texts = map(comparable, given.questions)
        found = {text: by_text[text] for text in texts if text in by_text}
        rows = self._one(given, found)
        if rows is None:
            return None, "no such question in the run"
        if len(rows) > 1:
            raise AnswersError(
                f"{self._file}, line {given.line}: {one_line(given.questions[0], 80)!r} is asked "
                f"about {len(rows):,} images of the run, and the file does not say about which: "
                "add a column `image`"
            )
        self.by_text += 1
        return rows[0], ""

    def _one(self, given: Given, found: dict[str, Any]) -> Any:
        """The one question that is meant; None if there is none."""
        if len(found) > 1:
            raise AnswersError(
                f"{self._file}, line {given.line}: the prompt holds several of the run's questions "
                f"({', '.join(map(repr, found))}): make a table with the columns image, question "
                "and answer of the file"
            )
        return next(iter(found.values()), None)
