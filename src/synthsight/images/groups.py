"""Groups of images that belong together: patterns on names that tell them, and what was found.

Images of one prompt, seed or scene are not independent draws. What belongs together is told by a
pattern, by a table, or by the set that the images were unpacked from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from synthsight.images.endings import SUFFIXES
from synthsight.wording import one_line

#: The keys of the configuration that hold a pattern: other things that tell groups say it in words.
PATTERNS = ("images.group", "vqa.group")

#: The name of the capturing group of a pattern that has several.
_NAME = "group"

#: Categories that a sentence names.
_NAMED = 3

#: The last capturing group that RE2 can refer to by number.
_LAST = 9


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern that should tell groups; None if nothing is."""
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{pattern!r} is not a regular expression: {error}"
    if compiled.groups != 1 and _NAME not in compiled.groupindex:
        return (
            f"{pattern!r} has {compiled.groups or 'no'} capturing groups: put what images of one "
            r"prompt, seed or scene have in common into parentheses, as in '(.*)_\d+', and "
            "write (?:...) for others, or call it (?P<group>...)"
        )
    if _number(pattern) > _LAST:
        return f"{pattern!r} has too many capturing groups before (?P<group>...): write (?:...)"
    try:
        groups_of([""], pattern)
    except pa.ArrowInvalid as error:
        return (
            f"{pattern!r} cannot be used: {one_line(error, 120)} (the syntax is RE2's, which "
            "has neither lookaround nor backreferences, so that no name takes long to match)"
        )
    return None


def _number(pattern: str) -> int:
    """The number of the capturing group that tells groups."""
    return re.compile(pattern).groupindex.get(_NAME, 1)


def groups_of(names: Sequence[str], pattern: str) -> list[str | None]:
    """What a pattern captures in each name; None where it does not match all of the name.

    RE2 matches, which takes time in proportion to a name's length, whatever the pattern. What is
    captured is normalised to NFC, as systems differ in how they store names.

    Args:
        names: as :func:`name_in_category` gives them.
        pattern: of which :func:`pattern_problem` says nothing.
    """
    whole = rf"\A(?:{pattern})\z"
    texts = pa.array(names, pa.string())
    found = pc.match_substring_regex(texts, whole)
    captured = pc.replace_substring_regex(texts, whole, rf"\{_number(pattern)}")
    return [
        unicodedata.normalize("NFC", text) if matches else None
        for matches, text in zip(found.to_pylist(), captured.to_pylist(), strict=True)
    ]


def name_in_category(image: str, generator: str | None, category: str | None = None) -> str:
    """An image's path below its category's folder, without the ending of an image file.

    Of an image that a table has in another place, it is the path below the images' root.

    Args:
        image: path below the images' root.
        generator: whose folder it is in, or None.
        category: the one that a table says, whatever the image's folder; None if the folder says
            it, by its own name or by another of the category's.
    """
    if category is None:
        name = image.split("/", 1 if generator is None else 2)[-1]
    else:
        places = (f"{generator}/{category}/", f"{category}/")
        name = image.removeprefix(next(filter(image.startswith, places[generator is None :]), ""))
    return without_ending(name)


def without_ending(name: str) -> str:
    """A path without the ending of an image file, if it has one."""
    ending = PurePosixPath(name).suffix
    return name.removesuffix(ending) if ending.lower() in SUFFIXES else name


@dataclass
class Found:
    """The groups that were found, counted over categories.

    Attributes:
        by: what tells groups: one of :data:`PATTERNS`, or something else in words.
        images: the number of images.
        alone: of those, how many no group is told of, so that they are groups of their own.
        first: the first of these.
        unsaid: of those alone, how many are not in what tells groups at all.
        groups: the number of groups, these included.
        whole: the categories all of whose images are one group; an empty name where there are no
            categories.
    """

    by: str = "images.group"
    images: int = 0
    alone: int = 0
    first: str = ""
    unsaid: int = 0
    groups: int = 0
    whole: tuple[str, ...] = ()

    def count(
        self,
        images: Sequence[str],
        groups: Sequence[str | None],
        told: Container[str],
        category: str = "",
    ) -> None:
        """Count the images of one more category.

        Args:
            images: of the category.
            groups: of each; None, or the image itself, if it is a group of its own.
            told: the images that are named by what tells groups.
            category: its name; empty if there are none.
        """
        alone = [i for i, group in zip(images, groups, strict=True) if group in (None, i)]
        count = len(alone) + len(set(groups).difference(alone, [None]))
        if alone and not self.alone:
            self.first = alone[0]
        if count == 1 < len(images):
            self.whole = (*self.whole, category)
        if self.by not in PATTERNS:
            self.unsaid += sum(image not in told for image in images)
        self.images += len(images)
        self.alone += len(alone)
        self.groups += count

    def sentences(self) -> list[str]:
        """What people should know of it, in sentences."""
        said = [f"{self.images:,} images in {self.groups:,} groups ({self.by})"]
        if self.alone:
            said.append(
                f"{self.alone:,} of {self.images:,} images have no {lacking(self.by)}, "
                f"and each counts as a group of its own: {self.first!r}"
                + (", ..." if self.alone > 1 else "")
            )
        if self.unsaid:
            said.append(
                f"{self.unsaid:,} of these are not named there at all: they were added, renamed or "
                "moved since, or what is named there is another set"
            )
        if self.groups == self.images > self.alone:
            said.append(f"no two images are in one group: {self._question('much')}")
        if self.whole:
            named = ", ".join(map(repr, filter(None, self.whole[:_NAMED])))
            more = ", ..." if len(self.whole) > _NAMED else ""
            where = f" of a category are one group, in {named}{more}" if named else " are one group"
            said.append(f"all images{where}: {self._question('little')}")
        return said

    def _question(self, amount: str) -> str:
        if self.by in PATTERNS:
            return f"does {self.by} capture too {amount}?"
        return f"is it {self.by} that tells which belong together?"


def lacking(by: str) -> str:
    """What images lack that are groups of their own: a name that matches, or a text.

    Args:
        by: what tells groups: one of :data:`PATTERNS`, or something else in words.
    """
    return f"name that {by} matches" if by in PATTERNS else f"text in {by}"
