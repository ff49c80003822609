"""A CUDA device gives what the CPU gives, but for rounding, and in full when memory runs out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from synthsight.classifiers.classify import classify, load_model
from synthsight.classifiers.embed import embed
from synthsight.classifiers.finetune import Memory, Recipe, finetune, load_to_train, predict
from synthsight.classifiers.heads import Source
from synthsight.classifiers.library import Architecture
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.images.stored import StoredPixels
from synthsight.inference.batches import fetch
from synthsight.inference.cache import ModelCache
from synthsight.vqa.ask import ask
from synthsight.vqa.families.base import VqaModel, load_vqa
from synthsight.vqa.fetch import fetch_vqa
from synthsight.vqa.shards import ShardRow
from tests import vqa_assets
from tests.support import assert_close, draw_image, log_odds, save_random_weights
from tests.vqa import chat_assets

pytestmark = pytest.mark.cuda

CPU = torch.device("cpu")
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
CLASSES, IMAGES, SIDE = 6, 48, 160
NET = Architecture("timm", "test_resnet", num_classes=CLASSES)

#: Other libraries than the CPU's sum in other orders, and choose other algorithms for convolutions.
SHARE = 1e-3

#: TensorFloat-32 has 10 bits of mantissa, bfloat16 has 7: what a dozen layers leave of that.
SHORT = {"tf32": 0.02, "bf16": 0.1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, their pixels and a network's weights."""
    folder = tmp_path_factory.mktemp("cuda")
    names = [f"{number:03}.png" for number in range(IMAGES)]
    for number, name in enumerate(names):
        draw_image(folder / name, number, (SIDE, SIDE))
    geometry = Geometry(SIDE, (SIDE, SIDE), "bilinear")
    prepare_pixels([(name, SIDE, SIDE) for name in names], folder, geometry, folder / "p.arrow")
    save_random_weights(folder / "m.safetensors", NET.name, CLASSES, seed=0)
    return folder


def logits_on(
    device: torch.device, folder: Path, batch: int = 16, precision: str = "fp32"
) -> npt.NDArray[np.float32]:
    model = load_model(NET, folder / "m.safetensors", device)
    images, logits = classify(model, folder / "p.arrow", MEAN, STD, batch, precision)
    assert images == [f"{number:03}.png" for number in range(IMAGES)]
    return logits


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_logits_are_those_of_the_cpu_whatever_the_batch(
    device: torch.device, folder: Path, batch: int
) -> None:
    assert_close(logits_on(device, folder, batch), logits_on(CPU, folder), SHARE)


@pytest.mark.parametrize("precision", SHORT)
def test_shorter_numbers_are_used_where_they_are_asked_for_and_nowhere_else(
    device: torch.device, folder: Path, precision: str
) -> None:
    full = logits_on(device, folder)
    short = logits_on(device, folder, precision=precision)
    assert_close(short, full, SHORT[precision])
    has_tf32 = device.type == "cuda" and torch.cuda.get_device_capability()[0] >= 8
    assert np.array_equal(short, full) is (precision == "tf32" and not has_tf32)
    assert np.array_equal(logits_on(device, folder), full), "nothing stays set"


def test_the_same_batches_give_the_same_bits(device: torch.device, folder: Path) -> None:
    assert np.array_equal(logits_on(device, folder), logits_on(device, folder))


def test_features_are_those_of_the_cpu(device: torch.device, folder: Path) -> None:
    found = []
    for each in (device, CPU):
        model = load_model(NET, folder / "m.safetensors", each)
        found.append(embed(model, Source(("fc",), 96), folder / "p.arrow", MEAN, STD, 16)[1])
    assert found[0].shape == (IMAGES, 96)
    assert_close(*found, SHARE)


def test_copies_are_taken_before_memory_is_used_again(device: torch.device) -> None:
    """Each part's memory is that of the last but one, and the device is far behind."""
    rows, parts = 4096, 40

    def computed() -> Iterator[Tensor]:
        for number in range(parts):
            part = torch.full((rows, 1024), float(number), device=device)
            for _ in range(20):
                part = part * 2 / 2
            yield part

    found = fetch(computed())
    assert [each.device.type for each in found] == ["cpu"] * parts
    assert not any(each.is_pinned() for each in found), "that memory is for what is under way"
    for number, part in enumerate(found):
        assert bool((part == number).all()), f"part {number} holds another one's numbers"


# Memory ------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(cuda: torch.device) -> Iterator[Any]:
    """Fills a device until a number of MiB is free; it is emptied afterwards."""
    held: list[Tensor] = []

    def fill(left: int) -> None:
        torch.cuda.empty_cache()
        free = torch.cuda.mem_get_info(cuda)[0] - left * 2**20
        assert free > 0, f"the device has less than {left} MiB free"
        held.append(torch.empty(free, dtype=torch.uint8, device=cuda))

    yield fill
    held.clear()
    torch.cuda.empty_cache()


def test_a_full_device_gives_the_same_logits_in_smaller_batches(
    cuda: torch.device, crowded: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """64 images of 1024 x 1024 need some 8 GiB in the first layers, and there is a part of that."""
    rng = np.random.default_rng(0)
    names = [f"{number:02}.png" for number in range(64)]
    for name in names:
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        coarse.resize((1024, 1024)).save(tmp_path / name, compress_level=1)
    geometry = Geometry(1024, (1024, 1024), "nearest")
    prepare_pixels([(name, 1024, 1024) for name in names], tmp_path, geometry, tmp_path / "p.arrow")
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 4, 3, padding=1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES)),
    )
    model = model.to(cuda, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    given = (tmp_path / "p.arrow", MEAN, STD)
    _, expected = classify(model, *given, 4)
    crowded(2500)
    _, logits = classify(model, *given, 64)
    sizes = re.findall(r"out of memory: continuing with batches of (\d+)", capsys.readouterr().err)
    assert sizes and sizes == [str(64 >> step) for step in range(1, len(sizes) + 1)]
    assert_close(logits, expected)


def test_a_model_that_does_not_fit_beside_others_takes_their_place(
    cuda: torch.device, crowded: Any
) -> None:
    models = ModelCache(bound=2**40)

    def load() -> nn.Module:
        return nn.Linear(2**14, 2**14 - 1).to(cuda)  # 1 GiB

    models.get("a", load, cuda)
    crowded(600)
    models.get("b", load, cuda)
    assert len(models) == 1


# Training ----------------------------------------------------------------------------------------


def test_a_network_is_trained_as_on_the_cpu(device: torch.device, folder: Path) -> None:
    pixels = StoredPixels([folder / "p.arrow"])
    names = [f"{number:03}.png" for number in range(IMAGES)]
    labels = np.arange(IMAGES) % 2
    told = {"fold": 0, "seed": 0, "epochs": 2, "learning_rate": 1e-4, "batch_size": 16}
    recipe = Recipe(**told, size=(64, 64), mean=MEAN, std=STD)
    losses, logits = [], []
    for each in (device, CPU):
        network = load_to_train(
            NET.as_dict(), str(folder / "m.safetensors"), Source(("fc",), 96), 2, recipe, each
        )
        losses.append(finetune(network, names, labels, pixels, recipe, Memory(5)))
        logits.append(predict(network, names, pixels, recipe, Memory(16)))
    # Adam divides by the size of gradients, which makes much of the last digits of small ones.
    assert_close(*losses, 0.02)
    assert_close(*logits, 0.1)


# Questions ---------------------------------------------------------------------------------------

QUESTIONS = ("Is it red?", "Is the dog tall?", "Is there a red, round dog?")
SETTINGS = dict.fromkeys(
    ("model", "tokenizer", "image_size", "prompt", "interpolate_position", "reference")
)


def chat(kind: str) -> Any:
    return lambda folder: chat_assets.save(folder, kind)


SAVE = {
    **{"ofa": vqa_assets.save_ofa, "vilt": vqa_assets.save_vilt, "blip": vqa_assets.save_blip},
    **{"llava": chat("llava"), "smolvlm": chat("smolvlm"), "qwen2_vl": chat("qwen2_vl")},
}


@pytest.mark.parametrize("family", SAVE)
def test_answers_are_those_of_the_cpu(device: torch.device, tmp_path: Path, family: str) -> None:
    SAVE[family](tmp_path / "source")
    out = tmp_path / "fetched"
    settings = {**SETTINGS, "name": family, "checkpoint": str(tmp_path / "source")}
    fetch_vqa(settings, f"{out}.safetensors", f"{out}.json", out)
    note = json.loads((tmp_path / "fetched.json").read_text())
    for number in range(4):
        draw_image(tmp_path / f"{number}.png", number, (90, 70) if number % 2 else (70, 100))
    rows = [
        ShardRow(number, f"{image}.png", question, "yes", None, None, None, "ok", None)
        for image in range(4)
        for number, question in enumerate(QUESTIONS, start=1)
    ]
    margins = []
    for each in (device, CPU):
        state = load_file(f"{out}.safetensors")
        model: VqaModel[Any, Any, Any] = load_vqa(
            note["family"], out, state, note["settings"], each
        )
        answers = ask(model, rows, tmp_path, 4)
        assert answers.reasons == [None] * len(rows)
        margins.append(log_odds(answers.p_yes))
    assert_close(*margins, SHARE)
