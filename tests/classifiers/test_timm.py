"""Models of timm: no weight is left as it is drawn at random, and projections are no classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from synthsight.classifiers import timm as of_timm
from synthsight.classifiers.architectures import build, parse_encoder
from synthsight.classifiers.library import Architecture, ModelError, WeightsError
from synthsight.classifiers.resolve import resolve_encoder
from synthsight.classifiers.weights import fetch_weights
from tests.classifiers.test_encoders import request
from tests.support import save_random_weights

CLIP = "timm/vit_base_patch32_clip_224"


def fetch(folder: Path, checkpoint: Path | None, architecture: Architecture) -> dict[str, Any]:
    fetch_weights("m", architecture, checkpoint, folder / "m.safetensors", folder / "m.json")
    return load_file(folder / "m.safetensors")


def publish(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Any:
    """Have timm take a random network's weights for published ones; returns the network."""
    torch.manual_seed(0)
    model = timm.create_model(name, **more)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5)
    save_file(model.state_dict(), folder / "published.safetensors")
    create = timm.create_model
    overlay = {"file": str(folder / "published.safetensors"), "custom_load": False}

    def created(*given: Any, **arguments: Any) -> Any:
        said = {"pretrained_cfg_overlay": overlay} if arguments.get("pretrained") else {}
        return create(*given, **arguments, **said)

    monkeypatch.setattr(timm, "create_model", created)
    return model


@pytest.mark.parametrize("name", ["dla46_c", "vit_base_patch16_siglip_gap_224"])
def test_a_checkpoint_of_another_network_is_refused_where_timm_takes_what_fits(
    name: str, tmp_path: Path
) -> None:
    save_random_weights(tmp_path / "other.safetensors", "test_resnet", 0, 0)
    arguments = {} if name == "dla46_c" else {"depth": 1}
    architecture = Architecture("timm", name, arguments=arguments, num_classes=0)
    with pytest.raises(
        WeightsError,
        match=rf"other\.safetensors does not fit timm/{name}: it has no .* more\. They",
    ):
        fetch(tmp_path, tmp_path / "other.safetensors", architecture)


@pytest.mark.slow
def test_no_classes_are_left_out_but_nothing_that_features_depend_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = publish(tmp_path, "test_vit.r160_in1k", monkeypatch)
    without = {"num_classes": 0}
    kept = fetch(tmp_path, None, Architecture("timm", "test_vit.r160_in1k", arguments=without))
    own = model.state_dict()
    assert kept.keys() == own.keys() - {"head.weight", "head.bias"}
    assert all(torch.equal(kept[key], own[key]) for key in kept)
    for more in ({"global_pool": "avg", "class_token": True}, {"depth": 9}):
        architecture = Architecture("timm", "test_vit.r160_in1k", arguments={**without, **more})
        with pytest.raises(WeightsError, match=r"it has no .*random: leave out what changes the"):
            fetch(tmp_path, None, architecture)


@pytest.mark.slow
def test_a_norm_that_was_never_published_is_none(tmp_path: Path) -> None:
    """timm keeps one of ConvNeXts that were trained without classes, without scale or shift."""
    small = {"depths": (1, 1, 1, 1), "dims": (8, 8, 8, 8)}
    torch.manual_seed(0)
    model = timm.create_model("convnextv2_atto", num_classes=0, **small)
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("head.norm")}
    save_file(state, tmp_path / "own.safetensors")
    name = "convnextv2_atto.fcmae"
    kept = fetch(
        tmp_path,
        tmp_path / "own.safetensors",
        Architecture("timm", name, arguments=small, num_classes=0),
    )
    assert kept.keys() == model.state_dict().keys()
    assert kept["head.norm.weight"].unique().tolist() == [1]
    assert kept["head.norm.bias"].unique().tolist() == [0]


@pytest.mark.parametrize("argument", ["checkpoint_path", "pretrained", "pretrained_cfg_overlay"])
def test_arguments_name_no_other_weights(argument: str) -> None:
    architecture = Architecture("timm", "test_vit", arguments={argument: "x.pth"}, num_classes=5)
    with pytest.raises(ModelError, match=rf"no argument '{argument}' .* belong in `checkpoint`"):
        build(architecture, None)


@pytest.mark.parametrize(
    ("model", "outputs", "message"),
    [
        (f"{CLIP}.openai", 10, "has 512 outputs, and no weights for 10: leave `num_classes` out"),
        ("timm/test_resnet.r160_in1k", 10, "has 1000 outputs, and no weights for 10"),
        ("timm/vit_small_patch14_dinov2.lvd142m", 10, "has no outputs, and no weights for 10"),
        ("timm/test_resnet.r160_in1k", None, "cannot have None for `num_classes`: write a number"),
        ("timm/test_resnet.r160_in1k", -1, "cannot have -1 for `num_classes`: write a number"),
        ("timm/test_resnet.r160_in1k", True, "cannot have True for `num_classes`"),
    ],
)
def test_published_weights_have_their_outputs_or_none(
    model: str, outputs: Any, message: str
) -> None:
    """timm would leave another number random: of a CLIP, the embedding itself."""
    with pytest.raises(ModelError, match=message):
        resolve_encoder(request(model, None, arguments={"num_classes": outputs}), "model")


@pytest.mark.parametrize(
    ("model", "local", "outputs", "layers", "length"),
    [
        (f"{CLIP}.openai", None, 0, [], 768),
        (CLIP, "own.safetensors", 512, [], 512),
        (CLIP, "own.safetensors", 10, ["head"], 768),
        (f"{CLIP}.laion2b", "own.safetensors", 10, ["head"], 768),
    ],
)
def test_a_clip_s_projection_is_told_from_classes_that_it_was_trained_on(
    model: str, local: str | None, outputs: int, layers: list[str], length: int
) -> None:
    path = None if local is None else Path(local)
    resolved = resolve_encoder(request(model, path, arguments={"num_classes": outputs}), "model")
    assert (resolved["layers"], resolved["length"]) == (layers, length)


def test_a_name_without_a_tag_means_the_weights_that_timm_takes_for_it() -> None:
    """Where nothing but the tag says that they are of a CLIP."""
    found = timm.models.get_pretrained_cfg("fastvit_mci0")
    assert found is not None and found.tag == "apple_mclip"
    with_tag, without = (
        parse_encoder(f"timm/{name}", False, None, {})[1]
        for name in ("fastvit_mci0.apple_mclip", "fastvit_mci0")
    )
    assert with_tag is without is False
    assert of_timm.projects("fastvit_mci0", 512) and not of_timm.projects("fastvit_mci0", 10)
