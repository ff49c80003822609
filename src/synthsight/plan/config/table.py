"""The categories of a configuration whose images a table names, ``images.table``."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np

from synthsight.bounds import Key
from synthsight.canonical import canonical_json
from synthsight.files import Digests, hint_at, is_file
from synthsight.images.finding import ImageFinder
from synthsight.images.rows import (
    FOLDER,
    LookedUp,
    keep_list,
    keep_looked,
    look_up,
    recall_looked,
    with_parts,
)
from synthsight.images.table import LISTED, Divided, SplitError, divide
from synthsight.labels.folders import Meaning, notes
from synthsight.labels.matching import words
from synthsight.labels.spaces import LabelSpace
from synthsight.plan.config.categories import Category, check_root, understood
from synthsight.plan.config.definitions import Definitions
from synthsight.plan.config.elsewhere import real_entries
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_name
from synthsight.plan.settings import ImageSettings, Settings
from synthsight.spelling import name_key, spelt
from synthsight.tabular import TableError
from synthsight.wording import did_you_mean

_TABLE: Key = ("images", "table")

#: Names that a message lists.
_NAMED = 20


def check_table_keys(images: ImageSettings, unpacked: Path | None, problems: list[Problem]) -> None:
    """Refuse keys that say something of a table where there is none, or of folders beside one.

    Args:
        images: the settings.
        unpacked: folder into which the images have yet to be unpacked, perhaps with the table.
        problems: to which what is wrong is added.
    """
    if images.table is not None:
        path = Path(images.table)
        if unpacked is not None and not (
            is_file(path) or path.absolute().is_relative_to(unpacked.absolute())
        ):
            problems.append(Problem(_TABLE, _no_file(path)))
        problems += [
            Problem(
                key,
                f"{entry!r} is a path: with images.table, write a generator's name here, and name "
                "photographs that lie elsewhere in the table, with paths below images.root",
            )
            for key, entry in real_entries(images)
            if "/" in entry
        ]
        return
    stated = {key: name for key, name in asdict(images.columns).items() if name != key}
    for key, given in (("split", images.split), ("columns", stated or None)):
        if given is not None:
            message = "there is no table that it could be about: name one under images.table"
            problems.append(Problem(("images", key), message))


def load_tabled(
    settings: Settings,
    definitions: Definitions,
    spaces: Mapping[str, LabelSpace],
    cache: Path,
    problems: list[Problem],
    warnings: list[str],
) -> tuple[dict[str, Category], Divided | None]:
    """The categories that a table names, by name, sorted; see :func:`load_rows`.

    Those that are called as ImageNet calls its classes have the classes' names, as folders have.
    """
    if not check_root(settings.images, problems):
        return {}, None
    meant: dict[str, Meaning] = {}

    def understand(names: Collection[str]) -> Mapping[str, str]:
        meant.update(understood([names], definitions, spaces))
        return {name: each.name for name, each in meant.items()}

    looked, divided = load_rows(settings, cache, problems, warnings, understand)
    meant = {name: meant[name] for name in looked if name in meant}
    root = Path(settings.images.root)
    warnings += [f"{settings.images.table}: {note}" for note in notes(meant, "categories")]
    categories: dict[str, Category] = {}
    for written, each in looked.items():
        name = meant[written].name if written in meant else written
        about = definitions.of(name)
        if written in meant:
            place = "the table calls it"
            about = meant[written].definition(written, about, definitions.own, place)
        listing = with_parts(each.rows, each.listing, root, cache, settings.images.part)
        categories[name] = Category(
            about.target(name), about, (), listing, rows=each.rows, known=each.rows.known
        )
    categories = dict(sorted(categories.items()))
    known = {name: each.known for name, each in categories.items() if each.known}
    if known:
        keep_list(cache, known)
    warnings += definitions.notes(categories)
    return categories, divided


def load_rows(
    settings: Settings,
    cache: Path,
    problems: list[Problem],
    warnings: list[str],
    understand: Callable[[Collection[str]], Mapping[str, str]] = lambda _: {},
) -> tuple[dict[str, LookedUp], Divided | None]:
    """What a table says of each category of the run, by the name in the table, sorted.

    Args:
        settings: settings of the experiment, with a table.
        cache: folder of caches, in which the rows of each category are kept for its jobs.
        problems: to which everything wrong is added.
        warnings: to which everything else that the user should know is added.
        understand: gives, for those names of categories that stand for classes, what these are
            called.

    Returns:
        The categories, none if they cannot be told; and the table, None if it cannot be read.
    """
    images, before = settings.images, len(problems)
    divided = _divided(images, cache, problems)
    if divided is None:
        return {}, None
    warnings += divided.notes
    called = understand(divided.parts)
    problems += [Problem(_TABLE, message) for message in _bad_names(images, divided, called)]
    names = _wanted(settings, divided, called, problems, warnings)
    if len(problems) > before:
        return {}, divided
    root, before = Path(images.root), len(problems)
    key = sha256(canonical_json([str(root.resolve()), names]).encode()).hexdigest()
    kept = divided.folder / f"looked-{key}.json"
    recalled = recall_looked(kept, names, root, cache)
    if recalled is not None:
        _check_rows(images, recalled, problems, warnings)
        return recalled, divided
    find = ImageFinder(root)
    try:
        looked = {name: look_up(divided, name, find, cache) for name in names}
    except TableError as error:
        problems.append(Problem(_TABLE, str(error)))
        return {}, divided
    if find.renamed:
        written, image = find.renamed[0]
        warnings.append(
            f"{images.table}: {len(find.renamed)} images are written otherwise than their files "
            f"are called and are taken for these, the first: {written!r} for {image!r}"
        )
    _check_rows(images, looked, problems, warnings)
    contradictions = list(chain.from_iterable(each.contradictions for each in looked.values()))
    contradictions += _in_two(divided, looked, find)
    if contradictions:
        message = _listed(f"{images.table} contradicts itself", contradictions)
        problems.append(Problem(_TABLE, message))
    # A file that is missing, or has another name, may be there as it is written next time.
    sure = len(problems) == before and not find.renamed
    if sure and not any(each.missing for each in looked.values()):
        keep_looked(kept, looked)
    return looked, divided


def _divided(images: ImageSettings, cache: Path, problems: list[Problem]) -> Divided | None:
    path, columns = Path(str(images.table)), asdict(images.columns)
    if not is_file(path):
        problems.append(Problem(_TABLE, _no_file(path)))
        return None
    digests = Digests(cache / "sha256_tables.json")
    try:
        divided = divide(path, digests.of(path), columns, images.split, cache / FOLDER)
    except SplitError as error:
        problems.append(Problem(("images", "split"), str(error)))
        return None
    except TableError as error:
        problems.append(Problem(_TABLE, str(error)))
        return None
    except OSError as error:
        problems.append(Problem(_TABLE, f"{path} cannot be read: {error.strerror}"))
        return None
    digests.save()
    for key, column, one in (("real", "real", "by folders"), ("group", "group", "by a pattern")):
        if getattr(images, key) is not None and column in divided.columns:
            message = (
                f"{path} has a column {columns[column]!r}, which says the same as this key does "
                f"{one}: remove the key, or the column"
            )
            problems.append(Problem(("images", key), message))
    return divided


def _no_file(path: Path) -> str:
    return f"no file {str(path)!r} (relative paths start at {Path.cwd()}){hint_at(path)}"


def _bad_names(images: ImageSettings, divided: Divided, called: Mapping[str, str]) -> list[str]:
    """Names of categories and generators that cannot be, or that people would take for one."""
    categories = {name: part.line for name, part in divided.parts.items()}
    generators: dict[str, int] = {}
    for part in divided.parts.values():
        for name, line in part.generators.items():
            if name:
                generators[name] = min(line, generators.get(name, line))
    messages = []
    for kind, lines in (("category", categories), ("generator", generators)):
        for name, line in lines.items():
            of_class = kind == "category" and name in called  # which has another name in paths
            reason = None if of_class else bad_name(name, in_paths=kind == "category")
            if reason is None and kind == "category" and not words(name):
                reason = "has no word in its name"
            if reason is not None:
                messages.append(f"line {line}: the {kind} {name!r} {reason}")
        alike: dict[str, list[str]] = {}
        for name in sorted(lines):
            key = name_key(name)
            if kind == "category":
                key = " ".join(words(called.get(name, name)))
            alike.setdefault(key or name, []).append(name)
        kinds = "categories" if kind == "category" else "generators"
        for spellings in alike.values():
            if len(spellings) > 1:
                shown = zip(spelt(spellings), spellings, strict=True)
                named = " and ".join(f"{text} (line {lines[name]})" for text, name in shown)
                if kind == "category" and not called.keys().isdisjoint(spellings):
                    meant = next(called[name] for name in spellings if name in called)
                    messages.append(
                        f"the categories {named} would both be {meant!r}. Give them one name, or "
                        "leave the rows of one out"
                    )
                    continue
                messages.append(
                    f"the {kinds} {named} differ only in how the name is written: their images "
                    "would be counted apart. Give them one name"
                )
    return [f"{images.table}: {message}" for message in messages[:_NAMED]]


def _wanted(
    settings: Settings,
    divided: Divided,
    called: Mapping[str, str],
    problems: list[Problem],
    warnings: list[str],
) -> list[str]:
    """The categories of the run as the table calls them, sorted."""
    there, wanted = divided.parts, settings.categories
    if wanted is None:
        return list(there)
    table = settings.images.table
    by_words = {words(name): name for name in wanted}
    for index, name in enumerate(wanted):
        if name in there or name in called.values() or bad_name(name):
            continue
        same = [
            each
            for each in there
            if unicodedata.normalize("NFC", each) == unicodedata.normalize("NFC", name)
        ]
        hint = f": it is written {same[0]!a} there, and {name!a} here" if same else ""
        hint = hint or did_you_mean(name, there) or f"; categories there: {_some(list(there))}"
        problems.append(Problem(("categories", index), f"no row of {name!r} in {table}{hint}"))
    taken = {name for name in there if name in wanted or called.get(name) in wanted}
    others = [name for name in there if name not in taken]
    if others:
        rows = sum(there[name].rows for name in others)
        warnings.append(
            f"{table}: {rows:,} rows of other categories than `categories` lists are not used: "
            f"{_some(others)}"
        )
    for name in others:
        if words(name) in by_words:
            warnings.append(
                f"{table}: {name!a} is not used, and `categories` lists {by_words[words(name)]!a}. "
                "If they are one category, give it one name"
            )
    return sorted(taken)


def _check_rows(
    images: ImageSettings,
    looked: Mapping[str, LookedUp],
    problems: list[Problem],
    warnings: list[str],
) -> None:
    """Leave out rows without a file, or refuse the table if that is most of it."""
    missing = sorted(chain.from_iterable(each.missing for each in looked.values()))
    total = sum(each.listing.files for each in looked.values())
    lines = [f"line {line}: {image!r}: {reason}" for line, image, reason in missing]
    without = [name for name, each in looked.items() if not each.listing.images]
    if missing and (2 * len(missing) > total or without):
        what = f"{len(missing):,} of the {total:,} images of {images.table} cannot be used"
        if without:
            what += f", all of {_some(without)} among them"
        hint = f"Paths start at images.root, {images.root!r}"
        problems.append(Problem(_TABLE, f"{_listed(what, lines)}\n    {hint}"))
    elif missing:
        what = (
            f"{images.table}: {len(missing):,} of {total:,} images are left out, as "
            "tables/excluded.csv will say"
        )
        warnings.append(_listed(what, lines, most=5))
    repeated = sorted(chain.from_iterable(each.repeated for each in looked.values()))
    if repeated:
        first, later = repeated[0]
        warnings.append(
            f"{images.table}: {len(repeated):,} rows say again what an earlier one does, and count "
            f"once, the first: line {later} what line {first} says"
        )


def _in_two(divided: Divided, looked: Mapping[str, LookedUp], find: ImageFinder) -> list[str]:
    """About images that have rows of two categories.

    All paths need not be in memory: hashes are compared, and the paths of those that are equal.
    """
    if len(looked) < 2:
        return []
    names = list(looked)
    hashes = np.concatenate([each.hashes for each in looked.values()])
    lines = np.concatenate([each.lines for each in looked.values()])
    places = np.repeat(np.arange(len(names)), [len(each.hashes) for each in looked.values()])
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    messages = []
    for index in again[: 2 * _NAMED]:
        pair = order[index : index + 2]
        about = []
        for name, line in ((names[places[each]], int(lines[each])) for each in pair):
            rows = divided.rows(name)
            (written,) = rows.filter(np.asarray(rows["line"]) == line)["image"].to_pylist()
            about.append((find.find(written)[0], line, name))
        (image, line, name), (other, later, else_) = sorted(about, key=lambda row: row[1])
        if image == other:
            messages.append(
                f"{image!r} is {name!r} on line {line} and {else_!r} on line {later}: an image has "
                "one category"
            )
    return messages


def _listed(what: str, lines: Sequence[str], most: int = LISTED) -> str:
    shown = [*lines[:most], *([f"... and {len(lines) - most:,} more"] if len(lines) > most else [])]
    return "\n    ".join([what, *shown])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(repr, names[:_NAMED])) + more
