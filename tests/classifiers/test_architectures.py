"""Models are built as the libraries' own builders build them."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
import torchvision
import yaml
from safetensors.torch import load_file, save_file
from torchvision.models import googlenet, inception_v3

from synthsight.classifiers.architectures import build, parse_model, probe, published
from synthsight.classifiers.library import Architecture, ModelError
from synthsight.errors import SynthsightError
from tests.support import REPOSITORY, settle


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "official"), [("googlenet", googlenet), ("inception_v3", inception_v3)]
)
def test_a_local_checkpoint_of_these_two_has_its_input_transformed(name, official) -> None:
    """A plain ``weights=None`` with ``load_state_dict`` would classify wrongly, in silence."""
    torch.manual_seed(0)
    images = torch.rand(2, 3, 299, 299)
    model = official(transform_input=True, aux_logits=False, init_weights=False, num_classes=7)
    settle(model, images)
    built = build(Architecture("torchvision", name, num_classes=7), model.state_dict())
    with torch.inference_mode():
        assert torch.equal(built(images), model(images))
        plain = official(aux_logits=False, init_weights=False, num_classes=7).eval()
        plain.load_state_dict(model.state_dict())
        assert not torch.allclose(plain(images), model(images))


def paper_models() -> list[str]:
    config = yaml.safe_load((REPOSITORY / "config" / "paper.yaml").read_text(encoding="utf-8"))
    return [model["model"] for model in config["models"]]


@pytest.mark.long
@pytest.mark.parametrize("model", paper_models())
def test_nothing_of_a_network_is_left_as_it_was_allocated(model: str) -> None:
    """Initial values are left out, so all must come from the weights or the constructor."""
    architecture = parse_model(model, local=False)
    if architecture.name in ("googlenet", "inception_v3"):  # published with auxiliary heads
        plain = torchvision.models.get_model(architecture.name, init_weights=False)
        state = plain.state_dict()
    else:
        plain = build(architecture, None)
        state = plain.state_dict()
    given = {key: tensor.data_ptr() for key, tensor in state.items()}
    built = build(architecture, dict(state))
    buffers = dict(plain.named_buffers())
    for name, tensor in [*built.named_parameters(), *built.named_buffers()]:
        assert not tensor.is_meta
        wanted = state[name] if name in state else buffers[name]
        assert torch.equal(tensor, wanted), name
        assert name not in state or tensor.data_ptr() in given.values(), "no copy is made"
    assert not any(module.training for module in built.modules())


@pytest.mark.parametrize("name", sorted(timm.list_models("test_*")))
def test_a_network_is_the_same_as_one_that_was_initialised_first(name: str) -> None:
    torch.manual_seed(0)
    plain = timm.create_model(name).eval()
    size = plain.pretrained_cfg["input_size"]
    images = torch.rand(2, *size)
    built = build(Architecture("timm", name), plain.state_dict())
    with torch.inference_mode():
        assert torch.equal(built(images), plain(images))


def test_weights_are_mapped_and_not_copied(tmp_path: Path) -> None:
    plain = torchvision.models.squeezenet1_1()
    path = tmp_path / "weights.safetensors"
    save_file(plain.state_dict(), path)
    built = build(Architecture("torchvision", "squeezenet1_1"), load_file(path))
    mapped = [
        range(*(int(bound, 16) for bound in line.split()[0].split("-")))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(path.name)
    ]
    assert all(any(p.data_ptr() in part for part in mapped) for p in built.parameters())


def test_a_state_dict_of_another_architecture_is_refused_with_its_first_keys() -> None:
    state = torchvision.models.alexnet().state_dict()
    with pytest.raises(ModelError, match=r"resnet18.*Missing key.*conv1.weight"):
        build(Architecture("torchvision", "resnet18"), state)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("resnet50", "names no library: write LIBRARY/NAME"),
        ("hub/resnet50", "unknown classifier library 'hub'; known: timm, timm_hub, torchvision"),
        ("torchvison/resnet50", "'torchvison'; did you mean 'torchvision'"),
        ("timm/resnet5o", "timm has no model 'resnet5o'; did you mean 'resnet50"),
        ("timm/resnet50.nowhere", "timm has no weights 'resnet50.nowhere'"),
        ("torchvision/resnet5o", "torchvision has no classifier 'resnet5o'; did you mean"),
        ("torchvision/resnet50.V3", "torchvision has no weights 'V3' for resnet50; it has"),
        ("torchvision/fcn_resnet50", "torchvision has no classifier 'fcn_resnet50'"),
        ("https://huggingface.co/timm/resnet50.a1_in1k", "is an address: write LIBRARY/NAME"),
        ("hf-hub:resnet50.a1_in1k", "names no library: write LIBRARY/NAME"),
        ("timm/vit_base_patch16_clip_224.openai", "write zeroshot/openai/clip-vit-base-patch16"),
        ("timm/vit_so400m_patch14_siglip_378.v2_webli", "google/siglip2-so400m-patch14-384"),
        ("timm/vitamin_base_224.datacomp1b_clip", "write zeroshot/OWNER/NAME with the repository"),
        ("~/weights/resnet50", "is a path: write the architecture as LIBRARY/NAME"),
        ("weights/resnet50.pth", "is a path: write the architecture as LIBRARY/NAME"),
        ("./resnet50", "is a path: write the architecture as LIBRARY/NAME"),
    ],
)
def test_a_model_that_does_not_exist_is_refused(model: str, message: str) -> None:
    with pytest.raises(SynthsightError, match=message.replace("[", r"\[")):
        parse_model(model, local=False)


def test_torchvision_without_a_name_of_weights_means_its_default() -> None:
    assert parse_model("torchvision/resnet50", local=False).weights == "IMAGENET1K_V2"
    assert parse_model("torchvision/resnet50", local=True).weights is None


def test_builder_arguments_are_tried_without_memory_or_weights() -> None:
    assert probe(Architecture("timm", "mobilenetv2_100", arguments={"pad_type": "same"}), None)
    with pytest.raises(ModelError, match="pad_typ"):
        probe(Architecture("timm", "mobilenetv2_100", arguments={"pad_typ": "same"}), None)


def test_a_size_that_the_network_does_not_take_is_refused() -> None:
    deit = Architecture("timm", "deit_tiny_patch16_224.fb_in1k")
    assert probe(deit, (224, 224)) == 1000
    with pytest.raises(ModelError, match="does not accept images of 256 x 256"):
        probe(deit, (256, 256))


def test_every_published_torchvision_classifier_is_understood() -> None:
    for name in torchvision.models.list_models(module=torchvision.models):
        for weights in torchvision.models.get_model_weights(name):
            about = published(Architecture("torchvision", name, weights.name))
            if weights.meta["categories"] is None:  # VGG16's features without a classifier
                assert about.num_classes == 0
                continue
            preset = weights.transforms()
            assert about.geometry is not None
            assert [about.geometry.resize] == preset.resize_size
            assert about.geometry.crop == (*preset.crop_size, *preset.crop_size)
            assert about.reference is not None
            assert 0.5 < about.reference["top1"] < about.reference["top5"] < 1


@pytest.mark.long
def test_sizes_that_come_with_the_weights_come_without_them_too() -> None:
    """vit_h_14's builder takes the image size from the weights' metadata."""
    architecture = Architecture("torchvision", "vit_h_14", "IMAGENET1K_SWAG_E2E_V1")
    assert probe(architecture, (518, 518)) == 1000
