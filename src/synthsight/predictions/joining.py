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
    it may be several, it is none.

    Args:
        images: the run's, in the order in which numbers are given to them.
        others: images that the run has, but that cannot be used.

    Attributes:
        unknown: the number of names that are no image's, each counted once.
        unusable: likewise, of images that are left out.
        renamed: of names that were written otherwise.
        first: the first few that are unknown.
    """

    def __init__(self, images: Sequence[str], others: Sequence[str] = ()) -> None:
        self.images = [*images, *others]
        self._usable = len(images)
        self._exact = {image: number for number, image in enumerate(self.images)}
        self._met: dict[str, int | None] = {}
        self.unknown = self.unusable = self.renamed = 0
        self.first: list[str] = []
        self._out: set[int] = set()

    def find(self, written: str) -> int | None:
        """The number of the image that is meant; None if it is none that can be used."""
        number = self._exact.get(written)
        if number is None:
            if written in self._met:
                return self._met[written]
            number = self._otherwise(written)
            if number is None:
                self.unknown += 1
                if len(self.first) < SHOWN:
                    self.first.append(written)
            elif number < self._usable:
                self.renamed += 1
            self._met[written] = None if number is None or number >= self._usable else number
        if number is None or number < self._usable:
            return number
        if number not in self._out:
            self._out.add(number)
            self.unusable += 1
        return None

    def close_to(self, written: str) -> str:
        """A hint at what may have been meant by a name that is unknown; empty if nothing is."""
        many = self._ends.get(_way(written).rpartition("/")[2])
        if many == _SEVERAL:
            return (
                ", of which the run has several in different folders: write the path from the root"
            )
        near = difflib.get_close_matches(written, self.images[:10_000], n=1)
        return f"; close: {near[0]}" if near else ""

    def _otherwise(self, written: str) -> int | None:
        way = _way(written)
        number = self._alike.get(way)
        if number is None:  # with folders in front that the run's paths do not have
            parts = way.split("/")
            found = (self._alike.get("/".join(parts[skip:])) for skip in range(1, len(parts)))
            number = next((each for each in found if each is not None), None)
        if number is None:  # without folders that they have
            number = self._ends.get(way)
        return None if number == _SEVERAL else number

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
