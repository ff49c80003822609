"""Which of a run's questions a file means that was made elsewhere, by people or by models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from synthsight.people.disguise import disguised
from synthsight.tables import read_parquet
from synthsight.vqa.repeats import comparable

#: What is known of a question.
COLUMNS = ("image", "question", "answer", "sha256", "status", "reason")


class RunQuestions:
    """The questions of a run, found by their images and texts, however these are written.

    Args:
        shards: the Parquet shards of all questions.

    Attributes:
        rows: the questions that can be asked, :data:`COLUMNS` each, sorted by shard.
        names: the images by the names under which people are shown them.
    """

    def __init__(self, shards: Sequence[str | os.PathLike[str]]) -> None:
        self.rows: list[dict[str, Any]] = []
        self._asked: dict[str, dict[str, dict[str, Any]]] = {}  # by image, then by text
        self.names: dict[str, str] = {}
        for path in shards:
            for row in read_parquet(path, list(COLUMNS)).to_pylist():
                image = row["image"]
                self._asked.setdefault(image, {}).setdefault(comparable(row["question"]), row)
                if row["status"] == "ok":
                    self.rows.append(row)
                if row["sha256"] is not None:
                    self.names[disguised(image, row["sha256"])] = image

    @property
    def images(self) -> list[str]:
        """The images of all questions."""
        return list(self._asked)

    def about(self, image: str) -> Mapping[str, dict[str, Any]]:
        """The questions about an image of the run, by their texts as they are compared."""
        return self._asked[image]

    @cached_property
    def by_text(self) -> Mapping[str, list[dict[str, Any]]]:
        """The questions about all images, by their texts as they are compared."""
        found: dict[str, list[dict[str, Any]]] = {}
        for asked in self._asked.values():
            for text, row in asked.items():
                found.setdefault(text, []).append(row)
        return found
