"""The sources that a configuration names: real photographs, and a pattern that tells groups."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from synthsight.bounds import Key
from synthsight.images.groups import groups_of, name_in_category, pattern_problem
from synthsight.images.manifest import images_in
from synthsight.images.roots import Roots
from synthsight.images.rows import INDEXED, read_kept_rows
from synthsight.images.table import Divided
from synthsight.images.tree import are_photographs
from synthsight.plan.config.categories import Category
from synthsight.plan.config.elsewhere import name_of, real_entries
from synthsight.plan.config.messages import Problem
from synthsight.plan.settings import ImageSettings
from synthsight.wording import did_you_mean

#: Names that a message lists.
_NAMED = 20

#: Names that are matched at a time when it is asked whether a pattern matches any.
_NAMES = 1000

_REAL: Key = ("images", "real")


def check_real(
    images: ImageSettings,
    categories: Mapping[str, Category],
    table: Divided | None,
    problems: list[Problem],
    warnings: list[str],
) -> frozenset[str]:
    """Check what ``images.real`` names, or a table says, against the images.

    Args:
        images: the settings.
        categories: those of the run; without any, what is wrong with them has been said.
        table: the one that the images are from, if any.
        problems: to which what is wrong is added.
        warnings: to which is added of which categories there is only one kind of images.

    Returns:
        The generators whose images are real photographs.
    """
    makers = {name: category.generators for name, category in categories.items()}
    generators = sorted({each for of in makers.values() for each in of if each is not None})
    found = set(generators).intersection(() if table is None else table.real)
    root = os.path.abspath(images.root)
    places: set[str] = set()
    for key, entry in real_entries(images):
        if images.table is not None and "/" in entry:
            continue  # see `check_table_keys`
        name = name_of(entry)
        place = os.path.abspath(entry if "/" in entry else os.path.join(root, entry))
        if place in places:
            problems.append(Problem(key, f"{name!r} is listed twice"))
        elif name in generators:
            found.add(name)
        elif categories and ("/" not in entry or os.path.dirname(place) == root):
            # Those that lie elsewhere have been looked at.
            problems.append(Problem(key, _unknown(images, name, generators, categories)))
        places.add(place)
    like = [name for name in generators if are_photographs(name)]
    told = places or (table is not None and "real" in table.columns)
    if not told and like and any(of - set(like) for of in makers.values()):
        warnings.append(
            f"{_listed(like)} in {images.table or images.root!r}: taken for generated images, "
            "since images.real names nothing. If these are real photographs, write "
            f"`real: {like[0] if len(like) == 1 else like}` below `images`"
        )
    if not found or len(found) < len(places):
        return frozenset(found)
    generated = {name for name, of in makers.items() if of - found}
    photographed = {name for name, of in makers.items() if of & found}
    if not generated:
        message = (
            f"every image in {images.root!r} would be a real photograph, and none generated: name "
            "only the folders that hold photographs. To see how models do on photographs alone, "
            "name none: all images are then what the tables are about"
        )
        if not places:
            message = (
                f"every image of {images.table} is a real photograph, and none is generated. To "
                "see how models do on photographs alone, take out the column "
                f"{images.columns.real!r}: all images are then what the tables are about"
            )
        problems.append(Problem(_REAL if places else ("images", "table"), message))
    elif not generated & photographed:
        warnings.append(
            "no category has both real photographs (images.real) and generated images, so no model "
            "can be compared between the two"
        )
    else:
        for kind, lacking in (
            ("real photographs", generated - photographed),
            ("generated images", photographed - generated),
        ):
            if lacking:
                warnings.append(
                    f"no {kind} of {_listed(sorted(lacking))}: real photographs and generated "
                    "images are compared in the other categories"
                )
    return frozenset(found)


def _unknown(
    images: ImageSettings, name: str, generators: list[str], categories: Mapping[str, Category]
) -> str:
    """About a name of which there is no generator."""
    root = images.root
    if images.table is not None:
        hint = did_you_mean(name, generators) or f"; generators: {_listed(generators) or 'none'}"
        return (
            f"no image of the run's categories in {images.table} has the generator {name!r}{hint}"
        )
    if name in categories:
        return (
            f"{name!r} is a category's folder, not a generator's: real photographs have to lie in "
            f"{root}/<name>/<category>/, with any name for the folder"
        )
    if os.path.isdir(name):
        return (
            f"no generator's folder {name!r} in {root!r}, but one in the working folder: if that "
            f"is meant, write './{name}'"
        )
    hint = did_you_mean(name, generators) or f"; generators there: {_listed(generators) or 'none'}"
    return f"no generator's folder {name!r} in {root!r} with images of the run's categories{hint}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(repr, names[:_NAMED])) + more


def check_group(
    images: ImageSettings,
    roots: Roots,
    categories: Mapping[str, Category],
    cache: Path,
    problems: list[Problem],
) -> None:
    """Check that ``images.group`` is a pattern that tells groups, and matches some file's name.

    Args:
        images: the settings.
        roots: where the images lie.
        categories: those of the run; without any, only the pattern is checked.
        cache: folder of caches, in which rows of a table are kept.
        problems: to which what is wrong is added.
    """
    if images.group is None:
        return
    key: Key = ("images", "group")
    if (message := pattern_problem(images.group)) is not None:
        problems.append(Problem(key, message))
        return
    names = _in_parts(_names(roots, categories, cache))
    if message := unmatched(images.group, names, "path below its category's folder"):
        problems.append(Problem(key, message))


def unmatched(pattern: str, names: Iterable[Sequence[str]], what: str) -> str | None:
    """That a sound pattern matches none of some names; None if it does, or there are none.

    Args:
        pattern: which tells groups.
        names: of images, some at a time.
        what: of an image such a name is.
    """
    first = None
    for some in names:
        first = some[0] if some and first is None else first
        if any(captured is not None for captured in groups_of(some, pattern)):
            return None
    if first is None:
        return None
    return (
        f"{pattern!r} matches no image. It has to match all of an image's {what}, without the "
        f"file's ending, as in {first!r}"
    )


def grouping_column(
    images: ImageSettings, table: Divided | None, warnings: list[str]
) -> str | None:
    """The column of a table that tells groups, in words, if any does and no pattern is given."""
    if table is None or images.group is not None:
        return None
    if "group" in table.columns:
        return f"the column {images.columns.group!r} of images.table"
    if "prompt" in table.columns:
        warnings.append(
            f"{images.table} has prompts and no groups: images of one prompt in one category count "
            "as a group"
        )
        return f"the column {images.columns.prompt!r} of images.table"
    return None


def _names(roots: Roots, categories: Mapping[str, Category], cache: Path) -> Iterator[str]:
    """The names of all files that can be shown, as patterns see them."""
    for name, category in categories.items():
        said = None if category.rows is None else name
        for image, generator in _images(roots, category, cache):
            if image.isprintable():
                yield name_in_category(image, generator, said)


def _images(roots: Roots, category: Category, cache: Path) -> Iterator[tuple[str, str | None]]:
    """The images of a category, with their generators."""
    if category.rows is not None:
        table = read_kept_rows(cache, category.rows.indexed, INDEXED)
        yield from zip(*(table[each].to_pylist() for each in ("image", "generator")), strict=True)
    for generator, folder in category.folders:
        for image in images_in(roots, folder):
            yield image, generator


def _in_parts(names: Iterable[str]) -> Iterator[list[str]]:
    """The same names, some at a time."""
    part: list[str] = []
    for name in names:
        part.append(name)
        if len(part) == _NAMES:
            yield part
            part = []
    if part:
        yield part
