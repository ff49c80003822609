"""Folders outside of the images' root that ``images.real`` names by their paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from synthsight.bounds import Key
from synthsight.files import hint_at, is_folder
from synthsight.images.layout import Layout
from synthsight.images.tree import look
from synthsight.labels.folders import Meaning, notes
from synthsight.labels.matching import words
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_name
from synthsight.plan.settings import ImageSettings

_REAL: Key = ("images", "real")

#: Names that a message lists.
_NAMED = 20


def real_entries(images: ImageSettings) -> Iterator[tuple[Key, str]]:
    """What ``images.real`` names, each entry with its key."""
    if isinstance(images.real, str):
        yield _REAL, images.real
    else:
        for index, entry in enumerate(images.real or ()):
            yield (*_REAL, index), entry


def name_of(entry: str) -> str:
    """The generator that an entry names: a name, or the last folder of a path."""
    return Path(os.path.abspath(entry)).name if "/" in entry else entry


def add_elsewhere(
    images: ImageSettings,
    found: Layout,
    accepts: Callable[[str, Meaning], bool],
    understand: Callable[[Collection[str]], Mapping[str, Meaning]],
    problems: list[Problem],
    warnings: list[str],
) -> dict[str, Path]:
    """Add the categories in folders outside of the images' root to those in it.

    Args:
        images: the settings. An entry of ``images.real`` with a slash is a path; one that leads to
            a folder in the root names that.
        found: the categories of the run, to which is added.
        accepts: tells whether the category of a name may be a class of ImageNet of that name.
        understand: gives the classes that names of folders stand for.
        problems: to which is added what is wrong.
        warnings: to which is added what is not used.

    Returns:
        These folders, by the name that each has as a generator: that of its last folder.
    """
    root = os.path.abspath(images.root)
    taken = {folder.split("/")[0] for folders in found.values() for _, folder in folders}
    elsewhere: dict[str, Path] = {}
    for key, entry in real_entries(images):
        path = os.path.abspath(entry)
        if "/" not in entry or os.path.dirname(path) == root:
            continue
        folder, name = Path(entry), name_of(entry)
        if not is_folder(folder):
            problem = f"no folder {entry!r}{hint_at(folder)} (relative paths start at {Path.cwd()})"
        elif reason := bad_name(name, in_paths=False):
            problem = f"the folder {name!r} {reason}. Rename it"
        elif path == root:
            problem = f"{entry!r} is images.root itself: name the folder in it with photographs"
        elif name in elsewhere and os.path.abspath(elsewhere[name]) == path:
            continue  # listed twice, which is said where the names are checked
        elif name in elsewhere:
            problem = f"two folders are called {name!r}, and so would their images be. Rename one"
        elif name in taken:
            problem = (
                f"{images.root!r} has a folder {name!r}, too, and the images of both would be "
                "called alike. Rename one"
            )
        else:
            problem = _add(folder, name, found, accepts, understand, warnings) or ""
            elsewhere[name] = folder
        if problem:
            problems.append(Problem(key, problem))
    return elsewhere


def _add(
    folder: Path,
    name: str,
    found: Layout,
    accepts: Callable[[str, Meaning], bool],
    understand: Callable[[Collection[str]], Mapping[str, Meaning]],
    warnings: list[str],
) -> str | None:
    """Add a folder's categories; returns what is wrong with it, if anything."""
    try:
        inside = look(folder)
    except PermissionError:
        return f"{str(folder)!r} may not be read: give yourself the right to read and to enter it"
    understood = {
        each: about
        for each, about in understand(inside.folders).items()
        if each not in found and about.name in found
    }
    meant = {each: of for each, of in understood.items() if accepts(of.name, of)}
    others = {each: of for each, of in understood.items() if each not in meant}
    warnings += [f"{folder}: {note}" for note in notes(meant, taken="categories of the run")]
    warnings += [
        f"{folder / each} is not used: it is called as ImageNet calls its {about.name!r} "
        f"({about.synset}), which is no {about.name!r} of the run: that is another class, or its "
        "definition accepts others"
        for each, about in others.items()
    ]
    called = {each: meant[each].name if each in meant else each for each in inside.folders}
    of: dict[str, str] = {}
    for each, category in called.items():
        if category in found and of.setdefault(category, each) != each:
            return (
                f"the folders {of[category]!r} and {each!r} in {str(folder)!r} would both be the "
                f"category {category!r}. Give them one name, or take one out"
            )
    if not of:
        return (
            f"no folder in {str(folder)!r} is called like a category of the run "
            f"({_listed(sorted(found))}); folders there: {_listed(inside.folders) or 'none'}"
        )
    alike = {words(each): each for each in found}
    for each, category in called.items():
        if category in found:
            found[category].append((name, f"{name}/{each}"))
        elif words(each) in alike:
            warnings.append(
                f"{folder / each} is not used: it is written {each!a}, and the category is "
                f"{alike[words(each)]!a}. If they are one, rename the folder"
            )
    unused = [
        each
        for each in called
        if called[each] not in found and words(each) not in alike and each not in others
    ]
    if unused:
        warnings.append(
            f"{len(unused)} of {len(inside.folders)} folders in {folder} are not used, since no "
            f"category is called like them: {_listed(unused)}"
        )
    warnings += [
        f"{folder / link} is a link to a folder and is not followed: copy the images"
        for link in inside.links
    ]
    return None


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(repr, names[:_NAMED])) + more
