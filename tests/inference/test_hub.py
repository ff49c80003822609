"""What the hub's cache holds is compared with what the hub states for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from synthsight.inference.hub import check_cached


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
    assert check_cached(link(tmp_path, stated, b"others")) == (found, "differs")


def test_small_files_are_compared_with_the_name_that_git_gives_to_their_content(
    tmp_path: Path,
) -> None:
    """`echo hello | git hash-object --stdin`."""
    file = link(tmp_path, "ce013625030ba8dba906f756967f9e9ca394464a", b"hello\n")
    digest = hashlib.sha256(b"hello\n").hexdigest()
    assert check_cached(file) == (digest, "verified")
    file.resolve().write_bytes(b"hello\r\n")
    assert check_cached(file)[1] == "differs"


def test_a_file_for_which_the_hub_states_no_sum_is_not_called_verified(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    assert check_cached(link(tmp_path, "model-v1", b"weights")) == (digest, "none stated")
