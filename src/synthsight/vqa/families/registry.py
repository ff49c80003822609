"""The VQA families by name, and which of them a checkpoint is of. Can be imported without torch.

One more family is a file beside this one with a subclass of
:class:`synthsight.vqa.families.base.VqaModel`, and a line in :data:`FAMILIES`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthsight.doors import Registry
from synthsight.errors import SynthsightError
from synthsight.files import is_file, is_folder
from synthsight.wording import did_you_mean

if TYPE_CHECKING:
    from synthsight.vqa.families.base import VqaModel

#: The families, each under the ``model_type`` that its models have in their config.json.
FAMILIES: Registry[type[VqaModel[Any, Any, Any]]] = Registry(
    "VQA family",
    {
        "ofa": "synthsight.vqa.families.ofa:Ofa",
        "vilt": "synthsight.vqa.families.vilt:Vilt",
        "blip": "synthsight.vqa.families.blip:Blip",
    },
)

#: The family of checkpoints that are one file, without a config.json: fairseq's.
_OF_SINGLE_FILES = "ofa"


class FamilyError(SynthsightError):
    """A checkpoint that is of no family; the message says where it is and what it is."""


def family_of(checkpoint: str | Path) -> str:
    """The family of a checkpoint, as far as a glance tells: no weight is read.

    Args:
        checkpoint: a folder with a config.json, or a single file.

    Raises:
        FamilyError: there is no such file or folder, config.json is missing or cannot be read, or
            its ``model_type`` is no family.
    """
    path = Path(checkpoint)
    if is_file(path):
        return _OF_SINGLE_FILES
    if not is_folder(path):
        raise FamilyError(
            f"no file or folder {str(checkpoint)!r} (relative paths start at {Path.cwd()})"
        )
    config = path / "config.json"
    try:
        found = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except OSError:
        raise FamilyError(
            f"no config.json in {checkpoint}: it must say what the model is"
        ) from None
    except (ValueError, AttributeError, RecursionError):
        raise FamilyError(f"{config} is no JSON mapping") from None
    if not isinstance(found, str) or found not in FAMILIES:
        raise FamilyError(
            f"{config} has the model_type {found!r}; supported: {', '.join(FAMILIES)}"
            f"{did_you_mean(str(found), FAMILIES)}"
        )
    return found


def doors_of(checkpoint: str | None) -> tuple[str, ...]:
    """The modules of the families that a model may be of, for digests of code.

    Of a local checkpoint that is one. A hub's model (None) is of a family that is known only after
    it has been fetched, and what decides a rerun must be the same before and after, so it may be of
    any.

    Raises:
        FamilyError: see :func:`family_of`.
    """
    families = list(FAMILIES) if checkpoint is None else [family_of(checkpoint)]
    return tuple(FAMILIES.module(family) for family in families)
