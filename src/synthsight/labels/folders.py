"""Categories that are called as ImageNet calls its classes: by synset, number or all names.

``n02129165``, ``291`` and ``lion, king of beasts, Panthera leo`` are one class, which people call
lion: as folders, and in tables. A number is taken for a class of ImageNet only where it can hardly
be another set's: if all names are numbers, and these do not count the categories from 0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from synthsight.labels.definitions import Definition
from synthsight.labels.matching import is_synset, words
from synthsight.labels.spaces import IMAGENETS, LabelSpace, load_labels, wordnet_names

_NUMBER = re.compile(r"[0-9]{1,3}")

#: Names that a note lists.
_NAMED = 5


@dataclass(frozen=True)
class Meaning:
    """The class that the name of a folder, or of a table's category, stands for.

    Attributes:
        name: what the class is called: torchvision's name for a class of ImageNet-1k, otherwise the
            first of WordNet's.
        synset: WordNet's identifier.
        form: how it is named, in the plural.
    """

    name: str
    synset: str
    form: str

    def definition(
        self, written: str, known: Definition, own: bool, place: str = "the folder is called"
    ) -> Definition:
        """What counts as right for it: this class, and no other.

        Args:
            written: the folder's name, or a table's.
            known: the definition of a category of this name.
            own: whether the user has written it, so that it holds.
            place: where it is written, as the beginning of a sentence.
        """
        if own and known.classes is not None:
            return known
        return Definition(known.also, {self.synset: f"{place} {written}"})

    def is_accepted(self, definition: Definition) -> bool:
        """Whether a category with a definition may be this class: nobody says it is none."""
        names = {self.synset, *wordnet_names().get(self.synset, ())}
        return definition.classes is None or not names.isdisjoint(definition.classes)


def meanings(
    written: Iterable[str], spaces: Iterable[LabelSpace] = (), defined: Collection[str] = ()
) -> dict[str, Meaning]:
    """The classes that names stand for; names that are none are not in it.

    Args:
        written: the names of all categories' folders, or of a table's categories.
        spaces: the models' label spaces: numbers that are names of their classes are what they say.
        defined: names that a person has defined, and which therefore stand for that.
    """
    names = set(written)
    found = {
        name: meant for name in names.difference(defined) if (meant := _by_name(name)) is not None
    }
    if names and names.isdisjoint(defined) and all(map(_NUMBER.fullmatch, names)):
        numbers = {int(name) for name in names}
        imagenet = load_labels("imagenet-1k")
        counted = numbers == set(range(len(numbers))) and len(numbers) < len(imagenet)
        if not counted and not any(_has(space, names) for space in spaces):
            found |= {name: _of_number(imagenet, int(name)) for name in names}
    return found


def notes(
    found: Mapping[str, Meaning], what: str = "folders", taken: str = "these classes alone"
) -> list[str]:
    """A sentence for each form of names that were understood.

    Args:
        found: from :func:`meanings`.
        what: the names are of, in the plural.
        taken: for what they are taken.
    """
    by_form: dict[str, list[str]] = {}
    for written, meant in sorted(found.items()):
        by_form.setdefault(meant.form, []).append(f"{written!r} is {meant.name!r}")
    return [
        f"{what} called by {form} are taken for {taken}: {'; '.join(each[:_NAMED])}"
        + (f"; and {len(each) - _NAMED} more" if len(each) > _NAMED else "")
        for form, each in by_form.items()
    ]


def _by_name(name: str) -> Meaning | None:
    if is_synset(name):
        known = name in wordnet_names()
        return Meaning(_called(name), name, "WordNet synsets") if known else None
    parts = [words(part) for part in name.split(",")]
    if len(parts) < 2:
        return None
    by_lemma = _by_lemma()
    found = set.intersection(*(set(by_lemma.get(part, ())) for part in parts))
    if len(found) != 1:
        return None
    (synset,) = found
    return Meaning(_called(synset), synset, "several of ImageNet's names of a class")


def _of_number(imagenet: LabelSpace, number: int) -> Meaning:
    assert imagenet.synsets is not None
    form = "the numbers of ImageNet's classes, from 0"
    return Meaning(imagenet.simple[number], imagenet.synsets[number], form)


def _has(space: LabelSpace, names: set[str]) -> bool:
    """Whether classes of a label space that is not ImageNet's are called by one of these words."""
    return space.name not in IMAGENETS and any(
        not names.isdisjoint(words(lemma)) for lemmas in space.lemmas for lemma in lemmas
    )


@lru_cache
def _by_synset() -> dict[str, str]:
    imagenet = load_labels("imagenet-1k")
    assert imagenet.synsets is not None
    return dict(zip(imagenet.synsets, imagenet.simple, strict=True))


def _called(synset: str) -> str:
    return _by_synset().get(synset) or wordnet_names()[synset][0]


@lru_cache
def _by_lemma() -> dict[tuple[str, ...], tuple[str, ...]]:
    """The classes of ImageNet-1k, as synsets, by the words of each of their names."""
    imagenet = load_labels("imagenet-1k")
    assert imagenet.synsets is not None
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for synset, lemmas in zip(imagenet.synsets, imagenet.lemmas, strict=True):
        for lemma in lemmas:
            found[words(lemma)] = (*found.get(words(lemma), ()), synset)
    return found
