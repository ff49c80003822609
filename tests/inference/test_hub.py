"""What the hub's cache holds is compared with what the hub states for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from synthsight.inference.hub import ChecksumError, cached_by_torch, check_cached, check_named


def link(folder: Path, name: str, content: bytes) -> Path:
    """A file as the cache keeps it: a blob called by what the hub states, and a link to it."""
    (folder / "blobs").mkdir()
    (folder / "blobs" / name).write_bytes(content)
    (folder / "model.safetensors").symlink_to(folder / "blobs" / name)
    return folder / "model.safetensors"


def test_a_file_that_is_what_the_hub_states_is_verified(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    assert check_cached(link(tmp_path, digest, b"weights")) == (digest, "verified")


def test_a_file_with_another_sum_than_the_hub_states_differs(tmp_path: Path) -> None:
    stated = hashlib.sha256(b"weights").hexdigest()
    found = hashlib.sha256(b"others").hexdigest()
    with pytest.raises(ChecksumError) as caught:
        check_cached(link(tmp_path, stated, b"others"))
    message = str(caught.value)
    assert f"({stated}, found {found})" in message and "`checkpoint`" in message
    assert f"Delete {tmp_path / 'blobs' / stated} and run again" in message


def test_small_files_are_compared_with_the_name_that_git_gives_to_their_content(
    tmp_path: Path,
) -> None:
    """`echo hello | git hash-object --stdin`."""
    file = link(tmp_path, "ce013625030ba8dba906f756967f9e9ca394464a", b"hello\n")
    digest = hashlib.sha256(b"hello\n").hexdigest()
    assert check_cached(file) == (digest, "verified")
    file.resolve().write_bytes(b"hello\r\n")
    with pytest.raises(ChecksumError, match=r"found [0-9a-f]{40}\)"):
        check_cached(file)


def test_a_file_for_which_the_hub_states_no_sum_is_not_called_verified(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    assert check_cached(link(tmp_path, "model-v1", b"weights")) == (digest, "none stated")


def test_a_name_that_states_a_sum_is_compared_with_the_content(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    for name, outcome in (
        (f"net-{digest[:8]}.pth", "verified"),
        (f"a-b-{digest[:10]}.pth.tar", "verified"),
        ("IN1K-vit.h.16-448px-300e.pth.tar", "none stated"),
    ):
        (tmp_path / name).write_bytes(b"weights")
        assert check_named(tmp_path / name) == (digest, outcome)
    (tmp_path / f"net-{digest[:8]}.pth").write_bytes(b"weight")
    with pytest.raises(ChecksumError, match=rf"net-{digest[:8]}\.pth does not have the checksum"):
        check_named(tmp_path / f"net-{digest[:8]}.pth")


def test_torch_caches_a_file_by_the_end_of_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    expected = tmp_path / "hub" / "checkpoints" / "net-12345678.pth"
    assert cached_by_torch("https://example.org/v1/net-12345678.pth?download=1") == expected
