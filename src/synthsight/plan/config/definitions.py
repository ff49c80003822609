"""The category definitions of a configuration: which is of which category, and which of none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from synthsight.clone import PACKAGE
from synthsight.files import is_file
from synthsight.labels.definitions import Definition, DefinitionError, read_definitions
from synthsight.labels.matching import Target, is_synset, words
from synthsight.labels.spaces import LabelSpace
from synthsight.plan.config.messages import Problem
from synthsight.wording import did_you_mean

#: The default of the key `category_definitions`.
DEFINITIONS = "resources/categories.yaml"

#: How similar a name in the default file must be to a category's for a note. That file is about
#: more categories than a run has; a plural or a slip is meant, not another word.
_NEARLY = 0.85

#: How many letters of a name may be wrong or too many; of one longer than this, a single one.
_LEFT_OUT = 2
_LONG = 24

#: At most how many unused definitions are named.
_LISTED = 5


@dataclass(frozen=True)
class Definitions:
    """The definitions in a file.

    Attributes:
        file: the file, as messages name it.
        content: its definitions, by the names in it.
        own: whether it is a file that the user has named, instead of the default.
    """

    file: str
    content: Mapping[str, Definition] = field(default_factory=dict)
    own: bool = False

    def of(self, category: str) -> Definition:
        """The definition of a category: that of its name or, if there is none, of its words."""
        return self.content.get(self._name_of(category) or category, Definition())

    def _name_of(self, category: str) -> str | None:
        """The name under which a category is defined, if it is."""
        return category if category in self.content else self._by_words.get(words(category))

    @cached_property
    def _by_words(self) -> dict[tuple[str, ...], str]:
        return {words(name): name for name in self.content}

    def notes(self, categories: Collection[str]) -> list[str]:
        """What the user should know about definitions that are not called like a category."""
        used = {category: name for category in categories if (name := self._name_of(category))}
        notes = [
            f"{self.file}: the definition {name!r} is taken for the category {category!r}, whose "
            "folder is written otherwise. Give them one name"
            for category, name in used.items()
            if name != category
        ]
        unused = sorted(set(self.content) - set(used.values()))
        if not categories:
            return notes
        if self.own and unused:
            listed = [f"{name!r}{self._meant(name, categories, used)}" for name in unused[:_LISTED]]
            more = f", and {len(unused) - _LISTED} more" if len(unused) > _LISTED else ""
            notes.append(
                f"{self.file}: no category of this run is called {', '.join(listed)}{more}: these "
                "definitions are not used"
            )
        elif not self.own:
            near = list(_nearest(unused, (each for each in categories if each not in used)))
            notes += [
                f"{self.file}: the definition {name!r} is not used; if it is meant for the "
                f"category {meant!r}, give them one name"
                for name, meant in near[:_LISTED]
            ]
            if len(near) > _LISTED:
                notes.append(
                    f"{self.file}: {len(near) - _LISTED} more definitions that are not used are "
                    "nearly called like a category"
                )
        return notes

    @staticmethod
    def _meant(name: str, categories: Iterable[str], used: Mapping[str, str]) -> str:
        hint = did_you_mean(name, (each for each in categories if each not in used))
        return f" ({hint.removeprefix('; ')})" if hint else ""


def _nearest(names: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that are nearly called like a known one, each with the nearest.

    Names are nearly the same if they begin alike and so many letters stand in both, in one order,
    that they make up :data:`_NEARLY` of all. So at most :data:`_LEFT_OUT` letters of each are left
    out, and what is then the same is looked up: comparing all with all would take a minute where
    there are thousands.
    """
    by_rest: dict[str, tuple[int, str]] = {}
    for each in sorted(known):
        for rest, left_out in _rests(each.casefold()):
            if rest not in by_rest or left_out < by_rest[rest][0]:
                by_rest[rest] = left_out, each
    for name in names:
        found: list[tuple[float, str]] = []
        for rest, left_out in _rests(name.casefold()):
            if rest in by_rest:
                others, each = by_rest[rest]
                common = 2 * len(rest)
                share = common / (common + left_out + others)
                if share >= _NEARLY:
                    found.append((-share, each))
        if found:
            yield name, min(found)[1]


def _rests(name: str) -> Iterator[tuple[str, int]]:
    """What is left of a name without some of its letters but the first; how many are left out."""
    if not name:
        return
    # Of a short name more would leave too few.
    most = 1 if len(name) > _LONG else min(_LEFT_OUT, int(len(name) * 2 * (1 - _NEARLY)))
    yield name, 0
    for first in range(1, len(name) if most > 0 else 0):
        less = name[:first] + name[first + 1 :]
        yield less, 1
        for second in range(first, len(less) if most > 1 else 0):
            yield less[:second] + less[second + 1 :], 2


def definitions_at(written: str) -> Path:
    """Where a file of category definitions is that a configuration names.

    The default one belongs to the project. A run in another folder, which has none of that name,
    uses the one beside the Snakefile.
    """
    path = Path(written)
    own = PACKAGE.parents[1] / path
    return own if written == DEFINITIONS and not path.exists() and is_file(own) else path


def load_definitions(written: str, problems: list[Problem]) -> Definitions:
    """The definitions in the file that a configuration names; none if it cannot be used."""
    path = definitions_at(written)
    try:
        content = read_definitions(path)
    except DefinitionError as error:
        problems.append(Problem(("category_definitions",), str(error)))
        return Definitions(str(path))
    default = (Path(DEFINITIONS), PACKAGE.parents[1] / DEFINITIONS)
    return Definitions(str(path), content, own=path not in default)


def unknown_classes(
    targets: Iterable[Target], spaces: Iterable[LabelSpace], file: str
) -> list[str]:
    """Notes on chosen classes that no model has.

    A synset counts where a label space has synsets: in a label file it only means a class that has
    one of its names, and few of them have all. The first ones come with close names, each of which
    takes a comparison with thousands.

    Args:
        targets: the categories.
        spaces: the models' label spaces.
        file: the definitions, for the messages.
    """
    synsets: set[str] = set()
    names: set[str] = set()
    for space in spaces:
        synsets |= set(space.synsets or ())
        names |= {name for lemmas in space.lemmas for name in lemmas}
    named = {words(name) for name in names}
    notes: list[str] = []
    hints = 0
    for target in targets:
        for each in target.classes or ():
            if is_synset(each):
                found, hint = not synsets or each in synsets, ""
            else:
                found = words(each) in named
                hint = "" if found or hints >= _LISTED else did_you_mean(each, names)
                hints += not found
            if not found:
                notes.append(
                    f"{file}: {target.name}: no model has the class {each!r}, so it counts for "
                    f"nothing{hint}"
                )
    return notes
