"""Models are built as the libraries' own builders build them."""

from __future__ import annotations

import pytest
import torch
import torchvision
from conftest import settle
from torchvision.models import googlenet, inception_v3

from synthsight.models import Architecture, ModelError, build, parse_model, probe, published


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


def test_a_state_dict_of_another_architecture_is_refused_with_its_first_keys() -> None:
    state = torchvision.models.alexnet().state_dict()
    with pytest.raises(ModelError, match=r"resnet18.*Missing key.*conv1.weight"):
        build(Architecture("torchvision", "resnet18"), state)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("resnet50", "unknown model source 'resnet50'"),
        ("hub/resnet50", "unknown model source 'hub'"),
        ("timm/resnet5o", "timm has no model 'resnet5o'; did you mean resnet50"),
        ("timm/resnet50.nowhere", "timm has no weights 'resnet50.nowhere'"),
        ("torchvision/resnet5o", "torchvision has no classifier 'resnet5o'; did you mean"),
        ("torchvision/resnet50.V3", "torchvision has no weights 'V3' for resnet50; it has"),
        ("torchvision/fcn_resnet50", "torchvision has no classifier 'fcn_resnet50'"),
    ],
)
def test_a_model_that_does_not_exist_is_refused(model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message.replace("[", r"\[")):
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
    with pytest.raises(ModelError, match="takes no images of 256 x 256"):
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


def test_sizes_that_come_with_the_weights_come_without_them_too() -> None:
    """vit_h_14's builder takes the image size from the weights' metadata."""
    architecture = Architecture("torchvision", "vit_h_14", "IMAGENET1K_SWAG_E2E_V1")
    assert probe(architecture, (518, 518)) == 1000
