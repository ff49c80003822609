"""Posting requests to an endpoint: what is tried again, what ends the job, what leaves a question.

No redirect is followed, so the key goes nowhere but to the address that the configuration names.
"""

from __future__ import annotations

import asyncio
import email.utils
import errno
import json
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2

from synthsight.errors import SynthsightError
from synthsight.vqa.endpoint.addresses import proxy_of
from synthsight.vqa.endpoint.keys import key_from
from synthsight.vqa.endpoint.reply import BrokenReplyError, Reply, reply_of
from synthsight.wording import one_line

#: Bound on a reply, in bytes.
MAX_REPLY = 2**22

#: Characters of what a server says that a message repeats.
_SAID = 300

#: What a server says of a request that its content filter refuses: an answer, and no failure.
_FILTERED = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation"}

#: What is said with "too many requests" where waiting does not help.
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached"}

#: Statuses of a server that may answer later; those of requests that depend on the question.
_LATER = {408, 409, 425, 429}
_OF_QUESTION = {400, 413, 415, 422}

#: What to do about statuses that end the job.
_REMEDIES = {
    401: "the key is missing, or not valid there",
    402: "the account there has to be paid",
    403: "the key does not allow this, or the server does not serve this place",
    404: "it has no such model, or the address is another: it should end where /chat/completions "
    "begins, as http://localhost:8000/v1 does",
    405: "the address is another: it should end where /chat/completions begins",
    407: "the proxy of the environment asks for a name and a password",
}


class EndpointError(SynthsightError):
    """An endpoint that cannot be asked at all; the message says what to do."""


class NoReplyError(Exception):
    """A question that stays without a reply; the message is the reason, in words."""


class RefusedError(NoReplyError):
    """A request that the server does not take as it is.

    Attributes:
        said: what the server says.
        filtered: whether its content filter is the reason.
    """

    def __init__(self, status: int, said: str, filtered: bool) -> None:
        super().__init__(f"the server refuses it ({status}): {said}")
        self.said = said
        self.filtered = filtered


class _AgainError(Exception):
    """A failure that may not recur; ``after`` is how long the server asks to wait, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        attempts: their maximum number for a request.
        first: seconds before the second, doubled before each further one.
        longest: bound on these seconds, unless the server asks for more.
        total: bound on all that a request waits, in seconds.
        sleep: waits for a number of seconds.
        now: the time, by which a server's date is read.
    """

    attempts: int = 8
    first: float = 1.0
    longest: float = 60.0
    total: float = 900.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class Access:
    """How a server is reached.

    Attributes:
        url: the address below which there is ``/chat/completions``.
        key_env: the environment variable that holds the key, if there is one.
        timeout: seconds for a whole reply.
        concurrency: bound on requests under way at a time.
    """

    url: str
    key_env: str | None = None
    timeout: float = 120.0
    concurrency: int = 8


class Server:
    """A server that requests are posted to, as an asynchronous context.

    Args:
        access: how it is reached.
        patience: how long to try.

    Raises:
        synthsight.vqa.endpoint.keys.KeyMissingError: the variable holds no key.
        EndpointError: on entering, if the environment's proxy cannot be used.
    """

    def __init__(self, access: Access, patience: Patience | None = None) -> None:
        self._access = access
        self._key = key_from(access.key_env)
        self._patience = patience or Patience()
        self._address = f"{access.url}/chat/completions"
        self._client: httpx2.AsyncClient | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._holding = 0

    async def __aenter__(self) -> Server:
        access = self._access
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            self._client = httpx2.AsyncClient(
                headers=headers,
                timeout=httpx2.Timeout(access.timeout),
                limits=httpx2.Limits(max_connections=access.concurrency),
                trust_env=False,
                proxy=proxy_of(access.url),
                follow_redirects=False,
                # It takes a while to make, and http has no use for it.
                verify=httpx2.create_ssl_context() if access.url.startswith("https:") else False,
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            # Its text may repeat the address, in which a password may stand.
            raise EndpointError(
                "the proxy that the environment names for https (HTTPS_PROXY, ALL_PROXY) cannot be "
                f"used ({type(error).__name__}): name one by http://, or none"
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._client is not None
        await self._client.aclose()

    def hide(self, text: str) -> str:
        """A text, with the key taken out if it stands there."""
        return text.replace(self._key, "***") if self._key else text

    async def post(self, body: Mapping[str, Any]) -> Reply:
        """Post a request until there is a reply.

        Args:
            body: ready for JSON.

        Raises:
            EndpointError: no request will end otherwise.
            RefusedError: the server does not take it as it is.
            NoReplyError: there is no reply within the patience.
        """
        patience, waited = self._patience, 0.0
        for attempt in range(1, patience.attempts + 1):
            await self._open.wait()
            try:
                async with asyncio.timeout(self._access.timeout):
                    return self._reply(*await self._send(body))
            except TimeoutError:
                failure = _AgainError(f"nothing within {self._access.timeout:g} s")
            except _AgainError as error:
                failure = error
            usual = min(patience.longest, patience.first * 2 ** (attempt - 1))
            wait = max(usual, failure.after or 0.0)
            if attempt == patience.attempts or waited + wait > patience.total:
                asked = f" and to wait {failure.after:.0f} s" if failure.after else ""
                times = "once" if attempt == 1 else f"{attempt} times"
                raise NoReplyError(f"no reply, asked {times}: {failure}{asked}")
            waited += wait
            await self._wait(wait, all_of_them=failure.after is not None)
        raise AssertionError("the last attempt returns or raises")

    async def _wait(self, seconds: float, all_of_them: bool) -> None:
        """Wait; with all requests that have yet to be sent, if the server asks for it."""
        if all_of_them:
            self._holding += 1
            self._open.clear()
        try:
            await self._patience.sleep(seconds)
        finally:
            if all_of_them:
                self._holding -= 1
                if not self._holding:
                    self._open.set()

    async def _send(self, body: Mapping[str, Any]) -> tuple[int, httpx2.Headers, bytes]:
        """Status, headers and content of a response."""
        assert self._client is not None
        received = bytearray()
        try:
            async with self._client.stream("POST", self._address, json=body) as response:
                async for chunk in response.aiter_bytes():
                    received += chunk
                    if len(received) > MAX_REPLY:
                        raise _AgainError(f"a reply of more than {MAX_REPLY:,} bytes")
                return response.status_code, response.headers, bytes(received)
        except httpx2.TimeoutException:
            raise _AgainError(f"nothing within {self._access.timeout:g} s") from None
        except httpx2.RequestError as error:
            if (wrong := _certificate(error)) is not None:
                raise EndpointError(
                    f"{self._access.url}: its certificate is not trusted ({wrong}). If your own "
                    "authority signed it, name its certificate in SSL_CERT_FILE"
                ) from None
            raise _AgainError(f"the connection fails: {_cause(error)}") from None

    def _reply(self, status: int, headers: httpx2.Headers, content: bytes) -> Reply:
        """The reply in a response."""
        try:
            parsed = json.loads(content)
        except (ValueError, RecursionError):
            parsed = None
        error = parsed.get("error") if isinstance(parsed, dict) else None
        if status == 200 and error:  # some servers put a failure into a good reply
            code = error.get("code") if isinstance(error, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
        if status != 200:
            self._raise_for(status, headers, self.hide(_message(parsed, content)), _codes(error))
        if parsed is None:
            raise _AgainError("the reply is not valid JSON")
        try:
            return reply_of(parsed, self.hide)
        except BrokenReplyError as broken:
            raise _AgainError(f"the reply cannot be read: {self.hide(str(broken))}") from None

    def _raise_for(self, status: int, headers: httpx2.Headers, said: str, codes: set[str]) -> None:
        """Raise what a status other than 200 means."""
        if codes & _FILTERED:
            raise RefusedError(status, said, True)
        if codes & _NO_MONEY:
            raise EndpointError(f"{self._access.url} answers {status}: {said}")
        if status in _LATER or status >= 500:
            after = retry_after(headers.get("Retry-After"), self._patience.now())
            raise _AgainError(f"the server answers {status}: {said}", after)
        # A model that has no probabilities for this key may say so with 403.
        if status in _OF_QUESTION or (status == 403 and "logprob" in said.lower()):
            raise RefusedError(status, said, False)
        if 300 <= status < 400:
            place = self.hide(one_line(headers.get("Location", "another address"), _SAID))
            raise EndpointError(
                f"{self._access.url} redirects to {place}, which is not followed, since the key "
                "would go there, too: write the right address into endpoint.url"
            )
        remedy = _REMEDIES.get(status, "see what it says")
        of_key = ""
        if status in (401, 403):
            name = self._access.key_env
            of_key = (
                f" (it comes from the environment variable {name}, by endpoint.key_env)"
                if name
                else " (none is sent: endpoint.key_env names no environment variable)"
            )
        raise EndpointError(f"{self._access.url} answers {status}: {said}. {remedy}{of_key}")


def retry_after(stated: str | None, now: datetime) -> float | None:
    """The seconds that a ``Retry-After`` asks to wait, by number or by date.

    Args:
        stated: the header, or None.
        now: the time.

    Returns:
        The seconds, at least 0; None if it says nothing.
    """
    if stated is None:
        return None
    try:
        seconds = float(stated)
        return max(0.0, seconds) if seconds < float("inf") else None
    except ValueError:
        pass
    try:
        date = email.utils.parsedate_to_datetime(stated)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


def _message(parsed: Any, content: bytes) -> str:
    """What a server says of a failure, on one line."""
    found = parsed
    for key in ("error", "message"):
        if isinstance(found, dict):
            found = found.get(key) or found.get("detail") or found
    text = found if isinstance(found, str) else content.decode("utf-8", "replace")
    return one_line(text, _SAID) or "nothing"


def _codes(error: Any) -> set[str]:
    """How a server calls a failure."""
    if not isinstance(error, dict):
        return set()
    inner = error.get("innererror")
    found = [error.get("code"), error.get("type")]
    found += [inner.get("code")] if isinstance(inner, dict) else []
    return {str(each).lower() for each in found}


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


def _certificate(error: BaseException) -> str | None:
    """Why a certificate is not trusted, if that is it."""
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return one_line(each.verify_message, _SAID)
    return None


def _cause(error: BaseException) -> str:
    """The root of a failed connection, in words."""
    of_system = [each for each in _causes(error) if isinstance(each, OSError) and each.errno]
    for each in of_system[-1:]:
        known = each.errno in errno.errorcode  # those of looking up a name are others
        return one_line(os.strerror(each.errno or 0) if known else each.strerror, _SAID)
    return one_line(str(error) or type(error).__name__, _SAID)
