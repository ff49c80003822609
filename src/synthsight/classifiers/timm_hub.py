"""Models of timm in any repository of the hub, or in a local folder like one: ``hf-hub:`` names.

What a model is stands in config.json, as timm writes it: the architecture, the arguments that it is
built with, and the preprocessing. It is one of the architecture's arguments, so that compute nodes
need nothing but the weights.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import timm
import timm.models
from torch import nn

from synthsight.classifiers.bringing import bring, check_name
from synthsight.classifiers.image_sides import (
    FEATURES_ALONE,
    REPOSITORY_OF_BOTH,
    WITHOUT_TEXTS,
    is_image_side,
    with_text_side,
)
from synthsight.classifiers.library import Architecture, Fetched, Files, Library, ModelError
from synthsight.classifiers.timm import check_arguments, described, loaded, projects
from synthsight.wording import did_you_mean, one_line

if TYPE_CHECKING:
    from synthsight.classifiers.library import Published, StateDict, Wanted

#: What config.json says that no network depends on. Names of classes may be thousands.
_NOT_OF_THE_NETWORK = ("label_names", "label_descriptions", "labels", "license", "description")

#: Where else weights might be: timm would look there first. They come from the repository.
_ELSEWHERE = ("source", "file", "url", "hf_hub_id", "hf_hub_filename", "state_dict", "custom_load")


def _parse(name: str, local: bool, files: Files) -> Architecture:
    architecture, is_side = _named(name, local, files)
    if is_side:
        config = architecture.arguments["config"]
        tag = config["pretrained_cfg"].get("tag")
        whole = with_text_side(f"{config['architecture']}.{tag}") or REPOSITORY_OF_BOTH
        raise ModelError(f"{WITHOUT_TEXTS}{whole}{FEATURES_ALONE}")
    return architecture


def _encoder(
    name: str, local: bool, files: Files, arguments: Mapping[str, Any]
) -> tuple[Architecture, bool]:
    """A model as its config.json describes it; ``num_classes`` is not the user's to set."""
    del arguments
    architecture, is_side = _named(name, local, files)
    return architecture, bool(architecture.arguments["num_classes"]) and not is_side


def _named(name: str, local: bool, files: Files) -> tuple[Architecture, bool]:
    """The architecture of a repository, and whether it is the half of a model that sees images."""
    check_name("timm/hf-hub:", name, local)
    config = files["config"]
    if "architecture" not in config:
        kind = config.get("model_type")
        other = f": it is a model of transformers ({kind}), write transformers/{name}"
        raise ModelError(
            f"has no `architecture` in its config.json, as models of timm do{other if kind else ''}"
        )
    base = str(config["architecture"])
    if not timm.is_model(base):
        close = did_you_mean(base, timm.list_models(), most=3, cutoff=0.5)
        raise ModelError(f"has the architecture {base!r}, which timm does not know{close}")
    read = _read(config)
    count = read["pretrained_cfg"].get("num_classes")
    tag = read["pretrained_cfg"].get("tag")
    is_side = is_image_side(base, str(tag or ""), count) and (not count or projects(base, count))
    # Stated here, so that nobody asks for another number: timm would leave the classifier random.
    arguments = {"config": read, "num_classes": 1000 if count is None else count}
    return Architecture("timm_hub", name, files["revision"], arguments), is_side


def _read(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the network depends on, in timm's newer form of a config.json.

    Raises:
        ModelError: timm cannot read it.
    """
    try:
        cfg, base, arguments = timm.models._hub._parse_model_cfg(copy.deepcopy(dict(config)), {})
        left_out = {*_NOT_OF_THE_NETWORK, *_ELSEWHERE}
        kept = {key: value for key, value in cfg.items() if key not in left_out}
        return {"architecture": base, "pretrained_cfg": kept, "model_args": dict(arguments or {})}
    except Exception as error:  # by what is in the file, of nearly any type
        raise ModelError(
            f"has a config.json that cannot be used: {one_line(error, 300)}"
        ) from error


def _published(architecture: Architecture, files: Files) -> Published:
    del files  # all that matters of them is in the architecture
    repository = architecture.name.partition("@")[0]
    cfg = architecture.arguments["config"]["pretrained_cfg"]
    classes = architecture.arguments["num_classes"]
    return described({**cfg, "hf_hub_id": repository, "num_classes": classes})


def _build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    arguments = _arguments(architecture)
    model: nn.Module = timm.create_model(
        architecture.arguments["config"]["architecture"], pretrained=False, **arguments
    )
    if state is not None:
        model.load_state_dict(state)
    return model


def _arguments(architecture: Architecture) -> dict[str, Any]:
    """What timm's builder is called with."""
    config = architecture.arguments["config"]
    own = {key: value for key, value in architecture.arguments.items() if key != "config"}
    stated = {**config["model_args"], **own}
    check_arguments(stated)
    return {"pretrained_cfg": dict(config["pretrained_cfg"]), **stated}


def _fetch(wanted: Wanted) -> Fetched:
    """The weights under the names that the network uses today, in float32."""
    brought = bring(wanted)
    # timm's own loading, with its conversions of foreign formats.
    overlay = {"state_dict": brought.state, "custom_load": False}
    name = wanted.architecture.arguments["config"]["architecture"]
    arguments = _arguments(wanted.architecture)
    model = loaded(name, brought.source, pretrained_cfg_overlay=overlay, **arguments)
    return Fetched(
        dict(model.state_dict()),
        *(brought.source, brought.sha256, brought.checksum, brought.reference, brought.license),
    )


#: For ``timm/hf-hub:OWNER/NAME``, perhaps with ``@REVISION``; or any name, and in ``checkpoint`` a
#: folder as such repositories are.
TIMM_HUB = Library(_parse, _published, _build, _fetch, ("timm",), _encoder)
