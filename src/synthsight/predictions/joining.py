"""Which of the run's images a file of predictions means, however its paths are written."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from functools import cached_property

from synthsight.errors import SynthsightError
from synthsight.images.finding import folded_path

#: Names that a note or a message has room for.
SHOWN = 10

#: Stands for a way of writing that several images have in common.
_SEVERAL = -1


class JoinError(SynthsightError):
    """Nothing in a file is about the run's images."""


class Names:
    """Finds the run's images by what a file calls them.

    A path that is no image's as it is written is taken for the one image that it can mean: written
    with backslashes, with other folders in front (an absolute path), with fewer (the file's name
    alone, as timm writes it), in upper for lower case, or with composed for decomposed letters. If
    it may be several, it is none. Folders in front must be the same for all: another data set may
    have images of the same names.

    Args:
        images: the run's, in the order in which numbers are given to them.
        others: images that the run has, but that cannot be used.
        root: the setting that paths are to be written from, for messages.

    Attributes:
        unknown: the number of names that are no image's, each counted once.
        unusable: likewise, of images that are left out.
        renamed: of names that were written otherwise.
        first: the first few that are unknown.
        example: of those that were written otherwise, the first, and the image that it means.
        folders: the folders in front of all that the run's paths do not have; empty if none.
    """

    def __init__(
        self, images: Sequence[str], others: Sequence[str] = (), root: str = "images.root"
    ) -> None:
        self._root = root
        self.images = [*images, *others]
        self._usable = len(images)
        self._exact = {image: number for number, image in enumerate(self.images)}
        self._met: dict[str, int | None] = {}
        self.unknown = self.unusable = self.renamed = 0
        self.first: list[str] = []
        self.example: tuple[str, str] | None = None
        self.folders = ""
        self._whole: str | None = None
        self._written: dict[int, str] = {}
        self._out: set[int] = set()

    def find(self, written: str) -> int | None:
        """The number of the image that is meant; None if it is none that can be used.

        Raises:
            JoinError: another name meant the same image, or other folders were in front of one;
                without the file.
        """
        number = self._exact.get(written)
        if number is None:
            if written in self._met:
                return self._met[written]
            number, folders = self._otherwise(written)
            if number is None:
                self.unknown += 1
                if len(self.first) < SHOWN:
                    self.first.append(written)
            else:
                self._check(number, written, folders)
                if number < self._usable:
                    self.renamed += 1
                    self.example = self.example or (written, self.images[number])
            self._met[written] = None if number is None or number >= self._usable else number
        else:
            self._check(number, written, "")
        if number is None or number < self._usable:
            return number
        if number not in self._out:
            self._out.add(number)
            self.unusable += 1
        return None

    def _check(self, number: int, written: str, folders: str) -> None:
        """Refuse what may be about images of another data set."""
        before = self._written.setdefault(number, written)
        if before != written:
            raise JoinError(
                f"both {before!r} and {written!r} would be the run's {self.images[number]!r}. "
                f"Remove the rows about other images, and write paths from {self._root}"
            )
        if self._whole is None:
            self._whole, self.folders = written, folders
        elif folders != self.folders:
            raise JoinError(
                f"{self._whole!r} and {written!r} have different folders in front of the run's "
                f"paths ({self.folders or 'none'} and {folders or 'none'}). Remove the rows about "
                f"other images, and write paths from {self._root}"
            )

    def close_to(self, written: str) -> str:
        """A hint at what may have been meant by a name that is unknown; empty if nothing is."""
        many = self._ends.get(_way(written).rpartition("/")[2])
        if many == _SEVERAL:
            return (
                ", of which the run has several in different folders: write the path from the root"
            )
        near = difflib.get_close_matches(written, self.images[:10_000], n=1)
        return f"; close: {near[0]}" if near else ""

    def _otherwise(self, written: str) -> tuple[int | None, str]:
        """The image that is meant, and the folders in front that the run's paths do not have."""
        way = _way(written)
        number = self._alike.get(way)
        folders = ""
        if number is None:
            parts = way.split("/")
            for skip in range(1, len(parts)):
                number = self._alike.get("/".join(parts[skip:]))
                if number is not None:
                    folders = "/".join(parts[:skip])
                    break
        if number is None:  # without folders that they have
            number = self._ends.get(way)
        return (None, "") if number == _SEVERAL else (number, folders)

    @cached_property
    def _alike(self) -> dict[str, int]:
        """The images by their paths without case."""
        alike: dict[str, int] = {}
        for number, image in enumerate(self.images):
            way = _way(image)
            alike[way] = _SEVERAL if way in alike else number
        return alike

    @cached_property
    def _ends(self) -> dict[str, int]:
        """The images by all ends of their paths."""
        ends: dict[str, int] = {}
        for number, image in enumerate(self.images):
            parts = _way(image).split("/")
            for skip in range(1, len(parts)):
                end = "/".join(parts[skip:])
                ends[end] = _SEVERAL if end in ends else number
        return ends


def _way(path: str) -> str:
    """A path as others may write it."""
    plain = unicodedata.normalize("NFC", path.strip().replace("\\", "/"))
    while plain.startswith("./"):
        plain = plain[2:]
    return folded_path("/".join(part for part in plain.split("/") if part))
