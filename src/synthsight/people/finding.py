"""Finding the images of a run that people's files name: by path, or by the name people were shown.

Unlike :class:`synthsight.images.finding.ImageFinder` it looks at no disk: an image counts if a
manifest, or a shard of questions, has it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import TypeVar

from synthsight.people.disguise import PREFIX
from synthsight.wording import did_you_mean

#: Number of unknown images for which a close name is suggested, and of the run's names that are
#: looked at for each.
_HINTS, _LOOKED_AT = 20, 10_000

#: A name of model-vs-human's: the number of the trial, the experiment, who saw it, and the rest.
#: The number and who saw it differ from person to person for one image.
_TRIAL = re.compile(r"\d+_([^_/]+)_(?:s\d+|dnn)_([^/]+)")


Key = TypeVar("Key", bound=Hashable)


class RatedImages:
    """The images that people may have been shown.

    A path that is no image's, but in another way of writing exactly one's, is taken for that: with
    backslashes, in upper for lower case, with composed for decomposed letters, from the root's own
    folder or a folder further up, without the folders before the file's name, or with the
    number of the trial and of the person as model-vs-human has them.

    Args:
        images: by their paths, why each cannot be used; None for those that can.
        names: the images by the names under which people are shown them.
        root: folder that the paths are relative to.

    Attributes:
        renamed: paths as written, and as they are, in the order in which they were found.
    """

    def __init__(
        self, images: Mapping[str, str | None], names: Mapping[str, str], root: str
    ) -> None:
        self._images, self._names = images, names
        folder = os.path.abspath(root)
        self._above = [part for part in _folded(folder).split("/") if part]
        self._hints = 0
        self._known: dict[str, tuple[str, str | None]] = {}
        self.renamed: dict[str, str] = {}

    def find(self, written: str) -> tuple[str, str | None]:
        """The image's path, and why it cannot be used, or None."""
        if written not in self._known:
            self._known[written] = self._look_up(written)
        return self._known[written]

    def _look_up(self, written: str) -> tuple[str, str | None]:
        if written in self._images:
            return written, self._images[written]
        shown = written.replace("\\", "/").rpartition("/")[2].partition(".")[0]
        if shown.startswith(PREFIX) and shown in self._names:
            image = self._names[shown]
            return image, self._images[image]
        found = self._otherwise(written)
        if len(found) == 1:
            self.renamed[written] = found[0]
            return found[0], self._images[found[0]]
        if found:
            more = f" and {len(found) - 4} more" if len(found) > 4 else ""
            return written, f"it may be any of {', '.join(found[:4])}{more}: write the whole path"
        if shown.startswith(PREFIX):
            return written, (
                "no image of the run is shown under this name: it is of another run, or its file "
                "has changed since people saw it"
            )
        self._hints += 1
        known = islice(self._images, _LOOKED_AT if self._hints <= _HINTS else 0)
        hint = did_you_mean(written, known)
        return written, f"no such image in the run{hint}"

    def _otherwise(self, written: str) -> list[str]:
        """The images that are meant if paths are compared less strictly; the plainest way first."""
        parts = [part for part in _folded(written).split("/") if part not in ("", ".")]
        if not parts:
            return []
        whole = [self._by_path.get("/".join(each), []) for each in self._below(parts)]
        if any(whole):
            return next(filter(None, whole))
        ends = [image for image in self._by_name.get(parts[-1], ()) if _ends(image, parts)]
        return ends or self._by_trial.get(_trial(parts[-1]), [])

    def _below(self, parts: list[str]) -> Iterable[list[str]]:
        """A path as it is, and without the root's own folders at its beginning."""
        yield parts
        for length in range(1, len(parts)):
            if parts[:length] == self._above[-length:]:
                yield parts[length:]

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        return _grouped((_folded(image), image) for image in self._images)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped((_folded(image).rpartition("/")[2], image) for image in self._images)

    @cached_property
    def _by_trial(self) -> dict[str | None, list[str]]:
        pairs = ((_trial(_folded(image).rpartition("/")[2]), image) for image in self._images)
        return _grouped(pair for pair in pairs if pair[0] is not None)


def _grouped(pairs: Iterable[tuple[Key, str]]) -> dict[Key, list[str]]:
    groups: dict[Key, list[str]] = {}
    for key, image in pairs:
        groups.setdefault(key, []).append(image)
    return groups


def _ends(image: str, parts: list[str]) -> bool:
    return _folded(image).split("/")[-len(parts) :] == parts


def _trial(name: str) -> str | None:
    """What names of one image in model-vs-human have in common; None for other names."""
    found = _TRIAL.fullmatch(name)
    return None if found is None else f"{found[1]}_{found[2]}"


def _folded(path: str) -> str:
    plain = unicodedata.normalize("NFC", path.replace("\\", "/"))
    return unicodedata.normalize("NFC", plain.casefold())
