"""The image classifiers of transformers: whatever ``AutoModelForImageClassification`` builds.

What a model is stands in the files of its repository, of the hub or a local folder. The part of
config.json that the network depends on is one of the architecture's arguments, so that compute
nodes need nothing but the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import transformers
from torch import Tensor, nn
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES,
    MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES,
)

from synthsight.classifiers.bringing import bring, check_name
from synthsight.classifiers.library import (
    Architecture,
    Fetched,
    Files,
    Library,
    ModelError,
    Published,
    Wanted,
)
from synthsight.classifiers.preprocessors import UnknownPreprocessingError, understand
from synthsight.inference.pretrained import fit
from synthsight.wording import did_you_mean, one_line

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict

#: What config.json says that no network depends on. Names of classes may be thousands.
_NOT_OF_THE_NETWORK = (
    *("id2label", "label2id", "_name_or_path", "transformers_version"),
    *("torch_dtype", "dtype"),
)


#: Arguments that are not the user's: what config.json says, and what a zero-shot model is asked.
RESERVED = ("config", "text")


class _Classifier(nn.Module):
    """A model of transformers as a function from images to logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(pixel_values=images).logits
        return logits


def _parse(name: str, local: bool, files: Files) -> Architecture:
    check_name("transformers/", name, local)
    config = network_of(files["config"])
    _class_of(config)
    return Architecture("transformers", name, files["revision"], {"config": config})


def network_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config.json that the network depends on, with its number of classes."""
    kept = {key: value for key, value in config.items() if key not in _NOT_OF_THE_NETWORK}
    named = config.get("id2label")
    if isinstance(named, Mapping) and named:
        kept["num_labels"] = len(named)
    return kept


def _class_of(config: Mapping[str, Any]) -> str:
    """The name of the class that a configuration is for.

    Raises:
        ModelError: transformers has none that classifies images.
    """
    kind = config.get("model_type")
    stated = [name for name in config.get("architectures") or () if isinstance(name, str)]
    if kind is None and "architecture" in config:  # timm's own form
        raise ModelError(
            "is a model of timm: write timm/hf-hub:OWNER/NAME, or timm/NAME if it is one of timm's "
            "own"
        )
    choices = MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES.get(str(kind))
    choices = (choices,) if isinstance(choices, str) else tuple(choices or ())
    if kind == "timm_wrapper" or not choices:
        both = kind in MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES
        hint = "" if both else did_you_mean(str(kind), MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES)
        raise ModelError(f"has the model_type {kind!r}, which classifies no images{hint}")
    fitting = [name for name in stated if name in choices]
    if stated and not fitting:
        raise ModelError(
            f"holds a {', '.join(stated)}, which has no classifier (that would be "
            f"{' or '.join(choices)}): choose a model that was trained to classify"
        )
    return fitting[0] if fitting else choices[0]


def config_of(arguments: Mapping[str, Any]) -> Any:
    """The configuration, as transformers has it, with what the user overrides.

    Raises:
        ModelError: it is damaged, or something is overridden that there is not.
    """
    written = dict(arguments["config"])
    count = written.pop("num_labels", None)
    try:
        config = transformers.AutoConfig.for_model(**written)
        if count is not None:
            config.num_labels = count
    except Exception as error:  # by what is in the file, of nearly any type
        raise ModelError(
            f"has a config.json that cannot be used: {one_line(error, 300)}"
        ) from error
    own = {key: value for key, value in arguments.items() if key not in RESERVED}
    for key, value in own.items():
        known = [name for name in config.to_dict() if not name.startswith("_")]
        if key not in known:
            raise ModelError(
                f"has no argument {key!r} in its config.json{did_you_mean(key, known)}"
            )
        setattr(config, key, value)
    return config


def _build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    name = _class_of(architecture.arguments["config"])
    model: nn.Module = getattr(transformers, name)(config_of(architecture.arguments))
    if state is not None:
        model.load_state_dict(state)
    return _Classifier(model)


def _published(architecture: Architecture, files: Files) -> Published:
    config = architecture.arguments["config"]
    side = config.get("image_size")
    fixed = isinstance(side, int) and bool(files) and not _takes(architecture.arguments, 2 * side)
    return described(
        architecture, files, config_of(architecture.arguments).num_labels, side if fixed else None
    )


def described(
    architecture: Architecture, files: Files, classes: int, fixed: int | None
) -> Published:
    """What a repository publishes: preprocessing, as far as it can be followed, and a source.

    Args:
        architecture: the model.
        files: what its repository says; if empty, no preprocessing is known.
        classes: number of outputs.
        fixed: the side of the square images that it takes, if it takes no others.
    """
    config = architecture.arguments["config"]
    geometry = mean = std = why = None
    preprocessor = files.get("preprocessor")
    if files and preprocessor is None:
        why = "it has no preprocessor_config.json"
    elif preprocessor is not None:
        try:
            found = understand(preprocessor, str(config.get("model_type")))
            geometry, mean, std = found.geometry, found.mean, found.std
        except UnknownPreprocessingError as error:
            why = str(error)
    repository = architecture.name.partition("@")[0]
    return Published(
        geometry=geometry,
        mean=mean,
        std=std,
        fixed_size=None if fixed is None else (fixed, fixed),
        num_classes=classes,
        reference=None,
        license=None,  # a repository's README states it, and is read with the weights
        source=f"hf-hub:{repository}",
        why=why,
    )


def _takes(arguments: Mapping[str, Any], side: int) -> bool:
    """Whether a network takes square images of a size, tried without weights or memory."""
    kind = getattr(transformers, _class_of(arguments["config"]))
    with torch.inference_mode():
        with torch.device("meta"):
            model = kind(config_of(arguments)).eval()
        try:
            model(pixel_values=torch.empty(1, 3, side, side, device="meta"))
        except (ValueError, RuntimeError):
            return False
    return True


def _fetch(wanted: Wanted) -> Fetched:
    """The weights under the names that their class uses today, in float32."""
    brought = bring(wanted)
    arguments = wanted.architecture.arguments
    name, config = _class_of(arguments["config"]), config_of(arguments)
    model = fit(name, brought.folder, brought.state, torch.float32, config)
    return Fetched(
        dict(model.state_dict()),
        *(brought.source, brought.sha256, brought.checksum, brought.reference, brought.license),
    )


#: For ``transformers/OWNER/NAME``, perhaps with ``@REVISION``; or any name, and in ``checkpoint`` a
#: folder as such repositories are.
TRANSFORMERS = Library(_parse, _published, _build, _fetch, ("transformers",))
