"""Mistakes that the schema finds do not hide the others, and none is told that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.test_config import errors, workplace_, write

__all__ = ["workplace_"]  # a fixture

pytestmark = pytest.mark.usefixtures("workplace_", "answered_too")

ALEXNET = "torchvision/alexnet.IMAGENET1K_V1"
GONE = "{model: torchvision/alexnet, name: gone, checkpoint: gone.pth}"


@pytest.fixture(name="answered_too")
def answered_too_(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for the libraries."""
    from synthsight.plan.config import models as models_module
    from tests.plan.test_config import RESOLVED

    monkeypatch.setattr(
        models_module, "resolve_cached", lambda asked, *_: [{"model": RESOLVED} for _ in asked]
    )


def places(file: Path) -> list[str]:
    return [line.split(": ")[0] for line in errors(file)]


def models(*entries: str) -> str:
    return "models:" + "".join(f"\n  - {entry}" for entry in entries)


def test_six_mistakes_are_told_at_once() -> None:
    file = write(
        images="images: {root: nowhere}",
        models=models(f"{{model: {ALEXNET}, resize: big}}", GONE),
        intervals="intervals: {level: 95}",
        typo="precison: fp32",
        vqa="vqa: {root: gone, questions: q.csv, models: [OFA-Sys/ofa-base]}",
    )
    assert places(file) == [
        "config.yaml, line 7, precison",
        "config.yaml, line 6, intervals.level",
        "config.yaml, line 4, models[0].resize",
        "config.yaml, line 2, images.root",
        "config.yaml, line 5, models[1].checkpoint",
        "config.yaml, line 8, vqa.root",
    ]


def test_an_entry_keeps_its_number_though_others_are_left_out() -> None:
    bad = f"{{model: {ALEXNET}, crop: x}}"
    file = write(models=models(bad, ALEXNET, f"{{model: {ALEXNET}, name: n, crop: x}}", GONE))
    told = [place.rpartition(" ")[2] for place in places(file)]
    assert told == ["models[0].crop", "models[2].crop", "models[3].checkpoint"]


@pytest.mark.parametrize(
    "parts",
    [
        # Whether a model has this name, and features, is known when its entry can be read.
        {
            "models": models(ALEXNET, "{model: timm/a, name: b, crop: x}"),
            "adapt": "adapt: [{model: b}]",
        },
        # What categories there are, and which of them classes have, when these sections can be.
        {"images": "images: {root: images, tabel: t.csv}", "categories": "categories: [none]"},
        {"matching": "matching: {rule: [classes]}", "categories": "categories: [pizza, none]"},
        {"models": models(f"{{model: {ALEXNET}, label: mine.txt}}"), "x": "categories: [none]"},
        {"images": "image: {root: nowhere}"},
    ],
)
def test_what_may_be_no_mistake_once_the_others_are_mended_is_not_told(
    parts: dict[str, str],
) -> None:
    assert len(errors(write(**parts))) == 1 + ("image: " in str(parts))


def test_another_section_is_checked_in_full() -> None:
    file = write(categories="categories: [none]", intervals="intervals: {seed: x}")
    seed, category = errors(file)
    assert "intervals.seed" in seed and "'none'" in category
