"""The archive of a configuration: where its images come from, and how they are read."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from synthsight.archives.archive import (
    Archive,
    ArchiveError,
    files_in,
    local_path,
    problem_of,
)
from synthsight.bounds import Key
from synthsight.files import hint_at, is_file, is_folder, sha256_of
from synthsight.images.tree import folders_in
from synthsight.labels.files import LabelError
from synthsight.labels.spaces import IMAGENETS, load_labels
from synthsight.plan.config.messages import Problem
from synthsight.plan.settings import ArchiveSettings, ImageSettings, as_dict, urls_of


def find_archive(
    images: ImageSettings, problems: list[Problem]
) -> tuple[Archive | None, bool, str]:
    """The archive that the images come from, if any.

    If something is wrong with it, nothing can be said about the images either: they are treated as
    not yet unpacked.

    Returns:
        The archive; whether it has yet to be unpacked; the folder of the images, which is the one
        in the archive if there is an archive.
    """
    about = images.archive
    if about is None:
        return None, False, images.root
    key: Key = ("images", "archive")
    place: Key = (*key, "url")
    wrong = [
        Problem(place if isinstance(about.url, str) else (*place, index), message)
        for index, url in enumerate(urls_of(about))
        if (message := problem_of(url))
    ]
    if not isinstance(about.sha256, str | None) and len(about.sha256) != len(urls_of(about)):
        message = f"there are {len(about.sha256)} sums, and {len(urls_of(about))} addresses"
        wrong.append(Problem((*key, "sha256"), message))
    reading, fault = _reading(about)
    if fault is not None:
        wrong.append(Problem((*key, "labels"), fault))
    if wrong:
        problems += wrong
        return None, True, images.root
    root = Path(images.root)
    below = PurePosixPath(about.folder)
    if below.is_absolute() or ".." in below.parts:
        message = (
            f"{about.folder!r} is not a folder in the archive: write a relative path without .."
        )
        problems.append(Problem((*key, "folder"), message))
        return None, True, images.root
    sums = about.sha256
    lower = tuple(map(str.lower, sums)) if isinstance(sums, tuple) else sums and sums.lower()
    archive = Archive(about.url, lower, root, reading)
    folder = str(root / below)
    try:
        if archive.is_unpacked():
            if not is_folder(folder):
                found = ", ".join(folders_in(root)[:20]) or "none"
                message = f"no folder {about.folder!r} in the archive; folders there: {found}"
                problems.append(Problem((*key, "folder"), message))
                return archive, True, folder
            return archive, False, folder
    except (ArchiveError, OSError) as error:
        problems.append(Problem(("images", "root"), str(error)))
        return None, True, folder
    for file in filter(None, map(local_path, archive.urls)):
        message = f"no file {str(file)!r} (relative paths start at {Path.cwd()}){hint_at(file)}"
        try:
            if is_folder(file):
                files_in(file)
            elif not is_file(file):
                problems.append(Problem(place, message))
        except ArchiveError as error:
            problems.append(Problem(place, str(error)))
    return archive, True, folder


def _reading(about: ArchiveSettings) -> tuple[dict[str, Any], str | None]:
    """How the rows of a set are read, as far as the user says; and what is wrong with that.

    A label file is told from another of its name by its content.
    """
    columns = {role: name for role, name in as_dict(about.columns).items() if name is not None}
    reading: dict[str, Any] = {"columns": columns} if columns else {}
    if about.labels is None:
        return reading, None
    try:
        load_labels(about.labels)
    except LabelError as error:
        return reading, str(error)
    reading["labels"] = about.labels
    if about.labels not in IMAGENETS:
        reading["labels_sha256"] = sha256_of(Path(about.labels))
    return reading, None
