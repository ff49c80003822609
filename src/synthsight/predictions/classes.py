"""Which class of a label space is meant by what a file of predictions says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from synthsight.errors import SynthsightError
from synthsight.labels.spaces import LabelSpace
from synthsight.wording import did_you_mean

_SYNSET = re.compile(r"n[0-9]{8}")
_NUMBER = re.compile(r"[0-9]{1,9}")

#: How transformers calls the classes of a model that does not name them.
_UNNAMED = re.compile(r"LABEL_([0-9]{1,9})")


class ClassError(SynthsightError):
    """A label that means no class, or several."""


class Classes:
    """The classes of a label space, found by index, synset or name.

    A name is looked for among the simple names, the first ones and the whole lists of names as
    WordNet has them (``tabby, tabby cat``), then among all others; and then again without case and
    punctuation. Where it is found it must be of one class: ImageNet has two called ``crane``.

    Args:
        space: the label space.
    """

    def __init__(self, space: LabelSpace) -> None:
        self.space = space
        self._levels: list[dict[str, list[int]]] | None = None
        self._synsets = {synset: number for number, synset in enumerate(space.synsets or ())}
        self._known: dict[str, int] = {}
        self._agreeing: set[tuple[int, str]] = set()

    def by_label(self, written: str) -> int:
        """The class that a label means, which may be a name, a synset or an index.

        Args:
            written: as in the file, not empty.

        Raises:
            ClassError: it means none, or several; without the file and the line.
        """
        found = self._known.get(written)
        if found is None:
            found = self._known[written] = self._look_up(written)
        return found

    def by_index(self, index: int) -> int:
        """The class of an index, from 0.

        Raises:
            ClassError: there is no such class.
        """
        if not 0 <= index < len(self.space):
            raise ClassError(
                f"there is no class {index}: {self.space.name} has {len(self.space):,} classes, "
                f"numbered from 0 to {len(self.space) - 1}"
            )
        return index

    def check_pair(self, index: int, written: str) -> None:
        """Check that a label does not contradict the index that stands beside it.

        Raises:
            ClassError: the label is a name or the synset of other classes alone.
        """
        if (index, written) in self._agreeing:
            return
        text = written.strip()
        named = [self._synsets[text]] if text in self._synsets else self._named(text, all_of=True)
        if named and index not in named:
            raise ClassError(
                f"{text!r} stands beside the index {index}, and is {self._described(named[0])}: is "
                f"`labels` ({self.space.name}) what the model was trained on, and does the index "
                "begin with 0?"
            )
        self._agreeing.add((index, written))

    def _look_up(self, written: str) -> int:
        text = written.strip()
        named = self._named(text)
        if _NUMBER.fullmatch(text):
            index = self.by_index(int(text)) if not named else int(text)
            if named and set(named) != {index}:
                raise ClassError(
                    f"{text!r} may be an index, or the name of {self._described(named[0])}: call "
                    "the column `index` if it holds indices, or write other names"
                )
            return index
        if text in self._synsets:
            return self._synsets[text]
        if len(named) == 1:
            return named[0]
        if named:
            these = " and ".join(map(self._described, named[:3]))
            raise ClassError(f"{text!r} is the name of {these}: write the index or the synset")
        unnamed = _UNNAMED.fullmatch(text)
        if unnamed:
            return self.by_index(int(unnamed[1]))
        if _SYNSET.fullmatch(text):
            about = "has no synset" if not self._synsets else "has no class"
            raise ClassError(f"{self.space.name} {about} {text!r}")
        simple = list(self.space.simple)
        hint = did_you_mean(text, simple)
        raise ClassError(
            f"{text!r} is none of the {len(simple):,} classes of {self.space.name}{hint}"
        )

    def _named(self, text: str, all_of: bool = False) -> list[int]:
        """The classes of a name, at the first level at which there are any, or at all levels."""
        if self._levels is None:
            names = list(enumerate(self.space.lemmas))
            whole = [(", ".join(of_class), number) for number, of_class in names]
            whole += [(of_class[0], number) for number, of_class in names]
            simple = [(name, number) for number, name in enumerate(self.space.simple)]
            single = [(n, number) for number, ns in enumerate(self.space.lemmas) for n in ns]
            exact = [_table([*simple, *whole]), _table(single)]
            self._levels = [*exact, *map(_without_case, exact)]
        found: dict[int, None] = {}
        for start in dict.fromkeys((text, text.partition(":")[0])):  # timm: `names: definition`
            for level, table in enumerate(self._levels):
                found |= dict.fromkeys(table.get(start if level < 2 else _plain(start), ()))
                if found and not all_of:
                    return list(found)
        return list(found)

    def _described(self, number: int) -> str:
        synset = f", {self.space.synsets[number]}" if self.space.synsets else ""
        return f"class {number} ({self.space.simple[number]}{synset})"


def _table(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    table: dict[str, list[int]] = {}
    for name, number in pairs:
        of_name = table.setdefault(name, [])
        if number not in of_name:
            of_name.append(number)
    return table


def _without_case(exact: dict[str, list[int]]) -> dict[str, list[int]]:
    return _table((_plain(name), number) for name, found in exact.items() for number in found)


def _plain(name: str) -> str:
    """A name without case, punctuation and the underscores that stand for blanks."""
    return re.sub(r"[\W_]+", " ", name).strip().casefold()
