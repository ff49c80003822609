"""Downloads resume, are bound to their file, and end in a message whatever a server does."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from synthsight.archives import download as module
from synthsight.archives.download import DownloadError, download
from tests.loopback_files import Answer, Files, serve

CONTENT = bytes(range(256)) * 1000
HALF = len(CONTENT) // 2

Server = tuple[str, type[Files]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "WAIT", 0.01)
    with serve(CONTENT) as (url, files):
        yield url, files


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "work" / "archive"


def bring(server: Server, part: Path, checked: bool = True, path: str = "/a.zip") -> str:
    said: list[str] = []
    download(server[0] + path, part, checked, said.append)
    return "\n".join(said)


def error(server: Server, part: Path, checked: bool = True, path: str = "/a.zip") -> str:
    with pytest.raises(DownloadError) as caught:
        bring(server, part, checked, path)
    return str(caught.value)


def ranges(server: Server) -> list[str | None]:
    return [asked.range for asked in server[1].asked]


# What goes well ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_is_brought_whole(server: Server, part: Path, chunked: bool) -> None:
    server[1].usual = Answer(chunked=chunked)
    bring(server, part)
    assert part.read_bytes() == CONTENT
    bring(server, part)
    assert len(server[1].asked) == 1, "what is here is not asked for again"


@pytest.mark.parametrize("chunked", [False, True])
def test_what_broke_off_goes_on_where_it_was(server: Server, part: Path, chunked: bool) -> None:
    server[1].script = [Answer(cut=HALF, chunked=chunked), Answer(cut=1000)]
    bring(server, part)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert [asked.if_range for asked in server[1].asked] == [None, '"one"', '"one"']
    assert sum(server[1].sent) == len(CONTENT), "no byte is sent twice"


def test_the_next_process_goes_on(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    server[1].script = [Answer(cut=HALF)]
    found = error(server, part, checked=False)
    assert "broke off after 128.0 kB of 256.0 kB" in found
    assert "What has arrived (128.0 kB) is kept" in found
    bring(server, part, checked=False)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={HALF}-"]


def test_a_server_without_ranges_sends_all_again(server: Server, part: Path) -> None:
    server[1].script = [Answer(cut=HALF, ranges=False), Answer(ranges=False)]
    bring(server, part)
    assert part.read_bytes() == CONTENT
    assert sum(server[1].sent) == HALF + len(CONTENT)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_is_asked_again(server: Server, part: Path, status: int) -> None:
    server[1].script = [Answer(b"busy", status), Answer(b"busy", status, {"Retry-After": "0"})]
    assert f"the server answers {status}" in bring(server, part)
    assert part.read_bytes() == CONTENT


def test_redirects_are_followed(server: Server, part: Path) -> None:
    server[1].script = [Answer(b"", 302, {"Location": "/b.zip"})]
    bring(server, part)
    assert part.read_bytes() == CONTENT
    assert [asked.path for asked in server[1].asked] == ["/a.zip", "/b.zip"]


def test_a_password_comes_from_netrc_and_a_proxy_from_the_environment(
    server: Server, part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine images.invalid login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", server[0])
    headers: list[str | None] = []
    do_get = server[1].do_GET

    def record(self: Any) -> None:
        headers.append(self.headers["Authorization"])
        do_get(self)

    monkeypatch.setattr(server[1], "do_GET", record)
    download("http://images.invalid/a.zip", part, True, lambda _: None)
    assert part.read_bytes() == CONTENT
    assert server[1].asked[0].path == "http://images.invalid/a.zip", "the proxy was asked"
    assert headers == ["Basic bWU6c2VjcmV0"]


# The part is of this file ------------------------------------------------------------------------


def test_a_file_that_changed_in_between_is_brought_anew(server: Server, part: Path) -> None:
    new = CONTENT[::-1]
    server[1].script = [Answer(cut=HALF)]
    server[1].usual = Answer(new, etag='"two"')
    bring(server, part)
    assert part.read_bytes() == new
    assert ranges(server) == [None, f"bytes={HALF}-"]


def test_a_server_that_ignores_the_condition_is_seen_through(server: Server, part: Path) -> None:
    new = CONTENT[::-1]
    headers = {"Content-Range": f"bytes {HALF}-{len(new) - 1}/{len(new)}"}
    changed = Answer(new[HALF:], 206, headers, etag='"two"')
    server[1].script = [Answer(cut=HALF), changed]
    server[1].usual = Answer(new, etag='"two"')
    bring(server, part)
    assert part.read_bytes() == new


@pytest.mark.parametrize(
    "content_range", ["bytes 0-9/256000", "bytes 128000-255999/300000", "128000", ""]
)
def test_a_wrong_range_is_not_appended(server: Server, part: Path, content_range: str) -> None:
    wrong = Answer(CONTENT[HALF:], 206, {"Content-Range": content_range})
    server[1].script = [Answer(cut=HALF), wrong]
    bring(server, part)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={HALF}-", None]


def test_the_part_of_another_file_is_not_appended_to(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    server[1].script = [Answer(cut=HALF)]
    error(server, part)
    bring(server, part, path="/b.zip")
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, None]


@pytest.mark.parametrize(("checked", "resumed"), [(True, True), (False, False)])
def test_without_a_validator_only_a_checksum_allows_to_resume(
    server: Server, part: Path, checked: bool, resumed: bool
) -> None:
    server[1].script = [Answer(cut=HALF, etag=None)]
    server[1].usual = Answer(etag='W/"weak"')
    bring(server, part, checked)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={HALF}-" if resumed else None]


def test_a_weak_validator_does_not_tell_one_file_from_another(server: Server, part: Path) -> None:
    server[1].script = [Answer(cut=HALF, etag='W/"weak"')]
    server[1].usual = Answer(etag='W/"weak"')
    bring(server, part, checked=False)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, None]


def test_a_date_of_change_will_do_as_a_validator(server: Server, part: Path) -> None:
    date = "Tue, 01 Nov 2022 10:00:00 GMT"
    server[1].script = [Answer(cut=HALF, etag=None, headers={"Last-Modified": date})]
    bring(server, part, checked=False)
    assert part.read_bytes() == CONTENT
    assert server[1].asked[1].if_range == date


# Lies and garbage --------------------------------------------------------------------------------


def test_a_length_that_is_too_long_ends_where_the_file_does(server: Server, part: Path) -> None:
    server[1].script = [Answer(stated=len(CONTENT) + 100)]
    bring(server, part)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={len(CONTENT)}-"]


def test_of_a_length_that_is_too_short_no_more_is_taken(server: Server, part: Path) -> None:
    server[1].usual = Answer(stated=HALF)
    bring(server, part)
    assert part.read_bytes() == CONTENT[:HALF]


def test_a_part_longer_than_the_file_is_dropped(server: Server, part: Path) -> None:
    server[1].script = [Answer(CONTENT * 2, cut=len(CONTENT) + 10)]
    bring(server, part)
    assert part.read_bytes() == CONTENT


def test_a_length_that_no_disk_has_is_refused_before_a_byte_is_written(
    server: Server, part: Path
) -> None:
    server[1].usual = Answer(stated=10**17)
    assert "100000.0 TB is needed and" in error(server, part)
    assert not part.exists()


def test_a_web_page_is_not_taken_for_the_file(server: Server, part: Path) -> None:
    server[1].usual = Answer(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"})
    assert "sends a web page, not an archive" in error(server, part)
    assert not part.exists()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "answers 404 Not Found. Check the address, or download it by hand and name the"),
        (403, "answers 403 Forbidden: it requires a login"),
        (204, "answers 204"),
        (206, "answers 206"),
    ],
)
def test_other_statuses_end_at_once(server: Server, part: Path, status: int, said: str) -> None:
    server[1].usual = Answer(b"", status)
    assert said in error(server, part)
    assert len(server[1].asked) == 1


def test_what_never_works_is_given_up(server: Server, part: Path) -> None:
    server[1].usual = Answer(b"", 503)
    assert "503 Service Unavailable. Try again later, or download it by hand" in error(server, part)
    assert len(server[1].asked) == module.ATTEMPTS


def test_a_server_that_always_breaks_off_at_the_same_place_is_given_up(
    server: Server, part: Path
) -> None:
    server[1].usual = Answer(cut=HALF, ranges=False)
    assert "broke off after" in error(server, part)
    assert len(server[1].asked) == module.ATTEMPTS


def test_progress_earns_further_attempts_up_to_a_bound(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROGRESS", 10_000)
    server[1].usual = Answer(cut=10_000)
    bring(server, part)
    assert part.read_bytes() == CONTENT
    assert len(server[1].asked) == 26 > module.ATTEMPTS
    part.unlink()
    monkeypatch.setattr(module, "MAX_ATTEMPTS", 7)
    error(server, part)
    assert len(server[1].asked) == 26 + 7


def test_redirects_in_a_loop_end(server: Server, part: Path) -> None:
    server[1].usual = Answer(b"", 302, {"Location": "/a.zip"})
    assert "the server redirects in a loop" in error(server, part)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.zip", "gopher:x"])
def test_redirects_to_other_schemes_are_refused(server: Server, part: Path, target: str) -> None:
    server[1].usual = Answer(b"", 302, {"Location": target})
    assert f"refused: the server redirects to a {target.split(':')[0]} URL" in error(server, part)
    assert not part.exists()


def test_a_redirect_to_what_is_no_url_is_refused(server: Server, part: Path) -> None:
    server[1].usual = Answer(b"", 302, {"Location": "http://[bad"})
    assert "is not a URL" in error(server, part)


def test_a_redirect_from_https_to_http_is_refused() -> None:
    response = requests.Response()
    response.status_code, response.url = 302, "https://images.example/a.zip"
    with module._Session() as session:
        response.headers["Location"] = "https://elsewhere.example/a.zip"
        assert session.get_redirect_target(response)
        response.headers["Location"] = "http://elsewhere.example/a.zip"
        with pytest.raises(DownloadError, match="from https to http"):
            session.get_redirect_target(response)


def test_a_silent_server_is_not_waited_for_for_ever(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", (5.0, 0.2))
    server[1].script = [Answer(cut=HALF, stall=True)]
    assert "the server sends nothing; trying again, with 128.0 kB so far" in bring(server, part)
    assert part.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={HALF}-"]


def test_a_trickle_is_not_waited_for_for_ever(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    server[1].script = [Answer(trickle=0.02)]
    start = time.monotonic()
    assert "less than 1.0 kB a second" in bring(server, part)
    assert time.monotonic() - start < 5
    assert part.read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_named_without_what_may_be_secret(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT", 0.01)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{taken.getsockname()[1]}/a.zip"
    said: list[str] = []
    with pytest.raises(DownloadError) as caught:
        download(f"{place}?token=secret", part, True, said.append)
    assert f"{place}?token=... could not be downloaded: Connection refused" in str(caught.value)
    assert said and "secret" not in "".join([*said, str(caught.value)])


def test_a_full_disk_is_told(server: Server, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(10**9, 10**9, 2**28 + 1000)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "256.0 kB is needed and 268.4 MB is free on the disk of" in error(server, part)


# Google Drive ------------------------------------------------------------------------------------

ID = "1n2nCiaXtYJRRF2R73-LNE3zggeU_HeH0"
LINK = f"https://drive.google.com/file/d/{ID}/view?usp=sharing"
#: The page that stands before large files, as gdown looks at it.
WARNING = (
    b'<html><body><form id="download-form" action="https://drive.usercontent.google.com/download"'
    b' method="get"><input type="hidden" name="id" value="x"><input type="hidden" name="confirm"'
    b' value="t"></form></body></html>'
)
HTML = {"Content-Type": "text/html; charset=utf-8"}
FILE = {"Content-Type": "application/zip", "Content-Disposition": 'attachment; filename="d.zip"'}


@pytest.fixture
def drive(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Google Drive's hosts are the loopback server; the pages are written after gdown's code."""
    get = requests.Session.get

    def redirected(self: requests.Session, url: str, **more: Any) -> requests.Response:
        for host in ("drive.google.com", "drive.usercontent.google.com"):
            url = url.replace(f"https://{host}", server[0])
        return get(self, url, **more)

    monkeypatch.setattr(requests.Session, "get", redirected)
    return server


def test_a_file_of_google_drive_is_brought_through_its_warning(drive: Server, part: Path) -> None:
    drive[1].script = [Answer(WARNING, headers=HTML), Answer(headers=FILE)]
    download(LINK, part, True, lambda _: None)
    assert part.read_bytes() == CONTENT
    assert [asked.path for asked in drive[1].asked] == [
        f"/uc?id={ID}",
        "/download?id=x&confirm=t",
    ]
    assert sorted(os.listdir(part.parent)) == ["archive", "archive.json"]
    download(LINK, part, True, lambda _: None)
    assert len(drive[1].asked) == 2, "what is here is not asked for again"


@pytest.mark.parametrize(("checked", "asked"), [(True, f"bytes={HALF}-"), (False, None)])
def test_google_drive_resumes_if_the_whole_is_checked_afterwards(
    drive: Server, part: Path, monkeypatch: pytest.MonkeyPatch, checked: bool, asked: str | None
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 0)
    monkeypatch.setattr(sys.modules["gdown.download"], "CHUNK_SIZE", 1000)
    drive[1].usual = Answer(headers=FILE)
    drive[1].script = [Answer(headers=FILE, cut=HALF)]
    with pytest.raises(DownloadError, match=r"received .* bytes"):
        download(LINK, part, checked, lambda _: None)
    assert not part.exists()
    download(LINK, part, checked, lambda _: None)
    assert part.read_bytes() == CONTENT
    assert drive[1].asked[-1].range == asked


@pytest.mark.parametrize(
    "page",
    [
        b'<html><p class="uc-error-subcaption">Too many users have viewed or downloaded it</p>',
        b"<html><body>Sign in to continue to Google Drive</body></html>",
        b'<html><form id="download-form"></form>',
    ],
)
def test_pages_of_google_drive_are_not_taken_for_the_file(
    drive: Server, part: Path, page: bytes
) -> None:
    drive[1].usual = Answer(page, headers=HTML)
    with pytest.raises(DownloadError) as caught:
        download(LINK, part, False, lambda _: None)
    assert "Google Drive did not send the file" in str(caught.value)
    assert "open the link in a browser, download it by hand and name the file" in str(caught.value)
    assert not part.exists()


@pytest.mark.parametrize("status", [404, 403, 500])
def test_google_drive_s_errors_are_told(drive: Server, part: Path, status: int) -> None:
    drive[1].usual = Answer(b"", status, HTML)
    with pytest.raises(DownloadError, match="Google Drive did not send the file"):
        download(LINK, part, False, lambda _: None)


def test_what_is_kept_of_a_download_says_nothing_secret(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    server[1].script = [Answer(cut=HALF)]
    assert "secret" not in error(server, part, path="/a.zip?token=secret")
    kept = json.loads((part.parent / "archive.json").read_text())
    assert kept["total"] == len(CONTENT)
    assert "secret" not in json.dumps(kept)
