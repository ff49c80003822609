"""What was run, described in words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from synthsight.images.roots import Roots


def describe_preprocessing(about: Mapping[str, Any]) -> str:
    """What is done to an image before a model sees it.

    Args:
        about: a dict from :meth:`synthsight.images.geometry.Geometry.as_dict`, with ``mean`` and
            ``std`` and, of a zero-shot classifier, under ``text`` what it is asked.
    """
    resize, crop = about["resize"], about["crop"]
    if isinstance(resize, int):
        steps = f"short side to {resize} pixels"
    else:
        steps = f"squashed to {resize[1]} x {resize[0]} pixels"
    steps += f" ({about['interpolation']}), "
    steps += "the whole image" if crop is None else f"the middle {crop[1]} x {crop[0]}"
    mean, std = (", ".join(f"{value:g}" for value in about[key]) for key in ("mean", "std"))
    steps += f"; mean {mean}, deviation {std}"
    if "text" in about:
        text = about["text"]
        templates = ", ".join(f"“{each}”" for each in text["templates"][:3])
        more = ", ..." if len(text["templates"]) > 3 else ""
        classes = f"the {text['classes']:,} classes of {PurePath(text['labels']).name}"
        if text.get("of_run"):
            classes = f"the run's {text['classes']:,} categories alone"
        steps += f". Zero-shot: asked for {classes}, {text['names']} names, as {templates}{more}"
    return steps


def without_nulls(value: Any) -> Any:
    """A configuration without keys whose value is None."""
    if isinstance(value, Mapping):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def addresses(roots: Roots, page: str | os.PathLike[str]) -> dict[str, Any]:
    """Where images lie, as a page links to them.

    Args:
        roots: the folders of the images.
        page: the page's file.

    Returns:
        ``root`` and ``elsewhere``, by generator: addresses without a slash at the end. A folder
        that was given relative to where the run was started is found from the page, so that both
        can be moved together; of any other the address is absolute.
    """

    def address(folder: Path) -> str:
        if folder.is_absolute():
            return folder.as_uri()
        return quote(Path(os.path.relpath(folder, Path(page).parent)).as_posix())

    return {
        "root": address(roots.root),
        "elsewhere": {name: address(folder) for name, folder in roots.elsewhere.items()},
    }
