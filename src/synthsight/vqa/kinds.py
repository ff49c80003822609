"""Kinds of yes/no questions, assigned by fixed rules on their words.

A question has one kind, the first of :data:`KINDS` whose rule it matches, so the counts of the
kinds add up to the total. The order goes from demands that are rare and hard to those that many
questions share: "Is there no red ball on the table?" is negation, "Are there two red balls?"
counting, "Is there a red ball on the table?" colour. The rules look at words, not at meaning, so
they are predictable but can err: "Is there an orange?" counts as colour.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBERS = (
    r"\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|hundred|dozen"
)
_COLOURS = (
    "black|white|gr[ae]y|red|green|blue|yellow|orange|purple|violet|pink|brown|beige|turquoise"
    "|cyan|magenta|gold|golden|silver"
)
_MEASURES = "big|large|small|tall|high|low|short|long|wide|narrow|thick|thin|heavy|old|young"
_QUANTITIES = "size|height|length|width|weight|age"
_COMPARATIVES = (
    "bigger|larger|smaller|taller|higher|lower|shorter|longer|wider|narrower|thicker|thinner"
    "|heavier|older|younger"
)
_PICTURE = "image|picture|photo|photograph|drawing|painting"
_DETERMINER = "the|a|an|this|that|these|those|his|her|its|their|my|your|our"

#: Regular expressions by kind, in order of precedence. They must match whole words of the question
#: in lower case, with one space between words and nothing else.
RULES: dict[str, tuple[str, ...]] = {
    "negation": (
        "no|not|none|nobody|nothing|never|nowhere|neither|nor|without|cannot",
        r"\w+n't",
    ),
    "counting": (
        _NUMBERS,
        "how many|number of|pair of|couple of",
        "(there|only|just|exactly|than|least|most) one",
        "(is|are) there (more|fewer|less|as many)",
    ),
    "colour": (
        _COLOURS,
        r"(\w+-)?colou?r(s|ed|ful)?",
    ),
    "spatial relation": (
        "left of|right of|(the|its|his|her|their) (left|right)",
        "above|below|under|underneath|beneath|behind|beside|between|near|nearby|inside|outside"
        "|opposite|alongside",
        "next to|in front of|close to|far from|(higher up|lower down) than",
        rf"(in|on|over|across|around|against) ({_DETERMINER}) (?!({_PICTURE})\b)\w+",
    ),
    "comparison": (
        f"({_COMPARATIVES}) than",
        f"as ({_MEASURES}) as|same ({_QUANTITIES}) as",
    ),
    "presence": (
        "^(is|are|was|were) there",
        "(you|we|i|one) see|visible|shown|depicted|present$",
        rf"(in|on) ({_DETERMINER}) ({_PICTURE})$",
        rf"({_PICTURE}) (show|contain|have|include|got)",
    ),
}

#: All kinds in order of precedence; ``other`` matches no rule.
KINDS = (*RULES, "other")

_PATTERNS = {
    kind: re.compile("|".join(rf"\b(?:{rule})\b" for rule in rules))
    for kind, rules in RULES.items()
}


@lru_cache(maxsize=65536)
def _words(question: str) -> str:
    """The question's words in lower case, with one space between them.

    A hyphen or an apostrophe within a word belongs to it.
    """
    straight = question.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(re.findall(r"\w+(?:['-]\w+)*", straight))


def first_word(question: str) -> str:
    """The first word in lower case, such as ``is`` or ``isn't``; empty if there is no word."""
    return _words(question).partition(" ")[0]


def kind(question: str) -> str:
    """The kind of a question, one of :data:`KINDS`."""
    words = _words(question)
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(words)), "other")
