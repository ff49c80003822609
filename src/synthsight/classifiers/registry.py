"""The classifier libraries. Imports neither them nor torch."""

from __future__ import annotations

import re

from synthsight.classifiers.library import Library
from synthsight.doors import Registry

#: By what :func:`library_of` makes of a configuration's ``model``: ``timm`` for
#: ``timm/resnet50.a1_in1k``.
LIBRARIES: Registry[Library] = Registry(
    "classifier library",
    {
        "timm": "synthsight.classifiers.timm:TIMM",
        "timm_hub": "synthsight.classifiers.timm_hub:TIMM_HUB",
        "torchvision": "synthsight.classifiers.torchvision:TORCHVISION",
        "transformers": "synthsight.classifiers.transformers:TRANSFORMERS",
        "zeroshot": "synthsight.classifiers.zero_shot:ZERO_SHOT",
    },
)

#: Those whose models are repositories, of a hub or as local folders: what a model is stands in its
#: files, not in an installed package.
OF_REPOSITORIES = ("timm_hub", "transformers", "zeroshot")

#: Those whose classes are texts that are put to the model, and so need not be its own.
OF_TEXTS = ("zeroshot",)

#: What timm calls a model of any repository of the hub, with its library before it or without.
_TIMM_HUB = re.compile(r"(?:timm/)?hf[-_]hub:(.+)")


def library_of(model: str) -> tuple[str, str]:
    """The library that a configuration's ``model`` names, known or not, and the model's name in it.

    Of ``timm/hf-hub:OWNER/NAME``, with the slash of a repository, this is ``timm_hub``.
    """
    if hub := _TIMM_HUB.fullmatch(model):
        return "timm_hub", hub[1]
    library, _, name = model.partition("/")
    return library, name


def library_modules(*models: str) -> list[str]:
    """The sorted modules of some models' libraries, for digests of code.

    Args:
        models: as a configuration has them, or names of libraries; unknown libraries are skipped.
    """
    names = {library_of(model)[0] for model in models}
    return sorted(LIBRARIES.module(name) for name in names if name in LIBRARIES)
