"""Yes/no questions about a picture whose content is known, as a person would ask them.

Within each kind the wording tells nothing of the answer: which answer a question shall have is
chosen first, and what it names is then drawn so that every name is as likely with ``yes`` as with
``no``. Nothing that a person could answer in two ways is asked: "left of" needs a clear distance,
"bigger" a clear difference, "the car" exactly one car.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from demo.vqa_scenes import (
    COLOURS,
    IMAGES_PER_GENERATOR,
    NATURAL,
    PAINTED,
    Item,
    Picture,
    picture,
)
from demo.world import GENERATORS, random_for

NUMBERS = ("one", "two", "three", "four")
APART = 0.21  # least distance, as a share of the picture's side, for "left of" and the like

PRESENT = (
    "Is there {a}?",
    "Is there {a} in the picture?",
    "Can you see {a}?",
    "Does the picture show {a}?",
    "Do you see {a} here?",
    "Are there any {many}?",
    "Are any {many} visible?",
    "Has the picture got {a} in it?",
)
ABSENT = (
    "Is there no {one} in the picture?",
    "Is there no {one} here?",
    "Are there no {many}?",
    "Are there no {many} in the picture?",
    "Is the picture without {a}?",
    "Does the picture show no {one}?",
)
COLOURED = (
    "Is the {one} {colour}?",
    "Does the {one} look {colour}?",
    "Is the colour of the {one} {colour}?",
)
COLOURED_ANY = (
    "Is there a {colour} {one}?",
    "Can you see a {colour} {one}?",
    "Does the picture show a {colour} {one}?",
)
EXACTLY = (
    "Are there exactly {n} {many}?",
    "Is the number of {many} {n}?",
    "Do you count {n} {many}?",
)
EXACTLY_ONE = (
    "Is there exactly one {one}?",
    "Is the number of {many} one?",
    "Is there only one {one}?",
)
THREE_OR_MORE = (
    ("Are there more than two {many}?", True),
    ("Are there at least three {many}?", True),
    ("Are there fewer than three {many}?", False),
    ("Can you see more than two {many}?", True),
)
COUNT_WAYS = {
    1: (0.5, 0.5, 0),
    2: (0.5, 0.25, 0.25),
    3: (0.5, 0.375, 0.125),
    4: (0.5, 0.375, 0.125),
}
COMPARED = ("Are there more {many} than {others}?", "Can you see more {many} than {others}?")
PLACED = {
    "left": ("Is the {one} left of the {other}?", "Is the {one} to the left of the {other}?"),
    "right": ("Is the {one} right of the {other}?", "Is the {one} to the right of the {other}?"),
    "above": ("Is the {one} above the {other}?", "Is the {one} higher up than the {other}?"),
    "below": ("Is the {one} below the {other}?", "Is the {one} lower down than the {other}?"),
}
SIZED = {
    "bigger": (
        "Is the {one} bigger than the {other}?",
        "Does the {one} look bigger than the {other}?",
    ),
    "smaller": (
        "Is the {one} smaller than the {other}?",
        "Does the {one} look smaller than the {other}?",
    ),
}


@dataclass(frozen=True)
class Question:
    """A question about one picture."""

    kind: str
    text: str
    answer: bool


def article(noun: str) -> str:
    """'a car', 'an elephant'."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    """One of several strings."""
    return choices[rng.integers(len(choices))]


def phrase(template: str, noun: str, **words: str) -> str:
    """Fill in a noun as one, as many and with its article."""
    return template.format(one=noun, many=f"{noun}s", a=article(noun), **words)


def singles(items: Sequence[Item]) -> list[Item]:
    """The things that are alone of their kind, so that "the" names them."""
    counts = Counter(item.kind for item in items)
    return [item for item in items if counts[item.kind] == 1]


def repeated(items: Sequence[Item]) -> str:
    """The kind that was drawn to come one to four times: the last one."""
    return items[-1].kind


def named(rng: np.random.Generator, items: Sequence[Item], there: bool) -> str:
    """A kind that is, or is not, in the picture; painted and natural ones alike."""
    group = (tuple(PAINTED), tuple(NATURAL))[rng.integers(2)]
    shown = {item.kind for item in items}
    return pick(rng, [kind for kind in group if (kind in shown) == there])


def ask_presence(rng: np.random.Generator, items: Sequence[Item], answer: bool) -> str:
    """Is such a thing there?"""
    return phrase(pick(rng, PRESENT), named(rng, items, answer))


def ask_negation(rng: np.random.Generator, items: Sequence[Item], answer: bool) -> str:
    """Is no such thing there?"""
    return phrase(pick(rng, ABSENT), named(rng, items, not answer))


def ask_colour(rng: np.random.Generator, items: Sequence[Item], answer: bool) -> str:
    """Has the only one of a kind, or any of a kind, this colour?

    A wrong colour is one that something else in the picture has, wherever possible.
    """
    alone = [item for item in singles(items) if item.colour]
    if alone and rng.random() < 0.6:
        kind, templates = alone[rng.integers(len(alone))].kind, COLOURED
    else:
        kinds = sorted({item.kind for item in items if item.colour})
        kind, templates = pick(rng, kinds), COLOURED_ANY
    own = sorted({item.colour for item in items if item.kind == kind and item.colour})
    if answer:
        colour = pick(rng, own)
    else:
        others = sorted({item.colour for item in items if item.colour and item.colour not in own})
        absent = [colour for colour in COLOURS if colour not in own]
        colour = pick(rng, others if others and rng.random() < 0.7 else absent)
    return phrase(pick(rng, templates), kind, colour=colour)


def ask_count(rng: np.random.Generator, items: Sequence[Item], answer: bool) -> str:
    """Are there so many?"""
    kind = repeated(items)
    count = sum(item.kind == kind for item in items)
    # "Exactly" is as likely with every count, and "three or more" as likely above as below three;
    # one cannot be more than another one.
    way = rng.choice(["exactly", "three or more", "compared"], p=COUNT_WAYS[count])
    if way == "compared":
        other = pick(rng, sorted({item.kind for item in items} - {kind}))
        first, second = (kind, other) if answer else (other, kind)
        return phrase(pick(rng, COMPARED), first, others=f"{second}s")
    if way == "three or more":
        fitting = [text for text, more in THREE_OR_MORE if (count >= 3) == (more == answer)]
        return phrase(pick(rng, fitting), kind)
    asked = count if answer else int(rng.choice([n for n in COUNT_WAYS if n != count]))
    if asked == 1:
        return phrase(pick(rng, EXACTLY_ONE), kind)
    return phrase(pick(rng, EXACTLY), kind, n=NUMBERS[asked - 1])


def ask_place(rng: np.random.Generator, items: Sequence[Item], answer: bool) -> str:
    """Is the one left of, right of, above or below the other?"""
    alone = singles(items)
    pairs = [
        (one, other, axis)
        for one in alone
        for other in alone
        for axis in ("x", "y")
        if getattr(other, axis) - getattr(one, axis) >= APART
    ]
    one, other, axis = pairs[rng.integers(len(pairs))]
    before, after = ("left", "right") if axis == "x" else ("above", "below")
    way = before
    if rng.random() < 0.5:
        one, other, way = other, one, after
    if not answer:
        one, other = other, one
    return phrase(pick(rng, PLACED[way]), one.kind, other=other.kind)


def ask_size(rng: np.random.Generator, items: Sequence[Item], answer: bool) -> str:
    """Is the one bigger, or smaller, than the other?"""
    alone = singles(items)
    pairs = [(one, other) for one in alone for other in alone if one.large and not other.large]
    one, other = pairs[rng.integers(len(pairs))]
    way = "bigger"
    if rng.random() < 0.5:
        one, other, way = other, one, "smaller"
    if not answer:
        one, other = other, one
    return phrase(pick(rng, SIZED[way]), one.kind, other=other.kind)


KINDS: dict[str, Callable[[np.random.Generator, Sequence[Item], bool], str]] = {
    "presence": ask_presence,
    "negation": ask_negation,
    "colour": ask_colour,
    "count": ask_count,
    "place": ask_place,
    "size": ask_size,
}


def ask(rng: np.random.Generator, items: Sequence[Item], kind: str, answer: bool) -> Question:
    """A question of a kind with the given answer."""
    return Question(kind, KINDS[kind](rng, items, answer), answer)


# ---- the questions on the generators' pictures -----------------------------------------------

QUESTIONS = 241  # as many as in the paper, and as many of them with the answer yes
YES = 132


@dataclass(frozen=True)
class Exhibit:
    """One picture of a generator with the questions on it."""

    generator: str
    number: int
    picture: Picture
    questions: tuple[Question, ...]


def plan() -> list[tuple[str, int, str, bool]]:
    """Generator, picture, kind and answer of every question.

    A picture gets five of the six kinds, or four; every kind gets its share of ``yes``.
    """
    pictures = [(name, number) for name in GENERATORS for number in range(IMAGES_PER_GENERATOR)]
    kinds = list(KINDS)
    fewer = (len(kinds) - 1) * len(pictures) - QUESTIONS
    slots = []
    for place, (generator, number) in enumerate(pictures):
        left_out = {kinds[place % 6]}
        if (place + 1) * fewer // len(pictures) > place * fewer // len(pictures):
            left_out.add(kinds[(place + 3) % 6])
        slots += [(kind, generator, number) for kind in kinds if kind not in left_out]
    slots.sort(key=lambda slot: (kinds.index(slot[0]), slot[1], slot[2]))
    answers = [
        (place + 1) * YES // QUESTIONS > place * YES // QUESTIONS for place in range(QUESTIONS)
    ]
    rng = random_for("questions", "answers")
    planned = []
    for kind in kinds:
        for generator in GENERATORS:
            places = [i for i, slot in enumerate(slots) if slot[:2] == (kind, generator)]
            for here, there in zip(places, rng.permutation(places), strict=True):
                planned.append((generator, slots[here][2], kind, answers[there]))
    return planned


def exhibits() -> list[Exhibit]:
    """The pictures of both generators, in order, with their questions in a mixed order."""
    planned = plan()
    shown = []
    for generator in GENERATORS:
        for number in range(IMAGES_PER_GENERATOR):
            view = picture(generator, "exhibit", number)
            rng = random_for("questions", "asked", generator, number)
            wanted = [slot[2:] for slot in planned if slot[:2] == (generator, number)]
            questions = [ask(rng, view.items, kind, answer) for kind, answer in wanted]
            mixed = tuple(questions[place] for place in rng.permutation(len(questions)))
            shown.append(Exhibit(generator, number, view, mixed))
    return shown
