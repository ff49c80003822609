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
from synthsight.classifiers.encoders import (
    Encoder,
    arguments_of,
    encoder_of,
    is_pooler,
    without_texts,
)
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


#: Arguments that are not the user's: what config.json says, what a zero-shot model is asked, and
#: what of an encoder is the embedding.
RESERVED = ("config", "text", "encoder")


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


def _encoder(
    name: str, local: bool, files: Files, arguments: Mapping[str, Any]
) -> tuple[Architecture, bool]:
    """A classifier, or an encoder whose embedding is known."""
    del arguments
    check_name("transformers/", name, local)
    config = network_of(files["config"])
    stated = config.get("architectures") or ()
    if any(name in _classes_of(str(config.get("model_type"))) for name in stated):
        return _parse(name, local, files), True
    if "model_type" not in config and "architecture" in config:
        _class_of(config)  # which says that it is timm's
    about = {"config": config, "encoder": encoder_of(config)}
    return Architecture("transformers", name, files["revision"], about), False


def _classes_of(kind: str) -> tuple[str, ...]:
    """The names of the classes that classify images, of a model_type."""
    found = MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES.get(kind)
    return (found,) if isinstance(found, str) else tuple(found or ())


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
    choices = _classes_of(str(kind))
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
    encoder = architecture.arguments.get("encoder")
    model = _model(architecture.arguments)
    if encoder is not None:
        model = without_texts(model)
    if state is not None:
        model.load_state_dict(state)
    return _Classifier(model) if encoder is None else Encoder(model, encoder["output"])


def _model(arguments: Mapping[str, Any]) -> nn.Module:
    """The model of an architecture's arguments, as transformers initialises it."""
    encoder = arguments.get("encoder")
    name = _class_of(arguments["config"]) if encoder is None else encoder["class"]
    more = {} if encoder is None else arguments_of(encoder)
    model: nn.Module = getattr(transformers, name)(config_of(arguments), **more)
    return model


def _published(architecture: Architecture, files: Files) -> Published:
    config = architecture.arguments["config"]
    side = config.get("image_size", (config.get("vision_config") or {}).get("image_size"))
    fixed = isinstance(side, int) and bool(files) and not _takes(architecture, 2 * side)
    encodes = "encoder" in architecture.arguments
    count = 0 if encodes else config_of(architecture.arguments).num_labels
    return described(architecture, files, count, side if fixed else None)


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


def _takes(architecture: Architecture, side: int) -> bool:
    """Whether a network takes square images of a size, tried without weights or memory."""
    with torch.inference_mode():
        with torch.device("meta"):
            model = _build(architecture, None).eval()
        try:
            model(torch.empty(1, 3, side, side, device="meta"))
        except (ValueError, RuntimeError):
            return False
    return True


def _fetch(wanted: Wanted) -> Fetched:
    """The weights under the names that their class uses today, in float32."""
    brought = bring(wanted)
    arguments = wanted.architecture.arguments
    config, encoder = config_of(arguments), arguments.get("encoder")
    if encoder is None:
        name, given, more = _class_of(arguments["config"]), brought.state, {}
    else:
        name, more = encoder["class"], arguments_of(encoder)
        given = {
            key: value
            for key, value in brought.state.items()
            if "add_pooling_layer" not in more or not is_pooler(key)
        }
    model = fit(name, brought.folder, given, torch.float32, config, more)
    if encoder is not None:
        model = without_texts(model)
    return Fetched(
        dict(model.state_dict()),
        *(brought.source, brought.sha256, brought.checksum, brought.reference, brought.license),
    )


#: For ``transformers/OWNER/NAME``, perhaps with ``@REVISION``; or any name, and in ``checkpoint`` a
#: folder as such repositories are.
TRANSFORMERS = Library(_parse, _published, _build, _fetch, ("transformers",), _encoder)
