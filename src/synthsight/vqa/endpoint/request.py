"""What is asked of an endpoint: the request, and the digest by which its answer is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from synthsight.canonical import canonical_json
from synthsight.vqa.endpoint.pictures import VERSION
from synthsight.vqa.putting import PROMPT, text_for
from synthsight.vqa.shards import ShardRow

#: How many of the likeliest first tokens are asked for, in turn, if a server refuses: what the
#: interface allows; what many servers do; none.
_TOPS = (20, 5, 0)

#: Whether the likeliest first tokens are asked for, and why not: the server refused, or nobody
#: wants them. A later run that does want them is not served what nobody wanted.
Way = Literal["asked", "refused", "never"]

#: How a server says that it does not know a setting. Others name one that they only explain.
_UNKNOWN = re.compile(
    r"(?:not|n't) (?:be |been |yet )?(?:support|allow|permit|available|enabled|accept|implement)"
    r"|unsupported|unknown|unrecogni[sz]ed|unexpected|disabled|extra |invalid|instead|allowed|must"
    r"|only|at most|less than|greater than|exceed|range",
    re.IGNORECASE,
)


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
    def ways(self) -> tuple[Way, ...]:
        """The ways in which answers may have been asked for, the best first."""
        ways: dict[str, tuple[Way, ...]] = {"always": ("asked",), "never": ("never", "refused")}
        return ways.get(self.logprobs, ("asked", "refused"))

    def way(self, dialect: Dialect) -> Way:
        """The way in which an answer is asked for."""
        if dialect.top:
            return "asked"
        return "never" if self.logprobs == "never" else "refused"


def asking_of(endpoint: Mapping[str, Any], prompt: str | None) -> Asking:
    """What is asked, from the settings of an endpoint that change its answers."""
    return Asking(**{**endpoint, "url": endpoint["url"].rstrip("/")}, prompt=prompt or PROMPT)


def digest_of(asking: Asking, row: ShardRow, blind: bool, way: Way) -> str:
    """A digest of all that decides the answer to a question, but for what the server is.

    Args:
        asking: what is asked.
        row: a question whose image can be used.
        blind: whether a grey picture is shown.
        way: whether the likeliest first tokens are asked for.

    Returns:
        64 digits, in hex.
    """
    content = {
        **{"url": asking.url, "model": asking.model, "max_tokens": asking.max_tokens},
        **{"text": text_for(asking.prompt, row.question), "image": row.sha256, "blind": blind},
        **{"max_side": asking.max_side, "pictures": VERSION, "tokens": way},
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

    def adapted(self, refusal: str, param: str | None, needs_tokens: bool) -> Dialect | None:
        """What to ask instead after a refusal; None if it is about something else.

        Whether it helps is only known when it has been asked.

        Args:
            refusal: what the server says, without the question.
            param: the setting that the server names as the reason, if it does.
            needs_tokens: whether the likeliest first tokens must be asked for.
        """
        if self.limit == "max_tokens" and (
            is_about("max_completion_tokens", refusal, param)
            or (param == "max_tokens" and is_about("max_tokens", refusal, None))
        ):
            return replace(self, limit="max_completion_tokens")
        if self.top and is_about("logprob", refusal, param):
            fewer = _TOPS[_TOPS.index(self.top) + 1]
            return None if needs_tokens and not fewer else replace(self, top=fewer)
        if self.temperature and is_about("temperature", refusal, param):
            return replace(self, temperature=False)
        return None


def is_about(name: str, refusal: str, param: str | None) -> bool:
    """Whether a refusal says that the server does not take a setting.

    Args:
        name: of the setting, or a part of it.
        refusal: what the server says.
        param: the setting that the server names as the reason; None or empty if it does not.
    """
    if param and not (param == "max_tokens" and name == "max_completion_tokens"):
        return name in param.lower()
    return name in refusal.lower() and _UNKNOWN.search(refusal) is not None


def first_dialect(asking: Asking, taken: Mapping[str, Any] | None) -> Dialect:
    """The dialect to begin with.

    Args:
        asking: what is asked.
        taken: the one that the server took last, as :meth:`Dialect.as_dict` says it, if known.
    """
    first = Dialect(**taken) if taken else Dialect(_TOPS[0])
    return replace(first, top=0) if asking.logprobs == "never" else first


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
