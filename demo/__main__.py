"""Make the demo's assets: ``python -m demo images``, ``python -m demo train`` or both (``all``)."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from demo.world import CATEGORIES, CLASSES, GENERATORS, IMAGES_PER_CATEGORY, generated_image


def main() -> None:
    """Parse the command line and make what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("what", choices=["images", "train", "all"])
    parser.add_argument("--out", type=Path, default=Path("resources/demo"), help="target folder")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    options = parser.parse_args()
    if options.what in ("images", "all"):
        write_labels(options.out / "labels.txt")
        write_images(options.out / "images")
    if options.what in ("train", "all"):
        from demo.train import train_all  # here, so that drawing needs no torch

        train_all(options.out / "weights", options.workers)


def write_labels(path: Path) -> None:
    """One class a line, in the order of the classifiers' outputs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{label}\n" for label in CLASSES), encoding="utf-8")


def write_images(folder: Path) -> None:
    """The pictures of both generators, one folder a category."""
    for generator in GENERATORS:
        for category in CATEGORIES:
            target = folder / generator / category
            target.mkdir(parents=True, exist_ok=True)
            for number in range(IMAGES_PER_CATEGORY):
                save(generated_image(generator, category, number), target, generator, number)


def save(image: Image.Image, folder: Path, generator: str, number: int) -> None:
    """Write a picture: crayon as JPEG, posters as palette PNG with every fourth a JPEG."""
    name = f"{number + 1:02d}"
    if generator == "poster" and number % 4 != 3:
        palette = image.quantize(128, dither=Image.Dither.NONE)
        palette.save(folder / f"{name}.png", optimize=True)
    else:
        image.save(folder / f"{name}.jpg", quality=82)


if __name__ == "__main__":
    main()
