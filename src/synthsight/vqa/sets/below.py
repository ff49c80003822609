"""Finding the images that sets of questions mean by a number, a prompt or a bare name."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from synthsight.images.endings import SUFFIXES
from synthsight.images.tree import are_parts
from synthsight.junk import is_ignored

#: The names of COCO's images, and of the abstract scenes of VQA: what precedes the number.
_NUMBERED = re.compile(r"(?:(?:COCO|abstract_v\d+)_[a-z]+\d{4}_)?0*(\d+)")

#: What follows a prompt's name where there are several images of it.
_REPEATED = re.compile(r"(.+)[-_.~ ](?:seed|sample|image|img)?[-_]?\d+", re.IGNORECASE)

#: What a reason names of several files.
_NAMED = 3


@dataclass(frozen=True)
class Shown:
    """An image that a question is about.

    Attributes:
        image: its path below the root; what the set says of it if it is not found.
        generator: whose folder it is in, or None.
        reason: why it cannot be used; None if it was found.
    """

    image: str
    generator: str | None = None
    reason: str | None = None


class Below:
    """All images below a folder, by their names. Links to folders are not followed.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.links: list[str] = []

    @cached_property
    def paths(self) -> list[str]:
        """Their paths below the root, sorted."""
        found = []
        for folder, folders, names in os.walk(self.root):
            place = PurePosixPath(os.path.relpath(folder, self.root))
            kept = []
            for name in folders:
                if os.path.islink(os.path.join(folder, name)):
                    self.links.append((place / name).as_posix())
                elif not is_ignored(name):
                    kept.append(name)
            folders[:] = kept
            found += [
                (place / name).as_posix()
                for name in names
                if os.path.splitext(name)[1].lower() in SUFFIXES and not is_ignored(name)
            ]
        self.links.sort()
        return sorted(found)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for path in self.paths:
            stems.setdefault(_stem(path), []).append(path)
        return stems

    @cached_property
    def _numbers(self) -> dict[int, list[str]]:
        numbers: dict[int, list[str]] = {}
        for path in self.paths:
            if found := _NUMBERED.fullmatch(_stem(path)):
                numbers.setdefault(int(found[1]), []).append(path)
        return numbers

    def numbered(self, number: int) -> Shown:
        """The one image of a number in COCO's names, such as ``COCO_val2014_000000000042.jpg``."""
        looked = f"COCO_val2014_{number:012d}, {number:012d} or {number}"
        return self._one(f"image_id {number}", self._numbers.get(number, []), looked)

    def called(self, name: str) -> Shown:
        """The one image of a name without its ending."""
        return self._one(name, self._stems.get(name, []), name)

    def named(self, name: str) -> Shown | None:
        """The one image, in whatever folder, of a name with or without its ending, if there is."""
        last = name.replace("\\", "/").rpartition("/")[2]
        stem = _stem(last)
        found = self._stems.get(stem, []) + (self._stems.get(last, []) if last != stem else [])
        exact = [path for path in found if path.rpartition("/")[2] == last]
        if not exact and os.path.splitext(last)[1].lower() in SUFFIXES:
            return None  # of another ending, it may be another image
        found = exact or found
        return self._one(name, found, name) if found else None

    def _one(self, what: str, found: Sequence[str], looked: str) -> Shown:
        if len(found) == 1:
            return Shown(found[0])
        if found:
            named = ", ".join(found[:_NAMED])
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            return Shown(
                what,
                reason=f"several images may be meant by {what}: {named}{more}. Set vqa.root to the "
                "folder of one of them",
            )
        return Shown(
            what, reason=f"no image of {what} below {self.root}, called {looked}{self.linked()}"
        )

    def linked(self) -> str:
        """A hint at links to folders, if there are any."""
        if not self.paths and not self.links:
            return ""
        named = ", ".join(self.links[:_NAMED])
        return f" (links to folders are not followed: {named})" if self.links else ""


@dataclass(frozen=True)
class Generated:
    """The images below a folder by the prompts that they were generated from.

    Attributes:
        by_prompt: the images of each prompt that has any.
        generators: those whose folders hold images of prompts, sorted. None stands for images in no
            such folder, if all are.
        others: images that belong to no prompt.
    """

    by_prompt: dict[str, list[Shown]]
    generators: tuple[str | None, ...]
    others: list[str]

    def of(self, prompt: str, below: Below) -> list[Shown]:
        """The images of a prompt; for each generator without any, why there is none."""
        found = self.by_prompt.get(prompt, [])
        there = {each.generator for each in found}
        looked = f"called {prompt} or {prompt}_1, or in a folder {prompt}"
        missing = [
            Shown(
                prompt,
                generator,
                f"no image of {prompt} below {below.root}"
                + (f"/{generator}" if generator is not None else "")
                + f", {looked}{below.linked()}",
            )
            for generator in self.generators
            if generator not in there
        ]
        return [*found, *missing]


def by_prompts(below: Below, prompts: Collection[str]) -> Generated:
    """Which images were generated from which prompt, by the names of files or of folders.

    An image is a prompt's if its name, without the ending, is that of the prompt, or that and a
    number; or else if a folder on the way to it has the prompt's name. The topmost folder is the
    generator's, unless it is a prompt's or called like a part of a set (``images``, ``val``).

    Args:
        below: the images.
        prompts: the names of all prompts.
    """
    known = prompts if isinstance(prompts, set | frozenset) else set(prompts)
    by_prompt: dict[str, list[Shown]] = {}
    others = []
    for path in below.paths:
        *folders, _ = path.split("/")
        owner = _owner([_stem(path), *reversed(folders)], known)
        if owner is None:
            others.append(path)
            continue
        while folders and are_parts([folders[0]]):
            folders = folders[1:]
        generator = folders[0] if folders and folders[0] not in known else None
        by_prompt.setdefault(owner, []).append(Shown(path, generator))
    makers = {each.generator for found in by_prompt.values() for each in found}
    named = sorted(name for name in makers if name is not None)
    return Generated(by_prompt, tuple(named) or (None,), others)


def _owner(names: Iterable[str], prompts: Collection[str]) -> str | None:
    """The prompt that the first of some names belongs to that belongs to any."""
    for name in names:
        left: str | None = name
        while left is not None:
            if left in prompts:
                return left
            repeated = _REPEATED.fullmatch(left)
            left = repeated[1].rstrip("-_.~ ") if repeated else None
    return None


def _stem(path: str) -> str:
    """The name of a file without the ending of an image."""
    name = path.rpartition("/")[2]
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in SUFFIXES else name
