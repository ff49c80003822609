"""What a zero-shot classifier is asked: the names of its classes, put into templates.

Can be imported without torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.labels.spaces import LabelSpace, wordnet_definitions

#: Which names of a class are put: its simple one; all, each as a prompt of its own; or the simple
#: one with WordNet's definition.
NAMES = ("simple", "lemmas", "gloss")

#: The templates called ``simple``. The place of the name is ``{}``.
SIMPLE = (
    "a photo of a {}.",
    "a picture of a {}.",
    "a drawing of a {}.",
    "a painting of a {}.",
    "a close-up of a {}.",
    "a scene with a {} in it.",
    "{}",
)


class PromptError(SynthsightError):
    """Names or templates that cannot be put to a model; the message leaves out its name."""


def templates_of(written: str | Sequence[str] | None) -> tuple[str, ...]:
    """The templates of a configuration, sorted and each once: their order means nothing.

    Args:
        written: ``simple`` or None for :data:`SIMPLE`, or a list of one's own.

    Raises:
        PromptError: one of them does not have exactly one place for the name.
    """
    if written is None or written == "simple":
        return tuple(sorted(SIMPLE))
    if isinstance(written, str):
        raise PromptError(
            f"found {written!r}; write simple, or a list such as [a photo of a {{}}.]"
        )
    for each in written:
        if each.count("{}") != 1 or each.replace("{}", "").count("{"):
            raise PromptError(
                f"{each!r} must have {{}} once, in the place of the name, and no other braces"
            )
    return tuple(sorted(set(written)))


def names_put(space: LabelSpace, kind: str) -> tuple[tuple[str, ...], ...]:
    """The names that are put for each class: one or, with ``lemmas``, each of several once.

    Args:
        space: the classes.
        kind: one of :data:`NAMES`.

    Raises:
        PromptError: a gloss is wanted of classes whose synsets are not known.
    """
    if kind == "lemmas":
        return tuple(tuple(sorted({_plain(name) for name in names})) for names in space.lemmas)
    simple = tuple(_plain(name) for name in space.simple)
    if kind == "simple":
        return tuple((name,) for name in simple)
    if space.synsets is None:
        raise PromptError(
            f"glosses are WordNet's definitions, and the classes of {space.name} have no synsets: "
            "write `names: simple` or lemmas, or put synsets in front of the names"
        )
    known = wordnet_definitions()
    return tuple(
        (f"{name}, {known[synset]}" if synset in known else name,)
        for name, synset in zip(simple, space.synsets, strict=True)
    )


def _plain(name: str) -> str:
    """A name as it is written in a sentence."""
    return " ".join(name.replace("_", " ").split())


def digest_of_names(names: Sequence[Sequence[str]]) -> str:
    """A sha256 of the names that are put, in the order of the classes."""
    return hashlib.sha256(canonical_json([list(each) for each in names]).encode()).hexdigest()


def shared(names: Sequence[Sequence[str]]) -> list[str]:
    """The names that are put for more than one class, sorted: no prompt tells these apart."""
    counts: dict[str, int] = {}
    for each in names:
        for name in set(each):
            counts[name] = counts.get(name, 0) + 1
    return sorted(name for name, count in counts.items() if count > 1)
