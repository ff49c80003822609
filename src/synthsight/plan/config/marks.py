"""The files of marks that readers of the report gave images: whether they can be read."""

from __future__ import annotations

from pathlib import Path

from synthsight.files import Digests, hint_at, is_file
from synthsight.people.marks import read_marks
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path, named_files
from synthsight.plan.settings import ImageSettings
from synthsight.tabular import TableError


def load_marks(
    images: ImageSettings, cache: Path, problems: list[Problem], warnings: list[str]
) -> dict[str, str]:
    """The sha256 of each file of ``images.marks``, by its path, sorted.

    Each is read to its end, so that what is wrong is said before any job runs. Which images are
    meant is found out when these are known (:func:`synthsight.people.marks.marked`).

    Args:
        images: the settings.
        cache: folder that caches digests of files.
        problems: to which everything wrong is added.
        warnings: to which everything else that the user should know is added.
    """
    digests = Digests(cache / "sha256_marks.json")
    found: dict[str, str] = {}
    for key, path in named_files(("images", "marks"), images.marks):
        reason = bad_path(path)
        if reason is None:
            try:
                read_marks(Path(path), warnings)
            except TableError as error:
                reason = f"{error}{'' if is_file(path) else hint_at(path)}"
        if reason is None:
            digest = digests.of(path)
            same = next((name for name, other in found.items() if other == digest), None)
            if same is not None:
                reason = f"{path!r} is the same file as {same!r}: list it once"
            found[path] = digest
        if reason is not None:
            problems.append(Problem(key, reason))
    if found:
        digests.save()
    return dict(sorted(found.items()))
