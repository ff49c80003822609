"""A page on which people rate pictures, as one string: it holds no truth and no model's output."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.pages.assets import chunks, templates
from synthsight.pages.embed import content_security_policy, script_json, script_text
from synthsight.people.words import CANNOT_TELL, OTHER
from synthsight.rating import assets
from synthsight.rating.pictures import Picture

#: Pictures per script element; each element is parsed when the first of its pictures is needed.
CHUNK = 20

#: The answers to a question, in the order of their buttons.
ANSWERS = ("yes", "no")

#: The most choices that have a digit each; more are found by typing.
_DIGITS = 9

#: Digits of the digest that tells pages apart, for progress in a browser and names of files.
_DIGEST = 8


@dataclass(frozen=True)
class Page:
    """Everything that the page shows.

    Attributes:
        pictures: the pictures, in the order of their disguised names.
        categories: what they may show; None if questions are asked.
        instructions: what raters are told, paragraphs separated by blank lines; None for a text
            that says what there is to do.
        consent: what raters must agree to before they begin, or None.
        mark: text for the page's metadata that says how it was made, or None.
        version: of synthsight.
    """

    pictures: Sequence[Picture]
    categories: Sequence[str] | None
    instructions: str | None
    consent: str | None
    mark: str | None
    version: str


def render(page: Page) -> str:
    """The page's HTML; equal pages give equal text.

    Raises:
        SynthsightError: a category is called like another response, or there is none.
    """
    asks = page.categories is None
    choices = _answers() if page.categories is None else _choices(page.categories)
    items = [
        (number, question)
        for number, picture in enumerate(page.pictures)
        for question in (picture.questions if asks else (None,))
    ]
    names = [picture.name for picture in page.pictures]
    digest = hashlib.sha256(canonical_json([choices, items, names]).encode()).hexdigest()
    program = script_text(assets.program())
    data = {
        "kind": "answers" if asks else "labels",
        "digest": digest[:_DIGEST],
        "choices": choices,
        "names": names,
        "items": items,
        "chunk": CHUNK,
    }
    return (
        templates(assets.TEMPLATES)
        .get_template("rating.html.j2")
        .render(
            asks=asks,
            count=len(items),
            instructions=_paragraphs(page.instructions),
            consent=_paragraphs(page.consent),
            typed=any(not each["key"] for each in choices),
            choices=choices,
            mark=page.mark,
            version=page.version,
            policy=content_security_policy([program]),
            style=assets.style(),
            program=program,
            data=script_json(data),
            chunks=chunks([picture.webp for picture in page.pictures], CHUNK),
        )
    )


def _answers() -> list[dict[str, str | bool]]:
    """The choices of a page of questions."""
    keys = {each: each[0] for each in ANSWERS} | {CANNOT_TELL: "-"}
    return [_choice(each, each, key) for each, key in keys.items()]


def _choices(categories: Iterable[str]) -> list[dict[str, str | bool]]:
    """The choices of a page of categories: these in alphabetical order, then the two others."""
    labels = {name: " ".join(re.split(r"[_\s]+", name)).strip() or name for name in categories}
    for name, label in labels.items():
        if label.casefold() in (OTHER, CANNOT_TELL):
            raise SynthsightError(
                f"the category {name!r} has the name of a response that is not a category: give "
                "its folder another name, or leave it out of `categories`"
            )
    if not labels:
        raise SynthsightError("there is no category to choose from")
    ordered = sorted(labels, key=lambda name: (labels[name].casefold(), name))
    many = len(ordered) > _DIGITS
    found = [
        _choice(name, labels[name], "" if many else str(number))
        for number, name in enumerate(ordered, 1)
    ]
    begun = {label[:1] for label in labels.values()} if many else set()
    for name, key in ((OTHER, "0"), (CANNOT_TELL, "-")):
        found.append(_choice(name, name, "" if key in begun else key, apart=True))
    return found


def _choice(value: str, label: str, key: str, apart: bool = False) -> dict[str, str | bool]:
    """What the page's program knows of a choice.

    Args:
        value: what is written down.
        label: what the button says.
        key: the key that chooses it; empty where choices are found by typing.
        apart: whether it stands below the others.
    """
    return {"value": value, "label": label, "key": key, "apart": apart}


def _paragraphs(text: str | None) -> list[str]:
    """Paragraphs of a text, each with its line breaks; none of no text."""
    return [] if text is None else [each.strip() for each in re.split(r"\n\s*\n", text.strip())]
