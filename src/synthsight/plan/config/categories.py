"""The images of a configuration: their archive, their categories and the definitions of these."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from synthsight.archives.archive import Archive, ArchiveError, local_path, problem_of
from synthsight.bounds import Key
from synthsight.files import hint_at, is_file, is_folder
from synthsight.images.layout import Layout, find_categories, junk_in, reversed_order
from synthsight.images.manifest import Listing, list_folders
from synthsight.images.reading import SUFFIXES
from synthsight.images.rows import Rows
from synthsight.images.table import Divided
from synthsight.images.tree import are_parts, draw, find_folder, folders_in, look
from synthsight.junk import describe
from synthsight.labels.definitions import Definition
from synthsight.labels.matching import Target, accepted_classes, words
from synthsight.labels.spaces import LabelSpace, named_by
from synthsight.plan.config.definitions import Definitions
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_name, name_key
from synthsight.plan.config.table import load_rows
from synthsight.plan.settings import ImageSettings, Settings
from synthsight.tabular import FORMATS
from synthsight.wording import did_you_mean


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
    """

    target: Target
    definition: Definition
    folders: tuple[tuple[str | None, str], ...]
    listing: Listing
    doubt: str | None = None
    rows: Rows | None = None

    @property
    def generators(self) -> set[str | None]:
        """Those of its images; None stands for none."""
        if self.rows is not None:
            return set(self.rows.generators)
        return {generator for generator, _ in self.folders}


def find_archive(
    images: ImageSettings, problems: list[Problem]
) -> tuple[Archive | None, bool, str]:
    """The archive that the images come from, if any.

    If something is wrong with it, nothing can be said about the images either: they are treated as
    not yet unpacked.

    Returns:
        The archive; whether it has yet to be unpacked; the folder of the images, which is the one
        in the archive if there is an archive.
    """
    about = images.archive
    if about is None:
        return None, False, images.root
    key: Key = ("images", "archive")
    if message := problem_of(about.url):
        problems.append(Problem((*key, "url"), message))
        return None, True, images.root
    root = Path(images.root)
    below = PurePosixPath(about.folder)
    if below.is_absolute() or ".." in below.parts:
        message = (
            f"{about.folder!r} is not a folder in the archive: write a relative path without .."
        )
        problems.append(Problem((*key, "folder"), message))
        return None, True, images.root
    archive = Archive(about.url, None if about.sha256 is None else about.sha256.lower(), root)
    folder = str(root / below)
    try:
        if archive.is_unpacked():
            if not is_folder(folder):
                found = ", ".join(folders_in(root)[:20]) or "none"
                message = f"no folder {about.folder!r} in the archive; folders there: {found}"
                problems.append(Problem((*key, "folder"), message))
                return archive, True, folder
            return archive, False, folder
    except (ArchiveError, OSError) as error:
        problems.append(Problem(("images", "root"), str(error)))
        return None, True, folder
    file = local_path(archive.url)
    if file is not None and not is_file(file):
        message = f"no file {str(file)!r} (relative paths start at {Path.cwd()}){hint_at(file)}"
        problems.append(Problem((*key, "url"), message))
    return archive, True, folder


def check_names(settings: Settings, problems: list[Problem]) -> None:
    """Check the names of the requested categories."""
    wanted = settings.categories or ()
    for index, name in enumerate(wanted):
        if wanted.index(name) < index:
            problems.append(Problem(("categories", index), f"{name!r} is listed twice"))
        elif message := bad_name(name):
            problems.append(Problem(("categories", index), f"{name!r} {message}"))


def load_categories(
    settings: Settings,
    definitions: Definitions,
    cache: Path,
    problems: list[Problem],
    warnings: list[str],
) -> tuple[dict[str, Category], Divided | None]:
    """The categories by name, sorted; what is not used is added to ``warnings``.

    Returns:
        The categories, and the table that they are from, if any.
    """
    images = settings.images
    root = Path(images.root)
    if not is_folder(root):
        message = (
            f"no folder {str(root)!r}{hint_at(root)} (relative paths start at {Path.cwd()}). Put "
            f"the images into {root}/<category>/ or {root}/<generator>/<category>/, or name the "
            "folder they are in"
        )
        if images.table is not None:
            message = message.partition(" Put ")[0] + " The paths in images.table start there"
        problems.append(Problem(("images", "root"), message))
        return {}, None
    if images.table is None:
        return _in_folders(settings, definitions, problems, warnings), None
    looked, divided = load_rows(settings, cache, problems, warnings)
    categories = {}
    for name, each in looked.items():
        about = definitions.of(name)
        categories[name] = Category(about.target(name), about, (), each.listing, rows=each.rows)
    warnings += definitions.notes(categories)
    return categories, divided


def _in_folders(
    settings: Settings, definitions: Definitions, problems: list[Problem], warnings: list[str]
) -> dict[str, Category]:
    """The categories that folders are, by name, sorted."""
    root, wanted = Path(settings.images.root), settings.categories
    try:
        found, notes, doubts, wrong = find_categories(root, wanted)
    except PermissionError:
        message = f"{str(root)!r} may not be read: give yourself the right to read and to enter it"
        problems.append(Problem(("images", "root"), message))
        return {}
    if wrong:
        problems += [Problem(("images", "root"), message) for message in wrong]
        return {}
    warnings += notes
    if wanted is not None:
        warnings += _other_spellings(root, wanted)
    for index, name in enumerate(wanted or ()):
        if name not in found and not bad_name(name):
            problems.append(Problem(("categories", index), _not_there(root, name)))
    if not found and wanted is None:
        message = (
            f"no images in folders below {str(root)!r}{_too_deep(root)}. Put them into "
            f"{root}/<category>/ or {root}/<generator>/<category>/{_tables_in(root)}"
        )
        problems.append(Problem(("images", "root"), message))
    problems += [Problem(("images", "root"), message) for message in _same_names(root, found)]
    categories = {}
    for name, folders in sorted(found.items()):
        if reason := _bad_folder(name, folders):
            problems.append(Problem(("images", "root"), reason))
            continue
        listing = list_folders(root / folder for _, folder in folders)
        if listing.images == 0:
            places = " or ".join(str(root / folder) for _, folder in folders)
            message = (
                f"category {name!r}: no images in {places} (files: {listing.files}; extensions "
                f"read: {' '.join(sorted(SUFFIXES))}). Add some, or list the other categories "
                "under `categories`"
            )
            problems.append(Problem(("images", "root"), message))
            continue
        definition = definitions.of(name)
        categories[name] = Category(
            definition.target(name), definition, tuple(folders), listing, doubts.get(name)
        )
    warnings += definitions.notes(categories)
    ignored = [entry for each in categories.values() for entry in each.listing.ignored]
    ignored += junk_in(root, {generator for folders in found.values() for generator, _ in folders})
    if note := describe(ignored, root):
        warnings.append(note)
    return categories


def _not_there(root: Path, name: str) -> str:
    """About a listed category of which there is no folder where it would be looked for."""
    outer = folders_in(root)
    seen = sorted({*outer, *(inner for name in outer for inner in folders_in(root / name))})
    text = f"no folder {name!r} in {root} or in a generator's folder there"
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


def _spelt(names: Sequence[str]) -> list[str]:
    """Names in quotes; with escapes where they look the same, as composed letters do."""
    same = len({unicodedata.normalize("NFC", name) for name in names}) < len(names)
    return [ascii(name) if same else repr(name) for name in names]


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
                    f"the {kind} {' and '.join(_spelt(spellings))} in "
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
    for space in spaces.values():
        names = sorted({name for lemmas in space.lemmas for name in lemmas} | set(space.simple))
        folded = {name.casefold(): name for name in names}
        for category in categories.values():
            name = category.target.name
            if any(accepted_classes(category.target, space, rule).any() for rule in rules):
                continue
            phrase = " ".join(words(name))
            close = difflib.get_close_matches(phrase, folded, n=3, cutoff=0.6)
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
