"""Looking at images for ``synthsight init``: what can be used, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthsight.commands.tables import Tabled, look_at_table
from synthsight.errors import SynthsightError
from synthsight.files import hint_at, is_file, is_folder
from synthsight.images.layout import Found, drawing, find_categories, reversed_order
from synthsight.images.manifest import list_folders
from synthsight.images.tree import are_parts, better_roots
from synthsight.labels.audit import label_audit, messages
from synthsight.labels.definitions import Definition, read_definitions
from synthsight.labels.folders import meanings
from synthsight.labels.matching import Target, accepted_classes, words
from synthsight.labels.spaces import load_labels, named_by
from synthsight.library.scores import rules
from synthsight.plan.config.definitions import DEFINITIONS, Definitions, definitions_at
from synthsight.plan.config.names import bad_name
from synthsight.tabular import FORMATS, TableError
from synthsight.wording import did_you_mean

#: The label space of the models that are proposed.
LABELS = "imagenet-1k"

#: How many roots are tried: each is a listing of all its files.
_TRIED = 5


class InitError(SynthsightError):
    """No configuration can be written for this folder, or to this file."""


@dataclass(frozen=True)
class Candidate:
    """A category that was found.

    Attributes:
        name: its name.
        images: number of files named like images in its folders, or of rows of a table, by
            generator; None stands for none.
        remarks: what the label audit says about it, in sentences.
        refused: why it cannot be used, or None.
    """

    name: str
    images: Mapping[str | None, int]
    remarks: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        root: the folder to take for ``images.root``.
        categories: sorted by name.
        notes: about what is not used or doubtful.
        table: the table that says it, in the place of folders, or None.
    """

    root: Path
    categories: tuple[Candidate, ...]
    notes: tuple[str, ...]
    table: Tabled | None = None

    @property
    def taken(self) -> list[Candidate]:
        """The categories that can be used."""
        return [each for each in self.categories if each.refused is None]

    @property
    def refused(self) -> list[Candidate]:
        """Those that cannot."""
        return [each for each in self.categories if each.refused is not None]


def survey(folder: Path, definitions: Path) -> Survey:
    """Find the categories in a folder of images, or deeper in it if they are only there.

    Args:
        folder: where the images are; or a table that says what images show.
        definitions: the file of category definitions.

    Raises:
        InitError: there is no such folder, no category in it, or none that can be used; or the
            table cannot be.
        synthsight.labels.definitions.DefinitionError: the definitions cannot be used.
    """
    known = Definitions(str(definitions), read_definitions(definitions))
    if is_file(folder) and folder.suffix.lower() in FORMATS:
        return _survey_table(folder, known)
    if not is_folder(folder):
        raise InitError(f"no folder {str(folder)!r}{hint_at(folder)}")
    try:
        layouts = [(root, find_categories(root, None)) for root in (folder, *_deeper(folder))]
    except PermissionError as error:
        raise InitError(f"{str(error.filename)!r} may not be read") from None
    given = layouts[0][1]
    if not given.layout:
        raise InitError(
            f"no folder in {str(folder)!r} is a category: put the images into "
            f"{folder}/<category>/ or {folder}/<generator>/<category>/, or name the folder that "
            "holds those of the categories" + "".join(f". {note}" for note in given.notes)
        )
    judged = [_judge_all(root, found, known) for root, found in layouts]
    best = max(range(len(layouts)), key=lambda each: _certain(judged[each], layouts[each][1]))
    root, found = layouts[best]
    notes = list(found.notes)
    if root != folder:
        others = [repr(str(other)) for other, _ in layouts[1:] if other != root]
        more = f" Others that it might be: {', '.join(others)}." if others else ""
        notes.insert(
            0,
            f"images.root is {str(root)!r}, since that is where the folders of categories lie."
            f"{more} With {str(folder)!r} they would be others. {drawing(folder, given.layout)}",
        )
    looked = Survey(root, tuple(judged[best]), tuple(notes))
    if not looked.taken:
        raise InitError(_unusable(looked, found))
    _check_list(root, found, [each.name for each in looked.taken])
    return looked


def _survey_table(path: Path, known: Definitions) -> Survey:
    """Find the categories that a table names."""
    try:
        table = look_at_table(path)
    except (TableError, OSError) as error:
        raise InitError(str(error)) from None
    called = _called(table.images, known)
    categories = [
        _judge(name, *called[name], images, "Call it otherwise")
        for name, images in table.images.items()
    ]
    looked = Survey(table.root, tuple(categories), table.notes, table)
    if not looked.taken:
        reasons = [f"  {each.name!r}: {each.refused}" for each in categories[:20]]
        raise InitError("\n".join([f"no category in {str(path)!r} can be used:", *reasons]))
    return looked


def _unusable(looked: Survey, found: Found) -> str:
    """Why no category can be used, and what the folders may be instead."""
    reasons = [f"  {each.name!r}: {each.refused}" for each in looked.refused[:20]]
    doubts = tuple(found.doubts.values())
    said = [note for note in looked.notes if doubts and note.startswith(doubts)]
    folders = sorted(folder for each in found.layout.values() for folder in each if folder[0])
    if not said and folders and _is_hit(str(folders[0][0])):
        hint = reversed_order(folders[0][1], str(folders[0][0]))
        said = [f"{hint}. {drawing(looked.root, found.layout)}"]
    return "\n".join([f"no category in {str(looked.root)!r} can be used:", *reasons, *said])


def _is_hit(name: str) -> bool:
    """Whether a category of this name accepts some class, under some rule."""
    space = load_labels(LABELS)
    return any(accepted_classes(Target(name), space, rule).any() for rule in rules())


def _deeper(folder: Path) -> Sequence[Path]:
    return better_roots(folder)[:_TRIED]


def _certain(judged: Sequence[Candidate], found: Found) -> int:
    """The number of images in categories that can be used and of which nothing is doubtful."""
    if are_parts({g for folders in found.layout.values() for g, _ in folders if g is not None}):
        return 0
    return sum(
        sum(each.images.values())
        for each in judged
        if each.refused is None and each.name not in found.doubts
    )


def _check_list(root: Path, found: Found, taken: Sequence[str]) -> None:
    """Check that a list of categories, which refers to folders wherever they are, is the same."""
    if find_categories(root, taken).layout != {name: found.layout[name] for name in taken}:
        generators = {generator for each in found.layout.values() for generator, _ in each}
        both = sorted(name for name in taken if name in generators)
        raise InitError(
            f"{', '.join(map(repr, both))} in {str(root)!r}: is this a generator or a category? "
            "Rename a folder, so that no name is both"
        )


def _judge_all(root: Path, found: Found, known: Definitions) -> list[Candidate]:
    """Judge all categories of a tree, by the classes that the names of their folders stand for."""
    called = _called(found.layout, known)
    candidates = []
    for name, folders in sorted(found.layout.items()):
        images = {generator: list_folders([root / folder]).images for generator, folder in folders}
        doubtful = name in found.doubts and are_parts([name])
        candidates.append(_judge(name, *called[name], images, "Rename the folder", doubtful))
    return candidates


def _called(names: Collection[str], known: Definitions) -> dict[str, tuple[str, Definition]]:
    """What the categories are called whose folders, or which in a table, have these names."""
    meant = meanings(names, defined=[name for name in names if known.of(name) != Definition()])
    called = {name: (name, known.of(name)) for name in names}
    for name, each in meant.items():
        called[name] = each.name, each.definition(name, known.of(each.name), known.own)
    return called


def _judge(
    name: str,
    called: str,
    definition: Definition,
    images: Mapping[str | None, int],
    remedy: str,
    doubtful: bool = False,
) -> Candidate:
    """Judge whether a category can be used, and collect remarks about it.

    Args:
        name: that of its folder, or in a table.
        called: its own.
        definition: what counts for it.
        images: their number by generator.
        remedy: what to do about a name that cannot be used.
        doubtful: whether the folder is most likely no category's.
    """
    for part in (name, *(generator for generator in images if generator is not None)):
        if reason := bad_name(part, in_paths=part == name):
            return Candidate(name, images, refused=f"the name {part!r} {reason}. {remedy}")
    if not words(name):
        return Candidate(name, images, refused=f"there is no word in its name. {remedy}")
    if doubtful:
        return Candidate(name, images, refused="the name is that of a data set's part")
    if not any(images.values()):
        return Candidate(name, images, refused="there are no images in it")
    space = load_labels(LABELS)
    audit = label_audit({called: definition}, [space], rules())
    if not audit["accepted_by"].astype(bool).any():
        phrase = " ".join(words(name))
        meant = named_by(name)
        close = did_you_mean(phrase, sorted({each for names in space.lemmas for each in names}), 3)
        if meant is not None:
            close = f": it is how ImageNet calls the class {meant!r}."
        reason = (
            f"no class of {LABELS} has {phrase!r} in its name{close or '.'} {remedy}, or "
            f"give further names in {definitions_at(DEFINITIONS)}: {name}: {{also: [NAME]}}"
        )
        return Candidate(name, images, refused=reason)
    remarks = [
        each.removeprefix(f"{called}: ").removesuffix(f" [{LABELS}]") for each in messages(audit)
    ]
    return Candidate(name, images, tuple(remarks))
