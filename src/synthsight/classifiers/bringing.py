"""Bringing the files of a model's repository, of a hub or a local folder; reading the weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthsight.classifiers.library import ModelError, Wanted, WeightsError
from synthsight.inference.folders import weight_files
from synthsight.inference.hub import stated_by
from synthsight.inference.repositories import digests_of, download, download_weights, sum_of
from synthsight.inference.repositories import license_of as license_in
from synthsight.inference.weights import in_float32, read_state

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict


def check_name(form: str, name: str, local: bool) -> None:
    """Refuse a name that is not OWNER/NAME, perhaps with @REVISION, unless there is a folder.

    Args:
        form: what stands before a repository's name in a configuration, such as ``zeroshot/``.
        name: the name.
        local: whether a folder is read instead.
    """
    if not local and not re.fullmatch(r"[^/@\s]+/[^/@\s]+(@\S+)?", name):
        raise ModelError(f"names no repository: write {form}OWNER/NAME")


@dataclass(frozen=True)
class Brought:
    """A repository's files that are there to be read.

    Attributes:
        folder: where they are.
        source: what notes call it.
        state: the weights in float32, by their names in the files.
        sha256: of the files of weights.
        checksum: whether all files, the small ones as well, are what the hub states.
        reference: accuracy that a local file states, or None.
        license: as the repository or a local file states it, or None.
    """

    folder: Path
    source: str
    state: StateDict
    sha256: str
    checksum: str
    reference: dict[str, Any] | None
    license: str | None


def bring(wanted: Wanted) -> Brought:
    """Bring a repository's files, from a hub or a folder, and read the weights.

    Raises:
        SynthsightError: they cannot be had, or are refused.
    """
    architecture = wanted.architecture
    repository = architecture.name.partition("@")[0]
    if wanted.checkpoint is not None:
        folder, source, hub = wanted.checkpoint, str(wanted.checkpoint), None
    else:
        folder = download(repository, architecture.weights)
        download_weights(repository, folder)
        source, hub = f"hf-hub:{repository}", folder
    files = weight_files(folder)
    digests, checksum = digests_of(files, hub)
    license_, reference = license_in(folder), None
    if hub is None:
        try:
            stated, reference = stated_by(files[0], ("top1", "top5"))
        except ValueError as error:
            raise WeightsError(str(error)) from error
        license_ = stated or license_
    state = in_float32(read_state(files))
    return Brought(folder, source, state, sum_of(digests), checksum, reference, license_)
