"""The embedded miniature world: what the repository carries is what `python -m demo` makes."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo import world

ASSETS = Path(__file__).parents[1] / "resources" / "demo"
CATEGORIES = list(world.CATEGORIES)
LABELS = (ASSETS / "labels.txt").read_text(encoding="utf-8").splitlines()
WEIGHTS = sorted((ASSETS / "weights").glob("*.safetensors"))
SAMPLE = 120


def image_files(generator: str, category: str) -> list[Path]:
    return sorted((ASSETS / "images" / generator / category).iterdir())


@pytest.mark.parametrize("generator", world.GENERATORS)
def test_every_category_has_its_images(generator: str) -> None:
    assert {path.name for path in (ASSETS / "images" / generator).iterdir()} == set(CATEGORIES)
    for category in CATEGORIES:
        files = image_files(generator, category)
        assert len(files) == world.IMAGES_PER_CATEGORY
        for file in files:
            with Image.open(file) as image:
                image.verify()


@pytest.mark.parametrize("generator", world.GENERATORS)
@pytest.mark.parametrize("category", ["clock", "kite", "turtle"])
def test_the_committed_images_follow_from_the_seed(generator: str, category: str) -> None:
    number = 2
    file = image_files(generator, category)[number]
    with Image.open(file) as image:
        stored = np.asarray(image.convert("RGB"), dtype=float)
    drawn = world.generated_image(generator, category, number)
    # Another JPEG library may round differently, so pixels are compared, not bytes.
    assert drawn.size == stored.shape[1::-1]
    assert np.abs(np.asarray(drawn, dtype=float) - stored).mean() < 6


def test_the_same_seed_gives_the_same_bytes() -> None:
    def encoded() -> bytes:
        file = io.BytesIO()
        world.class_image("photo", "held-out", "pretzel", 0).save(file, "PNG")
        return file.getvalue()

    assert encoded() == encoded()


def test_the_labels_are_the_classes_in_order() -> None:
    assert list(world.CLASSES) == LABELS
    assert 30 <= len(LABELS) <= 40


def test_the_labels_are_imagenets_own() -> None:
    info = pytest.importorskip("timm.data").ImageNetInfo("imagenet-1k")
    names = {info.index_to_description(index) for index in range(info.num_classes())}
    assert set(LABELS) <= names


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_is_named_by_some_label(category: str) -> None:
    phrase = re.compile(rf"\b{category.replace('_', ' ')}\b", re.IGNORECASE)
    assert any(phrase.search(label) for label in LABELS)


def test_the_whole_demo_stays_small() -> None:
    files = [path for path in ASSETS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 9e6


@pytest.fixture(scope="module")
def held_out_sample() -> tuple[list[Image.Image], np.ndarray]:
    """Fresh pictures of the training style that neither training nor the reference has used."""
    labels = np.arange(SAMPLE) % len(LABELS)
    images = [
        world.class_image("photo", "check", LABELS[label], number)
        for number, label in enumerate(labels)
    ]
    return images, labels


def test_four_classifiers_are_there() -> None:
    assert len(WEIGHTS) == 4


@pytest.mark.parametrize("file", WEIGHTS, ids=lambda file: file.stem)
def test_the_stored_accuracy_is_reproduced(file: Path, held_out_sample) -> None:
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors")
    train = pytest.importorskip("demo.train")
    recipe = train.RECIPES[file.stem]
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["architecture"] == recipe.architecture
    reference = json.loads(metadata["reference"])
    assert reference["n"] >= 1000

    images, labels = held_out_sample
    pixels = np.stack([train.prepare(image, recipe.geometry) for image in images])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    # `load` is strict: every tensor, and as many outputs as there are labels.
    top1, top5 = train.accuracy(train.load(file, recipe), recipe, batch, torch.from_numpy(labels))
    for measured, stored in ((top1, reference["top1"]), (top5, reference["top5"])):
        spread = np.sqrt(max(stored * (1 - stored), 0.04) / SAMPLE)
        assert abs(measured - stored) < 4 * spread
