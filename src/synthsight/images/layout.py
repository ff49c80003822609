"""Which folders below the images' root are generators and which are categories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from synthsight.images.tree import (
    Inside,
    are_origins,
    are_parts,
    better_roots,
    draw,
    find_folder,
    folders_in,
    image_folders,
    look,
)
from synthsight.junk import is_junk

#: Each category's folders, as ``(generator or None, folder below the root)``.
Layout = dict[str, list[tuple[str | None, str]]]

#: Where it is shown how folders in another order are put into this one.
_RECIPES = "docs/images.md (Folders in another order) has the lines that do it"

_ORDER = "<generator>/<category>/"
_ELSE = "If they are neither, nothing is to be done"


class Found(NamedTuple):
    """The folders of each category, and what the user should know about them.

    Attributes:
        layout: each category's folders.
        notes: what is not used, and what may be meant otherwise.
        doubts: of the notes, what a category's folders may be instead, by category.
        wrong: of the notes, those by which no folder can be a category: all are called like parts
            of a data set and hold folders alone, or tell generated images from others.
    """

    layout: Layout
    notes: list[str]
    doubts: dict[str, str]
    wrong: tuple[str, ...] = ()


def find_categories(root: Path, wanted: Sequence[str] | None) -> Found:
    """The folders of each category below the images' root.

    Without ``wanted``, a folder that holds images is a category; one that holds only folders is a
    generator, and those folders are categories. With it, a folder with a wanted name is that
    category, and any other folder is a generator if it contains wanted ones. A file is an image as
    it is in manifests: by its name, or by its content.

    Raises:
        OSError: the root cannot be read.
    """
    found: Layout = {}
    notes = []
    top = look(root)
    insides: dict[str, Inside] = {}
    for name in top.folders:
        try:
            inside = insides[name] = look(root / name)
        except PermissionError:
            notes.append(
                f"{root / name} is not used: it may not be read. Give yourself the right to read "
                "and to enter it, or move it elsewhere"
            )
            continue
        if name in wanted if wanted is not None else inside.first or not inside.folders:
            found.setdefault(name, []).append((None, name))
            continue
        folders = [each for each in inside.folders if wanted is None or each in wanted]
        for folder in folders:
            found.setdefault(folder, []).append((name, f"{name}/{folder}"))
        deeper = None if wanted is None else find_folder(root / name, wanted)
        if deeper is not None:
            notes.append(
                f"{deeper} is not used, since it is neither in {root} nor directly in a "
                f"generator's folder: {_RECIPES}"
            )
        elif not folders:
            notes.append(f"{root / name} is not used: it is not one of the requested categories")
        if folders and inside.first is not None:
            notes.append(_unused(inside, root / name))
    if top.first is not None:
        notes.append(_unused(top, root))
    links = [root / name for name in top.links]
    links += [root / name / link for name, inside in insides.items() for link in inside.links]
    notes += [
        f"{link} is a link to a folder and is not followed: set images.root to the folder "
        "with the images, or copy them"
        for link in links
    ]
    doubts = _doubts(root, found, insides, wanted is not None)
    wrong = wanted is None and _are_no_categories(root, found)
    if wrong:
        doubts = {name: text.removesuffix(f". {_ELSE}") for name, text in doubts.items()}
    levels = list(dict.fromkeys(doubts.values())) or _of_generators(root, found)
    if levels and wrong:
        levels[0] += f". Only if the images show what they are called, list them: {_listed(found)}"
    if levels:
        levels[0] += f". {drawing(root, found, next(iter(doubts), None))}"
    return Found(found, levels + notes, doubts, tuple(levels) if wrong else ())


def _are_no_categories(root: Path, found: Layout) -> bool:
    """Whether all categories' names are those of a data set's parts, and so is what they hold."""
    places = [folder for folders in found.values() for _, folder in folders]
    return are_parts(found) and (
        are_origins(found)
        or all((inside := _inside(root / place)).folders and not inside.first for place in places)
    )


def _listed(found: Layout) -> str:
    return f"`categories: [{', '.join(sorted(found))}]`"


def drawing(root: Path, layout: Layout, category: str | None = None) -> str:
    """What the folders look like and are taken for, in a few lines after a heading.

    Args:
        root: the images' root.
        layout: its categories, of which there is at least one.
        category: one whose folder is to be seen.
    """
    roles = dict.fromkeys(folders_in(root), "not used")
    for places in layout.values():
        roles |= {generator: "generator" for generator, _ in places if generator is not None}
        roles |= {place: "category" for _, place in places}
    towards = layout[next(iter(layout)) if category is None else category][0][1]
    return f"The folders, as they are read:\n{draw(root, roles, towards)}"


def reversed_order(folder: str, generator: str) -> str:
    """A sentence on a category's folder, below that of a generator that has a category's name."""
    return (
        f"The order of folders is {_ORDER}, and in {folder!r} {generator!r} looks like the "
        f"category: is it <category>/<generator>/? {_RECIPES}"
    )


def _unused(inside: Inside, folder: Path) -> str:
    if not inside.images:
        return f"images without an image's ending directly in {folder} are not used: {inside.first}"
    return f"{inside.images} images directly in {folder} are not used ({inside.first}, ...)"


@dataclass
class _Odd:
    """Categories of which the same is to be said: their folders, and what these hold."""

    names: set[str] = field(default_factory=set)
    places: list[str] = field(default_factory=list)
    inner: set[str] = field(default_factory=set)


def _doubts(root: Path, found: Layout, insides: dict[str, Inside], by_list: bool) -> dict[str, str]:
    """What the folders of categories may be instead, by category.

    A category's folder may hold folders, as when the tree has a level too many or another order; or
    its name may be that of a data set's part.
    """
    odd: dict[str, _Odd] = {}
    for name, folders in found.items():
        for generator, folder in folders:
            inside = insides[name] if generator is None else _inside(root / folder)
            below = [p for p in image_folders(root / folder) if p] if inside.folders else []
            if not below:
                continue
            if generator is None:
                kind = "listed" if by_list else f"images in {folder}"
            elif are_origins({place[-1] for place in below}):
                kind = "origins"
            else:
                kind = "splits" if are_parts([name]) else "folders"
            group = odd.setdefault(kind, _Odd())
            group.names.add(name)
            group.places.append(folder)
            group.inner.update(place[0] for place in below)
    proposed = better_roots(root) if odd else []
    doubts: dict[str, str] = {}
    for kind, group in odd.items():
        text = _what_is(root, group, kind, insides) + _advice(group, kind, proposed)
        doubts |= dict.fromkeys(sorted(group.names), text)
    makers = {g for folders in found.values() for g, _ in folders}
    for generator in sorted(makers, key=lambda name: (name is not None, name or "")):
        names = [name for name, folders in found.items() if generator in dict(folders)]
        if are_parts(names):
            where = root / generator if generator is not None else root
            for name in names:
                doubts.setdefault(name, _of_parts(where, names))
    alone = sorted(name for name, folders in found.items() if set(dict(folders)) == {None})
    if not by_list and makers - {None}:
        for name in alone:
            doubts.setdefault(name, _of_mixture(root, alone, makers - {None}))
    return doubts


def _inside(folder: Path) -> Inside:
    try:
        return look(folder)
    except PermissionError:  # the manifest lists it as a folder that may not be read
        return Inside((), 0, None)


def _what_is(root: Path, group: _Odd, kind: str, insides: dict[str, Inside]) -> str:
    """A sentence on what is taken for what."""
    names, places = sorted(group.names), sorted(group.places)
    generators = sorted({place.partition("/")[0] for place in places})
    if len(places) == 1:
        taken = f"{root / places[0]} is taken for the category {names[0]!r}"
    elif len(names) == 1:
        taken = f"{root / places[0]} and {len(places) - 1} more are taken for the category "
        taken += repr(names[0])
    else:
        taken = f"{root / places[0]} and {len(places) - 1} more are taken for {len(names)} "
        taken += f"categories ({_named(names)})"
    if kind == "listed":
        taken += " that `categories` lists"
    elif kind.startswith("images"):
        taken += f", since images lie directly in it ({insides[names[0]].first})"
    elif len(generators) == 1:
        taken += f" of the generator {generators[0]!r}"
    else:
        taken += f" of {len(generators)} generators"
    where = "it" if len(places) == 1 else "them"
    return f"{taken}, with all images of the folders in {where} ({_named(group.inner)}). "


def _advice(group: _Odd, kind: str, proposed: Sequence[Path]) -> str:
    """What to write, by what the folders may be."""
    name = sorted(group.names)[0]
    if kind == "origins":
        return (
            "These tell generated images from others, as in GenImage, and no folder says what an "
            f"image shows: {_RECIPES}"
        )
    if kind.startswith("images"):
        return (
            f"If these are the categories and {name!r} is a generator, move the images beside them "
            f"elsewhere. {_ELSE}"
        )
    if kind == "listed":
        return f"If these are generators, the order is {_ORDER}: {_RECIPES}. {_ELSE}"
    if proposed:
        roots = " or ".join(repr(str(path)) for path in proposed[:3])
        first = (
            f"If these are the categories, set images.root to {roots} (with images.archive, its "
            "`folder`)"
        )
    elif kind == "splits":
        first = f"If {name!r} is a split, take its level out: {_RECIPES}"
    else:
        first = f"If these are the categories, take a level out: {_RECIPES}"
    return f"{first}. If they are generators, the order is {_ORDER}: {_RECIPES}. {_ELSE}"


def _of_parts(where: Path, names: Sequence[str]) -> str:
    """About categories that are called as data sets call their parts."""
    return (
        f"all categories in {where} are called as data sets call their parts ({_named(names)}), "
        "and are taken for things to be recognised by these names. If they are splits or the like, "
        f"the images have to lie in {_ORDER} or <category>/: {_RECIPES}"
    )


def _of_mixture(root: Path, names: Sequence[str], generators: Iterable[str | None]) -> str:
    """About categories that no generator has."""
    return (
        f"in {root} these are taken for categories without a generator, since images lie directly "
        f"in them: {_named(names)}; and these for generators: {_named(filter(None, generators))}. "
        f"If the first are generators, too, their images have to lie in {_ORDER}: {_RECIPES}. "
        f"{_ELSE}"
    )


def _of_generators(root: Path, found: Layout) -> list[str]:
    """A note if the names of all generators are those of data sets' parts, or their categories'."""
    makers = {g: set[str]() for folders in found.values() for g, _ in folders if g is not None}
    for name, folders in found.items():
        for generator, _ in folders:
            if generator is not None:
                makers[generator].add(name)
    if are_parts(makers):
        roots = " or ".join(repr(str(root / name)) for name in sorted(makers)[:3])
        return [
            f"{_named(makers)} in {root}: taken for generators. If they are parts of a data set "
            f"or folders around all others, set images.root to {roots} (with images.archive, its "
            "`folder`)"
        ]
    if makers and all(names == {generator} for generator, names in makers.items()):
        return [
            f"{_named(makers)} in {root}: taken for generators, each with one category, of its own "
            f"name. If they are categories, take a level out: {_RECIPES}"
        ]
    return []


def _named(folders: Iterable[str]) -> str:
    """Names of folders, the first few of many."""
    names = sorted(folders)
    more = f", and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more


def junk_in(root: Path, generators: Iterable[str | None]) -> list[str]:
    """Names of what systems leave in the images' root and in the generators' folders."""
    names = []
    for folder in (root, *(root / name for name in generators if name is not None)):
        with suppress(OSError), os.scandir(folder) as scan:
            names += [entry.name for entry in scan if is_junk(entry.name)]
    return names
