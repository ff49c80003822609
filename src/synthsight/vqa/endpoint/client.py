"""Posting requests to an endpoint: what is tried again, what ends the job, what leaves a question.

No redirect is followed, so the key goes nowhere but to the address that the configuration names.
"""

from __future__ import annotations

import asyncio
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
from synthsight.later import answers_later, retry_after
from synthsight.vqa.endpoint.addresses import proxy_of
from synthsight.vqa.endpoint.keys import key_from, without_key
from synthsight.vqa.endpoint.reply import BrokenReplyError, Reply, reply_of
from synthsight.wording import one_line, printable

#: Bound on a reply, in bytes.
MAX_REPLY = 2**22

#: Characters of what a server says that a message repeats.
_SAID = 300

#: What a server says of a request that its content filter refuses: an answer, and no failure.
_FILTERED = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation"}

#: What is said with "too many requests" where waiting does not help.
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached"}

#: A server that asks with this status to wait for so many seconds or more is busy: what it refuses
#: meanwhile is no failed attempt.
_BUSY, _WHILE = 429, 1.0

#: Statuses of requests that depend on the question.
_OF_QUESTION = {400, 413, 415, 422}

#: What to do about statuses that end the job.
_REMEDIES = {
    401: "the key is missing, or not valid there",
    402: "the account there has to be paid",
    403: "the key does not allow this, or the server does not serve this place",
    404: "it has no such model, or the address is another: it should end where /chat/completions "
    "begins, as http://localhost:8000/v1 does",
    405: "the address is another: it should end where /chat/completions begins",
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
        param: the setting that it names as the reason, if it does.
    """

    def __init__(self, status: int, said: str, filtered: bool, param: str | None = None) -> None:
        super().__init__(f"the server refuses it ({status}): {said}")
        self.said = said
        self.filtered = filtered
        self.param = param


class _AgainError(Exception):
    """A failure that may not recur.

    Attributes:
        after: how long the server asks to wait, in seconds; 0 if it does not.
        busy: whether it asks that because it is asked too often.
        took: how long nothing came, in seconds.
    """

    def __init__(self, message: str, after: float = 0.0, busy: bool = False, took: float = 0.0):
        super().__init__(message)
        self.after = after
        self.busy = busy and after >= _WHILE
        self.took = took


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        attempts: their maximum number for a request, those aside that a busy server puts off.
        first: seconds before the second, doubled before each further one.
        longest: bound on these seconds, unless the server asks for more.
        total: bound on all that a request waits, for replies that do not come, too, in seconds.
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
        self._ended = asyncio.Event()

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
        return without_key(text, self._key)

    def shown(self, text: str) -> str:
        """What the server says as a message repeats it: without the key, on one line, and short."""
        return printable(one_line(self.hide(text), _SAID))

    def end(self) -> None:
        """Send nothing more; what is under way may still be replied to."""
        self._ended.set()
        self._open.set()

    async def post(self, body: Mapping[str, Any]) -> Reply:
        """Post a request until there is a reply.

        Args:
            body: ready for JSON.

        Raises:
            EndpointError: no request will end otherwise.
            RefusedError: the server does not take it as it is.
            NoReplyError: there is no reply within the patience.
        """
        patience, waited, attempt, asked = self._patience, 0.0, 1, 0
        keeps = False  # whether this request keeps the others waiting, and goes first
        try:
            while True:
                if not keeps:
                    await self._open.wait()
                if self._ended.is_set():
                    raise NoReplyError("it was not asked any more, since the job ends")
                failure = await self._attempt(body)
                if isinstance(failure, Reply):
                    return failure
                asked += 1
                usual = min(patience.longest, patience.first * 2 ** (attempt - 1))
                wait = failure.after if failure.busy else max(usual, failure.after)
                last = attempt == patience.attempts and not failure.busy
                if last or waited + failure.took + wait > patience.total:
                    long = f" and to wait {failure.after:.0f} s" if failure.after else ""
                    times = "once" if asked == 1 else f"{asked} times"
                    raise NoReplyError(f"no reply, asked {times}: {failure}{long}")
                waited += failure.took + wait
                attempt += not failure.busy
                first = failure.after > 0 and (keeps or self._open.is_set())
                if first and not self._ended.is_set():
                    keeps = True
                    self._open.clear()
                    await self._rest(failure.after)
                elif keeps:
                    keeps = False
                    self._open.set()
                if not failure.busy and wait > failure.after:
                    # The others need not wait for that.
                    if keeps:
                        keeps = False
                        self._open.set()
                    await self._rest(wait - failure.after)
        finally:
            if keeps:
                self._open.set()

    async def _attempt(self, body: Mapping[str, Any]) -> Reply | _AgainError:
        """Post a request once."""
        timeout = self._access.timeout
        try:
            async with asyncio.timeout(timeout):
                return self._reply(*await self._send(body))
        except TimeoutError:
            return _AgainError(f"nothing within {timeout:g} s", took=timeout)
        except _AgainError as error:
            return error

    async def _rest(self, seconds: float) -> None:
        """Wait, but not beyond the end of asking."""
        ends = (self._patience.sleep(seconds), self._ended.wait())
        tasks = [asyncio.ensure_future(each) for each in ends]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

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
            timeout = self._access.timeout
            raise _AgainError(f"nothing within {timeout:g} s", took=timeout) from None
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
        if not 200 <= status < 300:
            self._raise_for(status, headers, self.shown(_message(parsed, content)), error)
        if parsed is None:
            raise _AgainError("the reply is not valid JSON")
        try:
            return reply_of(parsed, self.hide)
        except BrokenReplyError as broken:
            raise _AgainError(f"the reply cannot be read: {broken}") from None

    def _raise_for(self, status: int, headers: httpx2.Headers, said: str, error: Any) -> None:
        """Raise what a status that is no success means."""
        codes, said = _codes(error), said or "nothing"
        param = error.get("param") if isinstance(error, dict) else None
        if codes & _FILTERED:
            raise RefusedError(status, said, True)
        if codes & _NO_MONEY:
            raise EndpointError(f"{self._access.url} answers {status}: {said}")
        if answers_later(status):
            after = retry_after(headers.get("Retry-After"), self._patience.now()) or 0.0
            raise _AgainError(f"the server answers {status}: {said}", after, status == _BUSY)
        # A model that has no probabilities for this key may say so with 403.
        if status in _OF_QUESTION or (status == 403 and "logprob" in said.lower()):
            raise RefusedError(status, said, False, param if isinstance(param, str) else None)
        if 300 <= status < 400:
            place = self.shown(headers.get("Location", "another address"))
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


def _message(parsed: Any, content: bytes) -> str:
    """What a server says of a failure, whole; not what it was asked, which some repeat."""
    found = parsed
    for key in ("error", "message"):
        if isinstance(found, dict):
            found = found.get(key) or found.get("detail") or found
    if isinstance(found, list) and all(isinstance(each, dict) and "msg" in each for each in found):
        found = "; ".join(f"{each['msg']} ({_place(each.get('loc'))})" for each in found)
    return found if isinstance(found, str) else content.decode("utf-8", "replace")


def _place(loc: Any) -> str:
    return ".".join(map(str, loc)) if isinstance(loc, list) else "body"


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
