"""Repositories of a hub: downloading their files, and what is known of these.

Can be imported without torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from synthsight.errors import SynthsightError
from synthsight.files import sha256_of
from synthsight.inference.folders import SMALL, WEIGHTS, files_in, small_files
from synthsight.inference.hub import check_cached, not_brought

#: What a repository says of itself to people.
README = "README.md"

#: The small files that a model may need.
ALL_SMALL = (*(f"*{ending}" for ending in SMALL), README)


class HubError(SynthsightError):
    """A repository that could not be fetched; the message names it and says what to do."""


def download(repository: str, revision: str | None, patterns: Sequence[str] = ALL_SMALL) -> Path:
    """Download a repository's small files to the hub's cache.

    Without a network the cache's files of that revision serve, as far as they are there.

    Args:
        repository: OWNER/NAME.
        revision: a branch, tag or commit; None for the main branch.
        patterns: names of files, with wildcards.

    Returns:
        The folder, which is named by the commit.

    Raises:
        HubError: they cannot be had.
    """
    try:
        return Path(
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=list(patterns)
            )
        )
    except Exception as error:
        raise _not_brought(repository, error) from error


def download_weights(repository: str, folder: Path) -> None:
    """Download the weights of the same revision next to the small files: one file or several.

    Args:
        repository: OWNER/NAME.
        folder: what :func:`download` gave.

    Raises:
        HubError: there are none, or they cannot be had.
    """
    failure: Exception = FileNotFoundError("no weights")
    for single, index in WEIGHTS:
        choices = [[single]]
        if (folder / index).is_file():
            choices.append(files_in(folder / index))
        for names in choices:
            try:
                for name in names:
                    huggingface_hub.hf_hub_download(repository, name, revision=folder.name)
                return
            except (EntryNotFoundError, LocalEntryNotFoundError) as error:
                failure = error
            except Exception as error:
                raise _not_brought(repository, error) from error
    raise _not_brought(repository, failure) from failure


def _not_brought(repository: str, error: Exception) -> HubError:
    """The hub's client raises many types of error, from several libraries."""
    return HubError(not_brought(f"hf-hub:{repository}", error, "a local folder"))


def license_of(folder: Path) -> str | None:
    """The licence that a repository's README states, or None."""
    readme = folder / README
    if not readme.is_file():
        return None
    try:
        data = huggingface_hub.ModelCard.load(readme).data
    except Exception:  # a README is free text, and a licence that cannot be read is unknown
        return None
    license_ = data.get("license")
    return license_ if isinstance(license_, str) else None


def digests_of(files: Sequence[Path], hub: Path | None) -> tuple[dict[str, str], str]:
    """The sha256 of each file of weights by name, and how a hub's files compare with its sums.

    The model is ``verified`` only if every file is, those of the tokenizer as well as of weights.

    Args:
        files: the files of weights.
        hub: the folder that a hub's files are in; None for local ones.

    Raises:
        synthsight.inference.hub.ChecksumError: a hub's file has another one than the hub states.
    """
    if hub is None:
        return {file.name: sha256_of(file) for file in files}, "none stated"
    checked = {file.name: check_cached(file) for file in files}
    others = [check_cached(hub / name) for name in small_files(hub)]
    outcomes = {outcome for _, outcome in (*checked.values(), *others)}
    checksum = "verified" if outcomes == {"verified"} else "none stated"
    return {name: digest for name, (digest, _) in checked.items()}, checksum


def sum_of(digests: Mapping[str, str]) -> str:
    """One sha256 for all files: that of a single one, else of their ``sha256sum`` lines."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
