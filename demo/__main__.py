"""Make the demo's assets, some or ``all`` of them.

``images``     pictures of the categories from the generators and in the training style, and labels
``train``      the four classifiers
``train-clip`` the classifier that is asked with the classes' names
``predict``    what a classifier outside of synthsight says of these pictures
``questions``  the generators' pictures with yes/no questions on them
``train-ofa``  a model that answers such questions
``train-chat`` another one, which converses
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from PIL import Image

from demo import histograms
from demo.questions import exhibits
from demo.world import CATEGORIES, CLASSES, IMAGES_PER_CATEGORY, SOURCES, source_image


def main() -> None:
    """Parse the command line and make what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    makes = ["images", "train", "train-clip", "predict", "questions", "train-ofa"]
    makes += ["train-chat", "all"]
    parser.add_argument("what", choices=makes)
    parser.add_argument("--out", type=Path, default=Path("resources/demo"), help="target folder")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    options = parser.parse_args()
    if options.what in ("images", "all"):
        write_labels(options.out / "labels.txt")
        write_images(options.out / "images")
    if options.what in ("train", "all"):
        from demo.train import train_all  # here, so that drawing needs no torch

        train_all(options.out / "weights", options.workers)
    if options.what in ("train-clip", "all"):
        from demo import train_clip  # likewise

        train_clip.train(
            options.out / "weights" / "demo_clip", options.out / "labels.txt", options.workers
        )
    if options.what in ("predict", "all"):
        file = options.out / "predictions" / "demo_histograms.csv"
        histograms.make(file, options.out / "images", options.workers)
    if options.what in ("questions", "all"):
        write_questions(options.out / "vqa")
    if options.what in ("train-ofa", "all"):
        from demo.train_ofa import train  # likewise

        train(options.out / "weights" / "demo_ofa", options.workers)
    if options.what in ("train-chat", "all"):
        from demo import train_chat  # likewise

        train_chat.train(options.out / "weights" / "demo_chat", options.workers)


def write_labels(path: Path) -> None:
    """One class a line, in the order of the classifiers' outputs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{label}\n" for label in CLASSES), encoding="utf-8")


def write_images(folder: Path) -> None:
    """The pictures of both generators and the photographs, one folder a category."""
    for source in SOURCES:
        for category in CATEGORIES:
            target = folder / source / category
            target.mkdir(parents=True, exist_ok=True)
            for number in range(IMAGES_PER_CATEGORY):
                save(source_image(source, category, number), target, source, number)


def write_questions(folder: Path) -> None:
    """The pictures of both generators that questions are asked about, and the questions."""
    rows = []
    for exhibit in exhibits():
        target = folder / "images" / exhibit.generator
        target.mkdir(parents=True, exist_ok=True)
        file = save(exhibit.picture.image, target, exhibit.generator, exhibit.number, quality=72)
        for question in exhibit.questions:
            answer = "yes" if question.answer else "no"
            name = f"{exhibit.generator}/{file.name}"
            rows.append((name, question.text, answer, exhibit.generator))
    with open(folder / "questions.csv", "w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("image", "question", "answer", "generator"))
        writer.writerows(rows)


def save(image: Image.Image, folder: Path, generator: str, number: int, quality: int = 82) -> Path:
    """Write a picture: JPEGs, but posters as palette PNG, except for every fourth."""
    name = f"{number + 1:02d}"
    if generator == "poster" and number % 4 != 3:
        file = folder / f"{name}.png"
        palette = image.quantize(128, dither=Image.Dither.NONE)
        palette.save(file, optimize=True)
    else:
        file = folder / f"{name}.jpg"
        image.save(file, quality=quality)
    return file


if __name__ == "__main__":
    main()
