"""Fine-tuning: it learns, is the same each time, goes on where it stopped, and leaves nothing."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import nn

from synthsight.classifiers import finetune as module
from synthsight.classifiers.finetune import (
    FinetuneError,
    Memory,
    Recipe,
    finetune,
    load_to_train,
    predict,
    state_of,
)
from synthsight.classifiers.heads import Source, find_source
from synthsight.classifiers.relayer import plain, relayer, settle
from synthsight.classifiers.resuming import Progress
from synthsight.classifiers.views import draw_view, size_of, views_of
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.images.stored import StoredPixels, StoredPixelsError
from tests.support import assert_close, save_random_weights

SIDE = 32
CPU = torch.device("cpu")
ARCHITECTURE = {
    **{"library": "timm", "name": "test_resnet", "weights": None, "arguments": {}},
    "num_classes": 5,
}
SOURCE = Source(("fc",), 96)

Toy = tuple[StoredPixels, list[str], npt.NDArray[np.int64]]


@pytest.fixture(scope="module", name="toy")
def toy_(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Images of two categories: dark ones of soft colours, and bright ones."""
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(0)
    names, labels = [], []
    for number in range(24):
        label = number % 2
        values = rng.integers(0, 110, (4, 4, 3)) + 110 * label
        names.append(f"{number:02d}.png")
        labels.append(label)
        picture = Image.fromarray(values.astype(np.uint8)).resize((SIDE, SIDE))
        picture.save(folder / names[-1])
    geometry = Geometry((SIDE, SIDE), (SIDE, SIDE), "bilinear")
    prepare_pixels([(n, SIDE, SIDE) for n in names], folder, geometry, folder / "toy.arrow")
    return StoredPixels([folder / "toy.arrow"]), names, np.array(labels)


@pytest.fixture(scope="module", name="weights")
def weights_(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "net.safetensors"
    save_random_weights(path, "test_resnet", 5, 0)
    return str(path)


def recipe(**more: Any) -> Recipe:
    told = {"fold": 0, "seed": 0, "epochs": 3, "learning_rate": 1e-3, "batch_size": 8}
    return Recipe(**{**told, "size": (SIDE, SIDE), "mean": [0.5] * 3, "std": [0.5] * 3, **more})


def trained(
    toy: Toy, weights: str, how: Recipe, memory: int = 64, progress: Progress | None = None
) -> nn.Module:
    torch.set_num_threads(1)
    network = load_to_train(ARCHITECTURE, weights, SOURCE, 2, how, CPU)
    finetune(network, toy[1], toy[2], toy[0], how, Memory(memory), progress)
    return network


def alike(one: nn.Module, other: nn.Module) -> bool:
    a, b = state_of(one), state_of(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.long
@pytest.mark.parametrize("exchanged", [False, True])
def test_a_network_learns_what_it_is_told_and_knows_it_of_others(
    toy: Toy, weights: str, exchanged: bool
) -> None:
    """Also with the categories exchanged: it is not right by what it was before."""
    labels = 1 - toy[2] if exchanged else toy[2]
    how = recipe(epochs=6, learning_rate=3e-4)
    network = load_to_train(ARCHITECTURE, weights, SOURCE, 2, how, CPU)
    train = slice(8, 24)
    losses = finetune(network, toy[1][train], labels[train], toy[0], how, Memory(64))
    found = predict(network, toy[1][:8], toy[0], how, Memory(64)).argmax(axis=1)
    assert (found == labels[:8]).mean() >= 7 / 8 and losses[-1] < losses[0]


@pytest.mark.long
def test_the_same_seed_gives_the_same_bits_and_another_does_not(toy: Toy, weights: str) -> None:
    one, again, other = (trained(toy, weights, recipe(seed=seed, epochs=1)) for seed in (0, 0, 1))
    assert alike(one, again) and not alike(one, other)
    assert not alike(one, trained(toy, weights, recipe(fold=1, epochs=1)))


@pytest.mark.long
def test_a_training_that_is_stopped_goes_on_and_gives_the_same_bits(
    toy: Toy, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained(toy, weights, recipe())
    progress = Progress(tmp_path / "0.parquet", "digest")
    rates: list[int] = []

    def stop(self: Progress, *given: Any) -> None:
        save(self, *given)
        if given[2] == 2:
            raise KeyboardInterrupt

    save = Progress.save
    monkeypatch.setattr(Progress, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        trained(toy, weights, recipe(), progress=progress)
    monkeypatch.setattr(Progress, "save", save)
    assert progress.path.name.startswith(".training-0-")
    rate = Recipe.rate

    def noted(self: Recipe, step: int, steps: int) -> float:
        rates.append(step)
        return rate(self, step, steps)

    monkeypatch.setattr(Recipe, "rate", noted)
    found = trained(toy, weights, recipe(), progress=progress)
    assert rates == [6, 7, 8], "the epochs that were finished are not repeated"
    assert alike(found, expected)
    progress.sweep(own=True)
    assert list(tmp_path.iterdir()) == []


def test_what_another_training_has_left_is_removed_and_never_read(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    other = Progress(tmp_path / "0.parquet", "other")
    other.save(network, optimizer, 2, [1.0, 0.5])
    beside = Progress(tmp_path / "1.parquet", "other")
    beside.save(network, optimizer, 1, [1.0])
    own = Progress(tmp_path / "0.parquet", "own")
    own.sweep()
    assert own.load(network, optimizer) == (0, [])
    assert list(tmp_path.iterdir()) == [beside.path], "other parts are trained at the same time"
    own.path.write_bytes(b"half of a file")
    assert own.load(network, optimizer) == (0, [])


@pytest.mark.long
def test_fewer_images_at_a_time_give_the_same_but_for_rounding(toy: Toy, weights: str) -> None:
    how = recipe(epochs=1)
    states = [state_of(trained(toy, weights, how, memory)) for memory in (64, 3)]
    network = [trained(toy, weights, how, memory) for memory in (64, 3)]
    one, other = (predict(each, toy[1], toy[0], how, Memory(64)) for each in network)
    assert_close(one, other, share=1e-3)
    assert states[0].keys() == states[1].keys()


@pytest.mark.long
def test_when_memory_runs_out_a_step_is_made_in_parts(
    toy: Toy, weights: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = module.views_of

    def at_most(pixels: Any, *given: Any) -> Any:
        if len(pixels) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return made(pixels, *given)

    how = recipe(epochs=1)
    expected = predict(trained(toy, weights, how, 2), toy[1], toy[0], how, Memory(64))
    monkeypatch.setattr(module, "views_of", at_most)
    found = predict(trained(toy, weights, how, 8), toy[1], toy[0], how, Memory(64))
    assert "continuing with 2 images at a time" in capsys.readouterr().err
    assert_close(found, expected, share=1e-6)


def test_a_loss_that_is_no_number_says_what_to_change(toy: Toy, weights: str) -> None:
    how = recipe(learning_rate=1e3, epochs=3)
    network = load_to_train(ARCHITECTURE, weights, SOURCE, 2, how, CPU)
    with torch.no_grad():
        network.get_parameter("fc.bias").fill_(float("nan"))
    with pytest.raises(FinetuneError, match="write a `learning_rate` below 1000"):
        finetune(network, toy[1], toy[2], toy[0], how, Memory(64))


def test_the_rate_rises_for_an_epoch_and_falls_to_nothing() -> None:
    how = recipe(epochs=4)
    rates = [how.rate(step, 5) for step in range(20)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert rates[5] == 1 and rates == rates[:5] + sorted(rates[5:], reverse=True)
    assert 0 < rates[-1] < 0.05
    assert max(recipe(epochs=1).rate(step, 1) for step in range(1)) == 1


# New layers --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_new_layer_sees_features_in_standard_units_and_becomes_a_plain_one(
    toy: Toy, weights: str
) -> None:
    how = recipe()
    network = load_to_train(ARCHITECTURE, weights, SOURCE, 2, how, CPU)
    images = torch.rand(6, 3, SIDE, SIDE)
    with torch.no_grad():
        settle(network, lambda of: of(images))
        (layer,) = [each for name, each in network.named_modules() if name == "fc"]
        before = network(images)
        given: list[torch.Tensor] = []
        handle = layer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        network(images)
        handle.remove()
        standard = (given[0] - layer.centre) / layer.scale  # type: ignore[operator]
        assert standard.mean(dim=0).abs().max() < 1e-3
        after = plain(network)(images)
    assert_close(after.numpy(), before.numpy(), share=1e-4)
    assert isinstance(network.get_submodule("fc"), nn.Linear)
    again = load_of_two(state_of(network))
    with torch.no_grad():
        assert torch.equal(again(images), after), "other programs can load it"


def load_of_two(state: dict[str, torch.Tensor]) -> nn.Module:
    import timm

    network = timm.create_model("test_resnet", num_classes=2)
    network.load_state_dict(state)
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class Convolved(nn.Module):
    """A network whose classifying layer is a convolution over one place."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1))
        self.last = nn.Conv2d(6, 4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(self.body(images))
        return found.flatten(1)


@pytest.mark.parametrize("encoder", [False, True])
def test_convolutions_and_encoders_get_a_layer_too(encoder: bool) -> None:
    network: nn.Module = Convolved().eval()
    source = find_source(Convolved().to("meta").eval(), (8, 8), classifies=not encoder)
    network = relayer(network, source, 3, torch.Generator().manual_seed(0)).eval()
    images = torch.rand(5, 3, 8, 8)
    with torch.no_grad():
        settle(network, lambda of: of(images))
        before = network(images)
        assert before.shape == (5, 3)
        assert_close(plain(network)(images).numpy(), before.numpy(), share=1e-4)


@pytest.mark.parametrize("named", [False, True])
def test_a_layer_in_a_sequence_is_replaced_whether_it_has_a_number_or_a_name(named: bool) -> None:
    """That of torchvision's vision transformers is called ``heads.head``."""
    body, last = nn.Sequential(nn.Flatten(), nn.Linear(12, 6)), nn.Linear(6, 4)
    head = nn.Sequential(OrderedDict(head=last)) if named else nn.Sequential(nn.ReLU(), last)
    network = nn.Sequential(OrderedDict(body=body, heads=head)).eval()
    source = Source(("heads.head" if named else "heads.1",), 6)
    network = relayer(network, source, 3, torch.Generator().manual_seed(0)).eval()
    images = torch.rand(5, 3, 2, 2)
    with torch.no_grad():
        settle(network, lambda of: of(images))
        before = network(images)
        assert before.shape == (5, 3) and list(network.named_modules())[-1][0] == source.layers[0]
        assert_close(plain(network)(images).numpy(), before.numpy(), share=1e-4)


# Views -------------------------------------------------------------------------------------------


def test_a_view_that_shows_all_is_the_image() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    whole = np.array([[[1, 0, 0], [0, 1, 0]], [[-1, 0, 0], [0, 1, 0]]], np.float32)
    found = views_of([pixels] * 2, whole, (9, 7), [0.0] * 3, [1.0] * 3, CPU)
    expected = pixels.transpose(2, 0, 1) / 255
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(found[1].numpy(), expected[:, :, ::-1], atol=1e-5)


def test_a_view_is_the_crop_that_is_drawn() -> None:
    ramp = np.repeat(np.arange(0, 200, 2, dtype=np.uint8)[None, :, None], 60, axis=0)
    pixels = np.repeat(ramp, 3, axis=2)
    view = np.array([[[0.5, 0, 0.25], [0, 0.5, 0]]], np.float32)
    found = views_of([pixels], view, (30, 50), [0.0] * 3, [1.0] * 3, CPU)[0, 0] * 255
    # Half of the width, its middle at 5/8: columns 37.5 to 87.5, of which the first is at 38.
    np.testing.assert_allclose(found[15, [0, 49]].numpy(), [75, 173], atol=0.1)


def test_views_stay_within_the_image_and_show_half_of_it_at_least() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        (across, _, x), (_, down, y) = draw_view(rng, 100, 300).tolist()
        assert abs(across) + abs(x) <= 1 + 1e-6 and abs(down) + abs(y) <= 1 + 1e-6
        assert 0.5 - 1e-6 <= abs(across) * down <= 1 + 1e-6


def test_images_of_several_shapes_are_seen_at_one_size() -> None:
    assert size_of(Geometry(64, None, "bilinear")) == (64, 64)
    assert size_of(Geometry(64, (48, 40), "bilinear")) == (48, 40)
    assert size_of(Geometry((64, 96), None, "bilinear")) == (64, 96)
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in ((20, 30), (30, 20))]
    views = np.stack([draw_view(rng, *each.shape[:2]) for each in pixels])
    both = views_of(pixels, views, (16, 16), [0.5] * 3, [0.5] * 3, CPU)
    alone = views_of(pixels[1:], views[1:], (16, 16), [0.5] * 3, [0.5] * 3, CPU)
    assert both.shape == (2, 3, 16, 16) and torch.equal(both[1:], alone)


# Stored pixels -----------------------------------------------------------------------------------


def test_pixels_are_found_by_name_and_what_is_missing_is_named(toy: Toy) -> None:
    assert toy[0]["03.png"].shape == (SIDE, SIDE, 3)
    with pytest.raises(StoredPixelsError, match=r"no pixels of 'x\.png'"):
        toy[0]["x.png"]
