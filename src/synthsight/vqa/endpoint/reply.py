"""What an endpoint replies, and the answer that this is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synthsight.vqa.putting import spellings
from synthsight.vqa.words import yes_or_no

#: Below this probability of yes and no together the first token says nothing of the answer: it
#: begins with something else, perhaps with thinking. Then the text counts.
LEAST_MASS = 0.01

#: A logarithm of a probability may exceed zero by rounding.
_ROUNDING = 0.01

#: What a model thinks before it answers, if that stands in its text.
_THOUGHT = re.compile(r".*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_THINKS = re.compile(r"\s*<think(?:ing)?>", re.IGNORECASE)


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

    def text(value: Any) -> str | None:
        if not isinstance(value, str):
            return None
        return hide(value).encode("utf-8", "replace").decode()

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
    stated = _tokens(choice.get("logprobs"))
    return Reply(
        text=text(said),
        refusal=text(message.get("refusal")) or None,
        finish=text(choice.get("finish_reason")),
        tokens=None if stated is None else tuple((text(t) or "", p) for t, p in stated),
        served=text(content.get("model")),
        fingerprint=text(content.get("system_fingerprint")),
    )


def _tokens(logprobs: Any) -> list[tuple[str, float]] | None:
    """The likeliest first tokens, if they are stated."""
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
        token, value = about.get("token"), about.get("logprob")
        number = _logarithm(value)
        if not isinstance(token, str) or number is None:
            raise BrokenReplyError(f"top_logprobs holds {str(each)[:80]}, which is no probability")
        found.append((token, number))
    return found


def _logarithm(value: Any) -> float | None:
    """A value that is the logarithm of a probability; None if it is not, as NaN is not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _ROUNDING:
        return None
    return float(value)


def answer_of(reply: Reply, max_tokens: int) -> Answer:
    """The answer that a reply is.

    P(yes) is that of the first token, where the server states its probabilities and yes and no
    have more than :data:`LEAST_MASS` of it together; otherwise what the text says counts. Who
    refuses, or says neither or both, has not answered.

    Args:
        reply: the reply.
        max_tokens: how long it could be, for the reason.
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
    answer = said if not (thought := _THOUGHT.match(said)) else said[thought.end() :]
    if not thought and _THINKS.match(said):
        return Answer(reason=f"the reply does not get beyond thinking{cut}", said=said)
    word = yes_or_no(answer)
    if word is None:
        reason = f"the reply says neither yes nor no, or both{cut}"
        return Answer(reason=reason, said=said)
    return Answer(predicted=word, said=said)


def probabilities(tokens: tuple[tuple[str, float], ...]) -> tuple[float, float] | None:
    """P(yes), and the probability of yes and no together, from the likeliest first tokens.

    All spellings of a word count together. A word that is not listed is less likely than each
    token that is, and than what these leave of 1: half of that bound is taken for it, which leaves
    the other word the likelier.

    Args:
        tokens: the tokens and the logarithms of their probabilities, in any order.

    Returns:
        The two numbers, of which the second counts what is listed alone; None if it is below
        :data:`LEAST_MASS`.
    """
    listed = [(token, min(1.0, math.exp(value))) for token, value in tokens]
    yes, no = (
        math.fsum(p for token, p in listed if token in spellings(word)) for word in ("yes", "no")
    )
    mass = min(1.0, yes + no)
    if mass < LEAST_MASS:
        return None
    left = max(0.0, 1 - math.fsum(p for _, p in listed))
    half = min(left, *(p for _, p in listed)) / 2
    words = [{token for token, _ in listed} & spellings(word) for word in ("yes", "no")]
    yes, no = (sum_ if named else half for sum_, named in zip((yes, no), words, strict=True))
    return yes / (yes + no), mass
