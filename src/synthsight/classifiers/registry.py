"""The classifier libraries. Imports neither them nor torch."""

from __future__ import annotations

from synthsight.classifiers.library import Library
from synthsight.doors import Registry

#: By the first part of a configuration's ``model``, ``timm`` in ``timm/resnet50.a1_in1k``.
LIBRARIES: Registry[Library] = Registry(
    "classifier library",
    {
        "timm": "synthsight.classifiers.timm:TIMM",
        "torchvision": "synthsight.classifiers.torchvision:TORCHVISION",
        "transformers": "synthsight.classifiers.transformers:TRANSFORMERS",
        "zeroshot": "synthsight.classifiers.zero_shot:ZERO_SHOT",
    },
)

#: Those whose models are repositories, of a hub or as local folders: what a model is stands in its
#: files, not in an installed package.
OF_REPOSITORIES = ("transformers", "zeroshot")

#: Those whose classes are texts that are put to the model, and so need not be its own.
OF_TEXTS = ("zeroshot",)


def library_modules(*models: str) -> list[str]:
    """The sorted modules of some models' libraries, for digests of code.

    Args:
        models: as a configuration has them, or names of libraries; unknown libraries are skipped.
    """
    names = {model.partition("/")[0] for model in models}
    return sorted(LIBRARIES.module(name) for name in names if name in LIBRARIES)
