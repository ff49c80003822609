"""What is asked of an endpoint: the request, and the digest by which its answer is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from synthsight.canonical import canonical_json
from synthsight.vqa.endpoint.pictures import VERSION
from synthsight.vqa.putting import PROMPT, text_for
from synthsight.vqa.shards import ShardRow

#: How many of the likeliest first tokens are asked for, in turn, if a server refuses: what the
#: interface allows; what many servers do; none.
_TOPS = (20, 5, 0)


@dataclass(frozen=True)
class Asking:
    """What decides an endpoint's answer to a question.

    Attributes:
        url: the address below which there is ``/chat/completions``.
        model: the model's name there.
        prompt: the text that is put, with ``{question}`` in it.
        logprobs: whether the likeliest first tokens are asked for: ``always``, ``never``, or
            ``auto``, unless the server refuses.
        max_side: bound on a picture's longer side in pixels, or None.
        max_tokens: how long an answer may be.
    """

    url: str
    model: str
    prompt: str
    logprobs: str
    max_side: int | None
    max_tokens: int

    @property
    def ways(self) -> tuple[bool, ...]:
        """Whether answers may come with the likeliest first tokens, and without."""
        return {"always": (True,), "never": (False,)}.get(self.logprobs, (True, False))


def asking_of(endpoint: Mapping[str, Any], prompt: str | None) -> Asking:
    """What is asked, from the settings of an endpoint that change its answers."""
    return Asking(**{**endpoint, "url": endpoint["url"].rstrip("/")}, prompt=prompt or PROMPT)


def digest_of(asking: Asking, row: ShardRow, blind: bool, with_tokens: bool) -> str:
    """A digest of all that decides the answer to a question, but for what the server is.

    Args:
        asking: what is asked.
        row: a question whose image can be used.
        blind: whether a grey picture is shown.
        with_tokens: whether the likeliest first tokens are asked for.

    Returns:
        64 digits, in hex.
    """
    content = {
        **{"url": asking.url, "model": asking.model, "max_tokens": asking.max_tokens},
        **{"text": text_for(asking.prompt, row.question), "image": row.sha256, "blind": blind},
        **{"max_side": asking.max_side, "pictures": VERSION, "tokens": with_tokens},
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


@dataclass(frozen=True)
class Dialect:
    """What of the interface a server takes.

    Attributes:
        top: number of likeliest first tokens that are asked for; 0 for none.
        limit: the name of the bound on an answer's length.
        temperature: whether the temperature, 0, is stated.
    """

    top: int
    limit: str = "max_tokens"
    temperature: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def adapted(self, refusal: str, needs_tokens: bool) -> Dialect | None:
        """What to ask instead after a refusal; None if it is about something else.

        Args:
            refusal: what the server says, without the question.
            needs_tokens: whether the likeliest first tokens must be asked for.
        """
        said = refusal.lower()
        if "max_completion_tokens" in said and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "logprob" in said and self.top:
            fewer = _TOPS[_TOPS.index(self.top) + 1]
            return None if needs_tokens and not fewer else replace(self, top=fewer)
        if "temperature" in said and self.temperature:
            return replace(self, temperature=False)
        return None


def first_dialect(asking: Asking, without: bool) -> Dialect:
    """The dialect to begin with.

    Args:
        asking: what is asked.
        without: whether the server has refused to state the likeliest first tokens before.
    """
    return Dialect(0 if asking.logprobs == "never" or without else _TOPS[0])


def body_of(asking: Asking, dialect: Dialect, question: str, picture: str) -> dict[str, Any]:
    """The body of a request, ready for JSON.

    Args:
        asking: what is asked.
        dialect: what the server takes.
        question: the question.
        picture: the picture as a data URL.
    """
    content = [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "text", "text": text_for(asking.prompt, question)},
    ]
    return {
        "model": asking.model,
        "messages": [{"role": "user", "content": content}],
        dialect.limit: asking.max_tokens,
        **({"temperature": 0} if dialect.temperature else {}),
        **({"logprobs": True, "top_logprobs": dialect.top} if dialect.top else {}),
    }
