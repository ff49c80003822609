"""What an endpoint replies, and the answer that this is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synthsight.vqa.words import yes_or_no
from synthsight.wording import one_line, printable

#: Up to this probability of yes and no together the reply more likely begins with something else,
#: perhaps with thinking, and the first token says little of the answer. Then the text counts.
LEAST_MASS = 0.5

#: What may stand around a word in a token: blanks, as vocabularies write them, too; punctuation;
#: marks of emphasis.
_AROUND = " \t\r\n\u0120\u010a\u2581.,;:!?*_`'\"\u201c\u201d"

#: Characters that are kept of what is no answer: names, versions, tokens.
_KEPT = 200

#: A logarithm of a probability may exceed zero by rounding.
_ROUNDING = 0.01

#: Where what a model thinks begins and ends in its text, as families of models mark it.
_THINKING = r"(?:seed:)?(?:think(?:ing)?|thought|reasoning)"
_THOUGHT = re.compile(
    rf".*(?:[<\[\u25c1]/{_THINKING}[>\]\u25b7]|<\|channel\|>final<\|message\|>)",
    re.DOTALL | re.IGNORECASE,
)
_THINKS = re.compile(rf"[<\[\u25c1]{_THINKING}[>\]\u25b7]|<\|channel\|>", re.IGNORECASE)

#: A text that begins with the answer: a word that ends there, at punctuation or at the text's end.
_ENDS = r"[\W_]*$|[*_`\"'\u201d]*(?:[.,;:!?\n]|\s*[-\u2013\u2014]\s)"
_BEGINS = re.compile(rf"[\W_]*(?:yes|no)(?:{_ENDS})", re.IGNORECASE)


class BrokenReplyError(Exception):
    """A reply that is not what the interface says; the message says how, in words."""


@dataclass(frozen=True)
class Reply:
    """What an endpoint replied, as it is kept.

    Attributes:
        text: what was said; None for nothing.
        refusal: what was said instead of an answer, or None.
        finish: why it ends, as the server calls it.
        tokens: the likeliest first tokens and the logarithms of their probabilities; None where
            the server does not state them.
        served: the model's name, as the server states it.
        fingerprint: what the server states of its version.
    """

    text: str | None
    refusal: str | None = None
    finish: str | None = None
    tokens: tuple[tuple[str, float], ...] | None = None
    served: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to a question: see :class:`synthsight.vqa.answers.Answers`."""

    p_yes: float | None = None
    mass: float | None = None
    predicted: str | None = None
    reason: str | None = None
    said: str | None = None


def reply_of(content: Any, hide: Callable[[str], str] = str) -> Reply:
    """The reply that a response's JSON holds.

    Args:
        content: as parsed.
        hide: takes out of a text what must not be kept.

    Raises:
        BrokenReplyError: it holds none.
    """

    def text(value: Any, most: int | None = None) -> str | None:
        if not isinstance(value, str):
            return None
        return hide(value).encode("utf-8", "replace").decode()[:most]

    choices = content.get("choices") if isinstance(content, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise BrokenReplyError("it holds no choices[0].message")
    said = message.get("content")
    if isinstance(said, list):
        parts = [each.get("text") for each in said if isinstance(each, Mapping)]
        said = "".join(part for part in parts if isinstance(part, str))
    if said is not None and not isinstance(said, str):
        raise BrokenReplyError(f"choices[0].message.content is {type(said).__name__}, not text")
    stated = _tokens(choice.get("logprobs"), hide)
    return Reply(
        text=text(said),
        refusal=text(message.get("refusal")) or None,
        finish=text(choice.get("finish_reason"), _KEPT),
        tokens=None if stated is None else tuple((text(t, _KEPT) or "", p) for t, p in stated),
        served=text(content.get("model"), _KEPT),
        fingerprint=text(content.get("system_fingerprint"), _KEPT),
    )


def _tokens(logprobs: Any, hide: Callable[[str], str]) -> list[tuple[str, float]] | None:
    """The likeliest first tokens, if they are stated, yes and no with probabilities."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(content, list) or not content:
        return None
    first = content[0]
    listed = first.get("top_logprobs") if isinstance(first, Mapping) else None
    if not isinstance(listed, list) or not listed:
        return None
    found = []
    for each in listed:
        about: Mapping[str, Any] = each if isinstance(each, Mapping) else {}
        token, value = about.get("token"), about.get("logprob", "none")
        if isinstance(token, str) and value is None:
            if word_of(token) is not None:
                return None
            continue
        number = _logarithm(value)
        if not isinstance(token, str) or number is None:
            shown = printable(one_line(hide(str(each)), 80))
            raise BrokenReplyError(f"top_logprobs holds {shown}, which is no probability")
        found.append((token, number))
    return found or None


def word_of(token: str) -> str | None:
    """The word that a token is, ``yes`` or ``no``, in any case; None if it is neither.

    Blanks, punctuation and marks of emphasis around it do not matter: with ``Yes.`` and a line
    break before ``Yes`` an answer begins as it does with ``Yes``.
    """
    word = token.strip(_AROUND).lower()
    return word if word in ("yes", "no") else None


def _logarithm(value: Any) -> float | None:
    """A value that is the logarithm of a probability; None if it is not, as NaN is not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _ROUNDING:
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None


def is_empty(reply: Reply) -> bool:
    """Whether a reply says nothing at all, and nobody refused or withheld anything."""
    said = reply.refusal is not None or bool((reply.text or "").strip())
    withheld = reply.finish == "content_filter"
    return not said and not withheld and probabilities(reply.tokens or ()) is None


def contradicts(reply: Reply, answer: Answer) -> bool:
    """Whether the text says the other word than P(yes)."""
    said = None if answer.p_yes is None else _word_in(reply.text or "", reply.finish == "length")
    return said is not None and answer.p_yes is not None and (said == "yes") != (answer.p_yes > 0.5)


def _word_in(text: str, cut: bool) -> str | None:
    """What a text says behind its thinking; of one that was cut off, if it begins with it."""
    thought = _THOUGHT.match(text)
    answer = text[thought.end() :] if thought else text
    if _THINKS.search(answer) or (cut and not _BEGINS.match(answer)):
        return None
    return yes_or_no(answer)


def answer_of(reply: Reply, max_tokens: int, text_counts: bool = True) -> Answer:
    """The answer that a reply is.

    P(yes) is that of the first token, where the server states its probabilities and yes and no
    have more than :data:`LEAST_MASS` of it together; otherwise what the text says counts. Who
    refuses, or says neither or both, has not answered; nor has who was cut off before what was
    said could mean anything, which is so unless the text begins with the word.

    Args:
        reply: the reply.
        max_tokens: how long it could be, for the reason.
        text_counts: whether the text counts where the first token does not.
    """
    said = None if reply.text is None or not reply.text.strip() else reply.text
    if reply.refusal is not None:
        return Answer(reason="the model refuses to answer", said=reply.refusal)
    if reply.finish == "content_filter":
        return Answer(reason="the server's content filter withholds the answer", said=said)
    known = probabilities(reply.tokens or ())
    if known is not None:
        return Answer(p_yes=known[0], mass=known[1], said=said)
    cut = f", and was cut off after {max_tokens} tokens" if reply.finish == "length" else ""
    if said is None:
        return Answer(reason=f"the reply is empty{cut}")
    if not text_counts:
        reason = "the first token is more likely neither yes nor no, and no text counts (always)"
        return Answer(reason=reason, said=said)
    word = _word_in(said, bool(cut))
    if word is not None:
        return Answer(predicted=word, said=said)
    thought = _THOUGHT.match(said)
    if _THINKS.search(said, thought.end() if thought else 0):
        return Answer(reason=f"the reply does not get beyond thinking{cut}", said=said)
    return Answer(reason=f"the reply says neither yes nor no, or both{cut}", said=said)


def probabilities(tokens: tuple[tuple[str, float], ...]) -> tuple[float, float] | None:
    """P(yes), and the probability of yes and no together, from the likeliest first tokens.

    All spellings of a word count together (see :func:`word_of`). A word that is not listed is less
    likely than each token that is, and than what these leave of 1: half of that bound is taken for
    it, which leaves the other word the likelier.

    Args:
        tokens: the tokens and the logarithms of their probabilities, in any order.

    Returns:
        The two numbers, of which the second counts what is listed alone; None if it is not above
        :data:`LEAST_MASS`.
    """
    listed = [(token, min(1.0, math.exp(value))) for token, value in tokens]
    yes, no = (
        math.fsum(p for token, p in listed if word_of(token) == word) for word in ("yes", "no")
    )
    mass = min(1.0, yes + no)
    if mass <= LEAST_MASS:
        return None
    left = max(0.0, 1 - math.fsum(p for _, p in listed))
    half = min(left, *(p for _, p in listed)) / 2
    named = {word_of(token) for token, _ in listed}
    yes, no = (yes if "yes" in named else half), (no if "no" in named else half)
    return yes / (yes + no), mass
