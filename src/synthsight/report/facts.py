"""What was run, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe_preprocessing(about: Mapping[str, Any]) -> str:
    """What is done to an image before a model sees it.

    Args:
        about: of :meth:`synthsight.images.geometry.Geometry.as_dict`, with ``mean`` and ``std``.
    """
    resize, crop = about["resize"], about["crop"]
    if isinstance(resize, int):
        said = f"short side to {resize} pixels"
    else:
        said = f"squashed to {resize[1]} x {resize[0]} pixels"
    said += f" ({about['interpolation']}), "
    said += "the whole image" if crop is None else f"the middle {crop[1]} x {crop[0]}"
    mean, std = (", ".join(f"{value:g}" for value in about[key]) for key in ("mean", "std"))
    return f"{said}; mean {mean}, deviation {std}"


def without_nulls(value: Any) -> Any:
    """A configuration without the keys that say nothing."""
    if isinstance(value, Mapping):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value
