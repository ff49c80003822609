"""Downloading a large file: it resumes, never waits forever, and says what went wrong.

Proxies come from the environment (``HTTPS_PROXY`` and so on), passwords from ``~/.netrc``.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import gdown
import gdown.exceptions
import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from synthsight.archives.archive import DRIVE, identity, public_url
from synthsight.archives.containers import UnpackError
from synthsight.archives.parts import drive_folder, drop, read_about, size_of, write_about
from synthsight.archives.unpack import check_space, format_size
from synthsight.errors import SynthsightError
from synthsight.later import answers_later, retry_after
from synthsight.wording import one_line

#: Seconds to wait for a connection, and for the next piece of data.
TIMEOUT = (20.0, 60.0)

#: Seconds over which a download must average ``MIN_SPEED`` bytes a second, or it is retried.
PATIENCE = 60.0
MIN_SPEED = 1000

#: Attempts in a row that gain less than ``PROGRESS`` bytes, and attempts in all.
ATTEMPTS = 5
MAX_ATTEMPTS = 100
PROGRESS = 2**20

#: Seconds before the second attempt, doubled before each further one, up to a minute.
WAIT = 1.0

_CHUNK = 2**18
_BY_HAND = "download it by hand and name the file in images.archive.url (file:FOLDER/NAME)"


class DownloadError(SynthsightError):
    """A file that cannot be downloaded; the message says what to do."""


class _RetryError(Exception):
    """A failure that may not recur; ``after`` is how many seconds the server asks to wait."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


def download(url: str, part: Path, checked: bool, say: Callable[[str], None]) -> None:
    """Download a file, resuming where an earlier attempt broke off.

    A part is only appended to if the server vouches that it belongs to the same file (by an
    unchanged ETag or date), or if the whole file is checked afterwards. A JSON file next to the
    part, ``{part}.json``, says which file it belongs to.

    Args:
        url: http or https; a Google Drive link leads to its file.
        part: where the file goes; what has arrived is kept if the download fails.
        checked: whether the caller knows the file's sha256.
        say: called with messages about the progress.

    Raises:
        DownloadError: it cannot be downloaded.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        if urlsplit(url).hostname in DRIVE:
            _from_drive(url, part, checked, say)
        else:
            _from_server(url, part, checked, say)
    except UnpackError as error:  # no space
        raise DownloadError(f"{public_url(url)}: {error}") from error


# From a server ---------------------------------------------------------------------------------


class _Session(requests.Session):
    """Follows redirects, but not to anything less safe."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            before, after = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
            if after.scheme not in ("http", "https"):
                raise DownloadError(f"refused: the server redirects to a {after.scheme} URL")
            if (before.scheme, after.scheme) == ("https", "http"):
                raise DownloadError(
                    f"refused: the server redirects from https to http ({after.hostname}), where "
                    "others can change the data in transit. Name that address if you want it"
                )
        return target


class _Patience:
    """Counts attempts that made next to no progress."""

    def __init__(self, part: Path, say: Callable[[str], None]) -> None:
        self._part = part
        self._say = say
        self._best = size_of(part)
        self._idle = 0

    def after(self, state: RetryCallState) -> None:
        size = size_of(self._part)
        self._idle = 0 if size >= self._best + PROGRESS else self._idle + 1
        self._best = max(size, self._best)
        if not self.stop(state):
            self._say(f"{_error(state)}; trying again, with {format_size(size)} so far")

    def stop(self, state: RetryCallState) -> bool:
        return self._idle >= ATTEMPTS or state.attempt_number >= MAX_ATTEMPTS

    def wait(self, state: RetryCallState) -> float:
        error = _error(state)
        asked = error.after if isinstance(error, _RetryError) else 0.0
        wait: float = min(60.0, max(asked, WAIT * 2 ** max(0, self._idle - 1)))
        return wait


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _from_server(url: str, part: Path, checked: bool, say: Callable[[str], None]) -> None:
    patience = _Patience(part, say)
    retrying = Retrying(
        retry=retry_if_exception_type(_RetryError),
        after=patience.after,
        stop=patience.stop,
        wait=patience.wait,
        reraise=True,
    )
    name = public_url(url)
    try:
        with _Session() as session:
            retrying(_attempt, session, url, part, checked, say)
    except _RetryError as error:
        kept = f" What has arrived ({format_size(size_of(part))}) is kept." if size_of(part) else ""
        raise DownloadError(
            f"{name} could not be downloaded: {error}. Try again later, or {_BY_HAND}.{kept}"
        ) from error
    except DownloadError as error:
        raise DownloadError(f"{name}: {error}") from error


def _attempt(
    session: requests.Session, url: str, part: Path, checked: bool, say: Callable[[str], None]
) -> None:
    """Download the missing rest of a file."""
    about = read_about(part)
    validator = about.get("validator")
    offset = size_of(part)
    if about.get("url") != identity(url) or not (validator or checked):
        offset = 0
    if offset and about.get("total") == offset:
        return
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator:
            headers["If-Range"] = validator
    try:
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if offset and response.status_code == 416:
                _at_the_end(response, part, about, offset)
                return
            _check_status(response, resuming=offset > 0)
            if response.status_code == 200:
                offset, about = 0, {"url": identity(url), "validator": _validator(response)}
                about["total"] = _length(response)
            else:
                about["total"] = _resumed_total(response, part, about, offset)
            total = about["total"]
            check_space(part.parent, 0 if total is None else total - offset)
            if offset == 0:
                part.unlink(missing_ok=True)  # lest the record describe a part of another file
            write_about(part, about)
            _receive(response, part, offset, total, say)
    except (requests.exceptions.SSLError, requests.exceptions.TooManyRedirects) as error:
        raise DownloadError(_cause(error)) from error
    except ValueError as error:  # InvalidURL and the like
        raise DownloadError("it, or what it redirects to, is not a URL") from error
    except urllib3.exceptions.ProtocolError as error:  # in the body
        raise _RetryError(_broke_off(size_of(part), about.get("total"))) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _RetryError(_cause(error)) from error
    write_about(part, {**about, "total": size_of(part)})


def _check_status(response: requests.Response, resuming: bool) -> None:
    status = response.status_code
    answer = f"the server answers {status} {response.reason or ''}".rstrip()
    if answers_later(status):
        after = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        raise _RetryError(answer, after or 0.0)
    if status in (401, 403, 407):
        raise DownloadError(
            f"{answer}: it requires a login (~/.netrc is read), or the address has expired. Or "
            f"{_BY_HAND}"
        )
    if status != 200 and not (status == 206 and resuming):
        raise DownloadError(f"{answer}. Check the address, or {_BY_HAND}")
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise DownloadError(
            "the server sends a web page, not an archive: the address leads to a page or a login. "
            f"Name the address behind its download button, or {_BY_HAND}"
        )


def _at_the_end(
    response: requests.Response, part: Path, about: dict[str, Any], offset: int
) -> None:
    """Handle a server with nothing after the part: it is the whole file, or part of another."""
    found = re.fullmatch(r"bytes \*/([0-9]+)", response.headers.get("Content-Range", ""))
    if found and int(found[1]) == offset:
        write_about(part, {**about, "total": offset})
        return
    drop(part)
    raise _RetryError("the part here is longer than the server's file, and was deleted")


def _resumed_total(
    response: requests.Response, part: Path, about: dict[str, Any], offset: int
) -> int | None:
    """The length of the whole file when only the rest of it is sent."""
    found = re.fullmatch(
        r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", response.headers.get("Content-Range", "")
    )
    total = int(found[2]) if found and found[2] != "*" else about.get("total")
    tag, validator = response.headers.get("ETag"), about.get("validator") or ""
    if (
        not found
        or int(found[1]) != offset
        or about.get("total") not in (None, total)
        or (tag and validator.startswith('"') and tag != validator)
    ):
        drop(part)
        raise _RetryError("the file has changed, so the part here was deleted")
    return total


def _receive(
    response: requests.Response,
    part: Path,
    offset: int,
    total: int | None,
    say: Callable[[str], None],
) -> None:
    """Append the data to the part, as long as it arrives fast enough."""
    whole = "" if total is None else f" of {format_size(total)}"
    resumed = f", {format_size(offset)} already here" if offset else ""
    say(f"downloading{whole}{resumed}")
    done = seen = offset
    since = reported = time.monotonic()
    with open(part, "ab") as handle:
        # read1 returns what has arrived; read would wait for a full piece, however slow.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            try:
                handle.write(chunk)
            except OSError as error:
                raise DownloadError(f"{part} cannot be written: {error.strerror}") from error
            done += len(chunk)
            now = time.monotonic()
            if now - reported >= 10:
                say(f"{format_size(done)}{whole}")
                reported = now
            if now - since >= PATIENCE or done - seen >= MIN_SPEED * PATIENCE * 1000:
                if done - seen < MIN_SPEED * PATIENCE:
                    raise _RetryError(f"it came at less than {format_size(MIN_SPEED)} a second")
                check_space(part.parent, 0)
                since, seen = now, done
    if total is not None and done < total:
        raise _RetryError(_broke_off(done, total))


def _broke_off(done: int, total: int | None) -> str:
    whole = "" if total is None else f" of {format_size(total)}"
    return f"it broke off after {format_size(done)}{whole}"


def _validator(response: requests.Response) -> str | None:
    """What distinguishes this file from a later one at the same address, for ``If-Range``."""
    tag = response.headers.get("ETag", "")
    if tag.startswith('"'):  # not a weak one
        return tag
    return response.headers.get("Last-Modified")


def _length(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    if "chunked" in response.headers.get("Transfer-Encoding", "").lower():
        return None
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else None


def _cause(error: BaseException) -> str:
    """The root cause of a library's error, whose own text may repeat secrets in the URL."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        reason = getattr(current, "reason", None)
        inner = (
            reason
            if isinstance(reason, BaseException)
            else next((part for part in current.args if isinstance(part, BaseException)), None)
        )
        current = inner or current.__cause__ or current.__context__
    if any(isinstance(cause, requests.exceptions.TooManyRedirects) for cause in seen):
        return "the server redirects in a loop"
    if any("Timeout" in type(cause).__name__ for cause in seen):
        return "the server sends nothing"
    causes = [str(cause.strerror) for cause in seen if isinstance(cause, OSError)]
    causes = [cause for cause in causes if cause != "None"]
    return causes[-1] if causes else f"it broke off ({type(seen[-1]).__name__})"


# From Google Drive -----------------------------------------------------------------------------


def _from_drive(url: str, part: Path, checked: bool, say: Callable[[str], None]) -> None:
    """Leave Drive's pages to gdown, which keeps a partial download in a folder for this file."""
    if size_of(part) and read_about(part) == {"url": identity(url), "total": size_of(part)}:
        return
    folder = drive_folder(part)
    if not checked or read_about(part).get("url") != identity(url):
        # gdown does not check that the file it resumes is still the one that it began.
        shutil.rmtree(folder, ignore_errors=True)
    part.unlink(missing_ok=True)
    folder.mkdir(exist_ok=True)
    write_about(part, {"url": identity(url)})
    reported = [time.monotonic()]

    def progress(done: int, total: int | None) -> None:
        if total is not None:
            check_space(part.parent, max(0, total - done))
        if time.monotonic() - reported[0] >= 10:
            say(format_size(done) + ("" if total is None else f" of {format_size(total)}"))
            reported[0] = time.monotonic()

    say("downloading from Google Drive")
    try:
        gdown.download(
            url=url,
            output=str(folder / "archive"),
            quiet=True,
            use_cookies=False,
            resume=True,
            progress=progress,
            timeout=TIMEOUT,
            retries=ATTEMPTS,
        )
        os.replace(folder / "archive", part)
    except UnpackError:
        raise
    # gdown parses pages that may hold anything, and opens files.
    except (gdown.exceptions.DownloadError, requests.RequestException) as error:
        raise DownloadError(f"{public_url(url)}: {_drive_message(str(error))}") from error
    except (AssertionError, LookupError, ValueError, OSError) as error:
        raise DownloadError(f"{public_url(url)}: {_drive_message(repr(error))}") from error
    shutil.rmtree(folder)
    write_about(part, {"url": identity(url), "total": size_of(part)})


def _drive_message(cause: str) -> str:
    words = re.sub(r"https?://\S+", "", one_line(cause))[:400]
    return (
        f"Google Drive did not send the file ({words}). It may not be shared with everyone, or too "
        "many people may have downloaded it today: try tomorrow, or open the link in a browser, "
        f"{_BY_HAND}"
    )
