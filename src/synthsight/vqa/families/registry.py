"""The VQA families by name, and how to find a checkpoint's. Can be imported without torch.

To add a family, add a file to this package with a subclass of
:class:`synthsight.vqa.families.base.VqaModel`, and a line to :data:`FAMILIES`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthsight.contents import another_kind
from synthsight.doors import Registry
from synthsight.errors import SynthsightError
from synthsight.files import hint_at, is_file, is_folder
from synthsight.wording import did_you_mean

if TYPE_CHECKING:
    from synthsight.vqa.families.base import VqaModel

#: The families, by the ``model_type`` in their models' config.json.
FAMILIES: Registry[type[VqaModel[Any, Any, Any]]] = Registry(
    "VQA family",
    {
        "ofa": "synthsight.vqa.families.ofa:Ofa",
        "vilt": "synthsight.vqa.families.vilt:Vilt",
        "blip": "synthsight.vqa.families.blip:Blip",
    },
)

#: The family of single-file checkpoints without a config.json: fairseq's.
_OF_SINGLE_FILES = "ofa"


class FamilyError(SynthsightError):
    """A checkpoint of no known family; the message says where it is and what it is."""


def family_of(checkpoint: str | Path) -> str:
    """The family of a checkpoint, found without reading any weights.

    Args:
        checkpoint: a folder with a config.json, or a single file.

    Raises:
        FamilyError: there is no such file or folder, config.json is missing or cannot be read, or
            its ``model_type`` is not a known family.
    """
    path = Path(checkpoint)
    if is_file(path):
        return _OF_SINGLE_FILES
    if not is_folder(path):
        raise FamilyError(
            f"no file or folder {str(checkpoint)!r} (relative paths start at {Path.cwd()})"
            f"{hint_at(checkpoint)}"
        )
    config = path / "config.json"
    try:
        found = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except OSError:
        raise FamilyError(
            f"no config.json in {checkpoint}: it must say what the model is"
        ) from None
    except (ValueError, AttributeError, RecursionError):
        kind = another_kind(config, "json", "text")
        what = f": it is {kind}" if kind else ""
        raise FamilyError(
            f"{config} is not a JSON mapping{what}; put the published one there"
        ) from None
    if not isinstance(found, str) or found not in FAMILIES:
        raise FamilyError(
            f"{config} has the model_type {found!r}; supported: {', '.join(FAMILIES)}"
            f"{did_you_mean(str(found), FAMILIES)}"
        )
    return found


def doors_of(checkpoint: str | None) -> tuple[str, ...]:
    """The modules of the families that a model may belong to, for code digests.

    For a local checkpoint, that is one. The family of a hub model (None) is known only once it has
    been fetched; since what decides a rerun must be the same before and after, all are returned.

    Raises:
        FamilyError: see :func:`family_of`.
    """
    families = list(FAMILIES) if checkpoint is None else [family_of(checkpoint)]
    return tuple(FAMILIES.module(family) for family in families)
