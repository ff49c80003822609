"""The images of a configuration: their categories and the definitions of these."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from synthsight.files import hint_at, is_folder
from synthsight.images.endings import SUFFIXES
from synthsight.images.layout import Layout, find_categories, junk_in, reversed_order
from synthsight.images.manifest import Listing, list_folders
from synthsight.images.roots import Roots
from synthsight.images.rows import Rows
from synthsight.images.tree import are_parts, draw, find_folder, folders_in, look
from synthsight.junk import describe
from synthsight.labels.definitions import Definition
from synthsight.labels.folders import Meaning, meanings
from synthsight.labels.folders import notes as said
from synthsight.labels.matching import Target, accepted_classes, words
from synthsight.labels.spaces import LabelSpace, named_by
from synthsight.plan.config.definitions import Definitions
from synthsight.plan.config.elsewhere import add_elsewhere
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_name
from synthsight.plan.settings import ImageSettings, Settings
from synthsight.spelling import name_key, spelt
from synthsight.tabular import FORMATS
from synthsight.wording import did_you_mean

#: For how many categories without a folder, or without a class, it is found out what may be meant:
#: each costs a look at all folders, or a comparison with thousands of names.
_HINTS = 20


@dataclass(frozen=True)
class Category:
    """A category of an experiment.

    Attributes:
        target: its name, as used in paths, tables and figures, and what counts as a hit.
        definition: its definition, with reasons.
        folders: ``(generator or None, folder below the images' root)``.
        listing: the files in the folders.
        doubt: what the folders may be instead of this category's, as a sentence, or None.
        rows: what a table says of it, in the place of folders, or None.
        known: digest of what a table or a set says of its images besides, which was kept as
            :data:`synthsight.images.rows.KNOWN`; None if nothing does.
    """

    target: Target
    definition: Definition
    folders: tuple[tuple[str | None, str], ...]
    listing: Listing
    doubt: str | None = None
    rows: Rows | None = None
    known: str | None = None

    @property
    def generators(self) -> set[str | None]:
        """Those of its images; None stands for none."""
        if self.rows is not None:
            return set(self.rows.generators)
        return {generator for generator, _ in self.folders}


def check_names(settings: Settings, problems: list[Problem]) -> None:
    """Check the names of the requested categories."""
    wanted = settings.categories or ()
    for index, name in enumerate(wanted):
        if wanted.index(name) < index:
            problems.append(Problem(("categories", index), f"{name!r} is listed twice"))
        elif message := bad_name(name):
            problems.append(Problem(("categories", index), f"{name!r} {message}"))


def check_root(images: ImageSettings, problems: list[Problem]) -> bool:
    """Check that the images' root is there."""
    root = Path(images.root)
    if is_folder(root):
        return True
    hint = (
        f"Put the images into {root}/<category>/ or {root}/<generator>/<category>/, or name the "
        "folder they are in"
        if images.table is None
        else "The paths in images.table start there"
    )
    message = f"no folder {str(root)!r}{hint_at(root)} (relative paths start at {Path.cwd()}). "
    problems.append(Problem(("images", "root"), message + hint))
    return False


def load_categories(
    settings: Settings,
    definitions: Definitions,
    spaces: Mapping[str, LabelSpace],
    problems: list[Problem],
    warnings: list[str],
) -> tuple[dict[str, Category], Roots]:
    """The categories that folders are, by name, sorted; what is not used goes to ``warnings``.

    Folders that are called as ImageNet calls its classes are categories of the classes' names.

    Returns:
        The categories, and where their images lie.
    """
    root = Path(settings.images.root)
    roots = Roots(root)
    wanted = settings.categories
    if not check_root(settings.images, problems):
        return {}, roots
    try:
        meant = {} if wanted is None else understood(_names_in(root), definitions, spaces)
        called = [folder for folder in sorted(meant) if meant[folder].name in (wanted or ())]
        listed = None if wanted is None else [*wanted, *called]
        found, notes, doubts, wrong = find_categories(root, listed)
    except PermissionError:
        message = f"{str(root)!r} may not be read: give yourself the right to read and to enter it"
        problems.append(Problem(("images", "root"), message))
        return {}, roots
    if wrong:
        problems += [Problem(("images", "root"), message) for message in wrong]
        return {}, roots
    warnings += notes
    if wanted is not None:
        warnings += _other_spellings(root, wanted)
    missing = dict.fromkeys(
        name
        for name in wanted or ()
        if name not in found and not bad_name(name) and not _stands(name, meant)
    )
    explained = {name: _not_there(root, name) for name in islice(missing, _HINTS)}
    for index, name in enumerate(wanted or ()):
        if name in missing:
            message = explained.get(name, _nowhere(root, name))
            problems.append(Problem(("categories", index), message))
    if not found and wanted is None:
        message = (
            f"no images in folders below {str(root)!r}{_too_deep(root)}. Put them into "
            f"{root}/<category>/ or {root}/<generator>/<category>/{_tables_in(root)}"
        )
        problems.append(Problem(("images", "root"), message))
    if wanted is None:
        meant = understood([list(found)], definitions, spaces)
    meant = {folder: meant[folder] for folder in found if folder in meant}
    warnings += said(meant)
    found, folder_of = _renamed(found, meant, problems)
    doubts = {meant[name].name if name in meant else name: doubts[name] for name in doubts}
    problems += [Problem(("images", "root"), message) for message in _same_names(root, found)]
    if found:

        def accepts(name: str, about: Meaning) -> bool:
            of = meant.get(folder_of[name])
            if of is not None:
                return of.synset == about.synset
            return about.is_accepted(definitions.of(name))

        elsewhere = add_elsewhere(
            *(settings.images, found, accepts),
            lambda names: understood([names], definitions, spaces),
            *(problems, warnings),
        )
        roots = Roots(root, elsewhere)
    categories = {}
    for name, folders in sorted(found.items()):
        if reason := _bad_folder(name, folders):
            problems.append(Problem(("images", "root"), reason))
            continue
        places = [roots.path(folder) for _, folder in folders]
        listing = list_folders(places, settings.images.part)
        if listing.images == 0:
            message = (
                f"category {name!r}: no images in {' or '.join(map(str, places))} (files: "
                f"{listing.files}; extensions read: {' '.join(sorted(SUFFIXES))}). Add some, "
                "or list the other categories under `categories`"
            )
            problems.append(Problem(("images", "root"), message))
            continue
        definition = definitions.of(name)
        if (folder := folder_of[name]) in meant:
            definition = meant[folder].definition(folder, definition, definitions.own)
        categories[name] = Category(
            definition.target(name), definition, tuple(folders), listing, doubts.get(name)
        )
    warnings += definitions.notes(categories)
    ignored = [entry for each in categories.values() for entry in each.listing.ignored]
    makers = {generator for folders in found.values() for generator, _ in folders}
    ignored += junk_in(root, makers - roots.elsewhere.keys())
    if note := describe(ignored, root):
        warnings.append(note)
    return categories, roots


def _names_in(root: Path) -> list[list[str]]:
    """The names of the folders in the root, and of those in these."""
    outer = folders_in(root)
    return [outer, sorted({inner for name in outer for inner in folders_in(root / name)})]


def understood(
    levels: Iterable[Collection[str]], definitions: Definitions, spaces: Mapping[str, LabelSpace]
) -> dict[str, Meaning]:
    """The classes that names stand for which nobody has defined, level by level.

    Args:
        levels: names of folders, or of a table's categories, of each level.
        definitions: those of categories.
        spaces: the models' label spaces.
    """
    found: dict[str, Meaning] = {}
    for names in levels:
        known = {name for name in names if definitions.of(name) != Definition()}
        found |= meanings(names, spaces.values(), known)
    return found


def _stands(name: str, meant: Mapping[str, Meaning]) -> bool:
    """Whether a folder stands for the class of this name."""
    return any(each.name == name for each in meant.values())


def _renamed(
    found: Layout, meant: Mapping[str, Meaning], problems: list[Problem]
) -> tuple[Layout, dict[str, str]]:
    """The folders by the names of the categories that they stand for; the folder's name of each."""
    layout: Layout = {}
    folder_of: dict[str, str] = {}
    for folder, places in sorted(found.items()):
        name = meant[folder].name if folder in meant else folder
        if (other := folder_of.setdefault(name, folder)) != folder:
            message = (
                f"the folders {layout[name][0][1]!r} and {places[0][1]!r} would both be the "
                f"category {name!r} ({other!r} and {folder!r} stand for it). Give these folders "
                "one name, or leave one out of `categories`"
            )
            problems.append(Problem(("images", "root"), message))
        else:
            layout[name] = places
    return layout, folder_of


def _not_there(root: Path, name: str) -> str:
    """About a listed category of which there is no folder where it would be looked for."""
    outer = folders_in(root)
    seen = sorted({*outer, *(inner for name in outer for inner in folders_in(root / name))})
    text = _nowhere(root, name)
    for other in seen:
        if unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", name):
            return f"{text}: it is written {other!a} there, and {name!a} here. Write it as there"
    place = find_folder(root, [name])
    if place is None:
        above = _too_deep(root)
        hint = did_you_mean(name, seen) or f"; folders there: {', '.join(seen[:20]) or 'none'}"
        return f"{text}{above or hint}"
    roots = [place.parent.parent, place.parent]
    return (
        f"{text}, but at {place}: set images.root to {str(roots[0])!r}, or, if "
        f"{place.parent.name!r} is no generator, to {str(roots[1])!r} (with images.archive, its "
        f"`folder`):\n{draw(root, {}, place.relative_to(root).as_posix())}"
    )


def _tables_in(root: Path) -> str:
    """A hint at a table that lies among the images and may say what they show; else nothing."""
    found = sorted(path.name for path in root.iterdir() if path.suffix.lower() in FORMATS)
    return f". If {found[0]!r} says what images show, name it under images.table" if found else ""


def _nowhere(root: Path, name: str) -> str:
    return f"no folder {name!r} in {root} or in a generator's folder there"


def _too_deep(root: Path) -> str:
    """A hint if the images' root seems to be the folder of a category; else nothing."""
    first = look(root).first
    if first is None:
        return ""
    absolute = Path(os.path.abspath(root))
    if are_parts([absolute.name]):
        return f"; images lie directly in it ({first}, ...), and no folder says what they show"
    above = root.parent if len(root.parts) > 1 else absolute.parent
    return (
        f"; images lie directly in it ({first}, ...). If {absolute.name!r} is a category, set "
        f"images.root to the folder above it, {str(above)!r}, or, if that is a generator's, to the "
        "one above that"
    )


def _other_spellings(root: Path, wanted: Sequence[str]) -> list[str]:
    """Notes about folders that are left out although a listed category has their name."""
    by_words = {words(name): name for name in wanted if words(name)}
    places = [(name, name) for name in folders_in(root) if name not in wanted]
    places += [
        (f"{outer}/{name}", name) for outer, _ in places for name in folders_in(root / outer)
    ]
    return [
        f"{root / place} is not used: it is written {name!a}, and `categories` lists "
        f"{by_words[words(name)]!a}. If they are one category, rename the folder"
        for place, name in places
        if name not in wanted and words(name) in by_words
    ]


def _same_names(root: Path, found: Layout) -> list[str]:
    """Names of categories, or of generators, that people would take for one."""
    generators = {generator for folders in found.values() for generator, _ in folders if generator}
    messages = []
    for kind, names in (("categories", set(found)), ("generators", generators)):
        alike: dict[str, list[str]] = {}
        for name in sorted(names):
            key = " ".join(words(name)) if kind == "categories" else name_key(name)
            alike.setdefault(key or name, []).append(name)
        for spellings in alike.values():
            if len(spellings) > 1:
                places = sorted(
                    folder
                    for name, folders in found.items()
                    for generator, folder in folders
                    if (name if kind == "categories" else generator) in spellings
                )
                messages.append(
                    f"the {kind} {' and '.join(spelt(spellings))} in "
                    f"{str(root)!r} differ only in how the name is written "
                    f"({', '.join(map(repr, places[:6]))}): their images would be counted apart. "
                    "Give these folders one name"
                )
    return messages


def _bad_folder(name: str, folders: Iterable[tuple[str | None, str]]) -> str | None:
    for part in (name, *(generator for generator, _ in folders if generator is not None)):
        if message := bad_name(part, in_paths=part == name):
            return f"the folder {part!r} {message}. Rename it"
    if not words(name):
        return f"the category {name!r} has no word in its name. Rename the folder"
    return None


def check_words(
    categories: Mapping[str, Category],
    spaces: Mapping[str, LabelSpace],
    rules: Sequence[str],
    problems: list[Problem],
    notes: Sequence[str] = (),
) -> None:
    """Check that some class of every label space matches each category, under some rule.

    What is doubtful about the folders of a category that none matches is repeated, as it stands in
    ``notes``: most likely it is the reason. It is said once for all categories that it is about.
    """
    told: set[str] = set()
    looked = 0
    for space in spaces.values():
        names = sorted({name for lemmas in space.lemmas for name in lemmas} | set(space.simple))
        folded = {name.casefold(): name for name in names}
        for category in categories.values():
            name = category.target.name
            if any(accepted_classes(category.target, space, rule).any() for rule in rules):
                continue
            phrase = " ".join(words(name))
            looked += 1
            near = folded if looked <= _HINTS else ()
            close = difflib.get_close_matches(phrase, near, n=3, cutoff=0.6)
            hint = f" (close: {', '.join(folded[name] for name in close)})" if close else ""
            if (meant := named_by(name)) is not None:
                hint = f"; it is how ImageNet calls the class {meant!r}, so give it that name"
            rename = "Rename the folder" if category.rows is None else "Call it otherwise"
            message = (
                f"category {name!r} can never be hit: no class of {space.name} has "
                f"{phrase!r} in its name{hint}. {rename}, leave it out of `categories`, "
                "or define further names in `category_definitions`: "
                f"{name}: {{also: [NAME]}}"
            )
            for generator, folder in category.folders:
                if generator is not None and any(
                    accepted_classes(Target(generator), space, rule).any() for rule in rules
                ):
                    message += f". {reversed_order(folder, generator)}"
                    break
            if category.doubt is not None and category.doubt not in told:
                told.add(category.doubt)
                message += "".join(f". {note}" for note in notes if note.startswith(category.doubt))
            problems.append(Problem(("categories",), message))
