"""``synthsight init``: a commented configuration for a folder of images."""

from __future__ import annotations

import argparse
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synthsight.commands.text import count, listed, paragraph
from synthsight.errors import SynthsightError
from synthsight.files import atomic, is_folder
from synthsight.images.layout import find_categories
from synthsight.images.manifest import list_folders
from synthsight.labels.audit import label_audit, messages
from synthsight.labels.definitions import Definition, read_definitions
from synthsight.labels.matching import words
from synthsight.labels.spaces import load_labels
from synthsight.library.scores import rules
from synthsight.plan.config.names import bad_name
from synthsight.plan.standalone import definitions_file, read_schema
from synthsight.wording import did_you_mean, one_line

ABOUT = """\
write a configuration for a folder of images

Looks at folder names, without opening any image, and writes a commented YAML
file to start from: the layout that was found, the categories with what the
matching rules make of their names, and four published models. The layout is

  FOLDER/<category>/<file>   or   FOLDER/<generator>/<category>/<file>

A category whose name matches no class of ImageNet is left out, with the
reason next to it, since no model could get it right."""

#: Published models to start with, from the field's oldest to one of its best; all for ImageNet-1k.
_MODELS = (
    ("torchvision/alexnet.IMAGENET1K_V1", "2012: a lower bound"),
    ("torchvision/resnet50.IMAGENET1K_V2", "the usual baseline"),
    ("timm/convnext_tiny.fb_in22k_ft_in1k", "a small modern convolutional network"),
    ("timm/vit_base_patch16_224.augreg2_in21k_ft_in1k", "a vision transformer"),
)

#: The label space of these models.
_LABELS = "imagenet-1k"

#: The default of the key `category_definitions`.
_DEFINITIONS = Path("resources", "categories.yaml")


class InitError(SynthsightError):
    """No configuration can be written for this folder, or to this file."""


@dataclass(frozen=True)
class Found:
    """A category that was found.

    Attributes:
        name: its name.
        images: number of files named like images in its folders, by generator; None stands for a
            folder without a generator.
        remarks: what the label audit says about it, in sentences.
        refused: why it cannot be used, or None.
    """

    name: str
    images: Mapping[str | None, int]
    remarks: tuple[str, ...] = ()
    refused: str | None = None


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of images")
    parser.add_argument("--run", metavar="NAME", help="name of the run; by default FOLDER's")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the file to write; by default NAME.yaml"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration, and print the next steps."""
    folder: Path = arguments.folder
    name = _run_name(arguments.run, folder)
    output: Path = arguments.output or Path(f"{name}.yaml")
    if output.exists() and not arguments.force:
        raise InitError(
            f"{output} already exists: choose another --output, or replace it (--force)"
        )
    # If the default file does not exist, as outside of a clone, the configuration names one.
    own = None if _DEFINITIONS.is_file() else definitions_file()
    found, notes = look(folder, own or _DEFINITIONS)
    text = write(found, folder, name, output, own)
    try:
        with atomic(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InitError(f"{output} cannot be written: {error.strerror}") from None
    taken = [category for category in found if category.refused is None]
    left_out = [category.name for category in found if category.refused is not None]
    print("\n".join(paragraph(f"{output}: {_total(taken)}")))
    if left_out:
        print("\n".join(paragraph(f"Left out: {listed(left_out)}; {output} says why.")))
    for note in notes:
        print("\n".join(paragraph(note, "Note: ")))
    if Path("results", name).exists():
        print(f"Note: a run of this name exists; new results would be added to results/{name}.")
    print("\nReview it, choose models, then run:\n")
    for command in _next(output):
        print(f"  {command}")
    return 0


def look(folder: Path, definitions: Path) -> tuple[list[Found], list[str]]:
    """Find the categories in a folder of images.

    Args:
        folder: the images' root.
        definitions: the file of category definitions.

    Returns:
        The categories, sorted, and notes about what is not used.

    Raises:
        InitError: there is no such folder, no category in it, or none that can be used.
        synthsight.labels.definitions.DefinitionError: the definitions cannot be used.
    """
    if not is_folder(folder):
        raise InitError(f"no folder {str(folder)!r}")
    layout, notes = find_categories(folder, None)
    if not layout:
        raise InitError(
            f"no folder in {str(folder)!r} is a category: put the images into "
            f"{folder}/<category>/ or {folder}/<generator>/<category>/"
            + "".join(f". {note}" for note in notes)
        )
    known = read_definitions(definitions)
    found = [
        _judge(name, folder, folders, known.get(name, Definition()))
        for name, folders in sorted(layout.items())
    ]
    taken = [category.name for category in found if category.refused is None]
    if not taken:
        reasons = "\n".join(f"  {category.name!r}: {category.refused}" for category in found[:20])
        raise InitError(f"no category in {str(folder)!r} can be used:\n{reasons}")
    # A list of categories refers to folders of these names wherever they are.
    listed_layout, _ = find_categories(folder, taken)
    if listed_layout != {name: layout[name] for name in taken}:
        generators = {generator for each in layout.values() for generator, _ in each}
        both = sorted(name for name in taken if name in generators)
        raise InitError(
            f"{', '.join(map(repr, both))} in {str(folder)!r}: is this a generator or a category? "
            "Rename a folder, so that no name is both"
        )
    return found, notes


def write(
    found: Sequence[Found], folder: Path, name: str, output: Path, definitions: Path | None
) -> str:
    """The text of a configuration.

    Args:
        found: categories from :func:`look`.
        folder: the images' root, as it is to appear in the configuration.
        name: name of the run.
        output: the file that the text is for, named in its instructions.
        definitions: the file of category definitions; None for the default one.
    """
    taken = [category for category in found if category.refused is None]
    refused = [category for category in found if category.refused is not None]
    generators = sorted({g for category in taken for g in category.images if g is not None})
    lines = [
        *_comment(
            f"{_total(taken)}. Written by `synthsight init`; every key is explained in "
            "docs/configuration.md."
        ),
        "#",
        *(f"#   {command}" for command in _next(output)),
        "",
        "# Results go to results/<run>/.",
        f"run: {_scalar(name)}",
        "",
        "images:",
    ]
    layout = "<generator>/<category>/<file>" if generators else "<category>/<file>"
    if generators and any(None in category.images for category in taken):
        layout += ", some <category>/<file>"
    lines += [f"  # {layout}"]
    for generator in generators:
        images = sum(category.images.get(generator, 0) for category in taken)
        lines += [f"  #   {generator}: {count(images, 'image')}"]
    lines += [f"  root: {_scalar(folder.as_posix())}", ""]
    lines += _comment(
        "Comments above a name say what the matching rules make of it. Without this list, all"
    )
    lines += _comment("folders are used, including new ones.")
    lines += ["categories:"]
    for category in taken:
        for remark in category.remarks:
            lines += _comment(remark, "  # ")
        lines += [f"  - {_scalar(category.name)} # {_images(category)}"]
    if refused:
        lines += ["  # Left out:"]
    for category in refused:
        lines += [f"  # - {_scalar(category.name)} # {_images(category)}"]
        lines += _comment(str(category.refused), "  #     ")
    lines += [""]
    if definitions is not None:
        lines += _comment("Further names and classes that count as a hit for a category.")
        lines += [f"category_definitions: {_scalar(definitions.as_posix())}", ""]
    lines += _comment(
        "Published models to start with; their weights are downloaded once. There are hundreds "
        "more: timm/NAME and torchvision/NAME.WEIGHTS."
    )
    lines += ["models:"]
    for model, about in _MODELS:
        lines += [f"  - {model} # {about}"]
    lines += [*_LOCAL_MODEL, "", *_MORE]
    return "\n".join(lines) + "\n"


_LOCAL_MODEL = """\
  # Weights of your own:
  # - name: mine
  #   model: timm/resnet50 # the architecture
  #   checkpoint: checkpoints/mine.safetensors
  #   labels: checkpoints/labels.txt # one line for each class; by default ImageNet's
  #   mean: [0.5, 0.5, 0.5] # and whatever else differs from the published model
  #   std: [0.5, 0.5, 0.5]""".splitlines()

_MORE = """\
# Hits are computed under several rules side by side (docs/methods.md); the figures show one, by
# default the paper's. This one counts the classes that a person has chosen for each category:
# matching:
#   primary: classes

# Yes/no questions about images: a table with the columns image, question and answer.
# vqa:
#   questions: questions.csv
#   models:
#     - Salesforce/blip-vqa-base""".splitlines()


def _judge(
    name: str,
    root: Path,
    folders: Sequence[tuple[str | None, str]],
    definition: Definition,
) -> Found:
    """Judge whether a category can be used, and collect remarks about it."""
    images = {generator: list_folders([root / folder]).images for generator, folder in folders}
    for part in (name, *(generator for generator in images if generator is not None)):
        if reason := bad_name(part):
            return Found(name, images, refused=f"the name {part!r} {reason}. Rename the folder")
    if not words(name):
        return Found(name, images, refused="there is no word in its name. Rename the folder")
    if not any(images.values()):
        return Found(name, images, refused="there are no images in it")
    space = load_labels(_LABELS)
    audit = label_audit({name: definition}, [space], rules())
    if not audit["accepted_by"].astype(bool).any():
        phrase = " ".join(words(name))
        close = did_you_mean(phrase, sorted({each for names in space.lemmas for each in names}), 3)
        reason = (
            f"no class of {_LABELS} has {phrase!r} in its name{close or '.'} Rename the folder, or "
            f"give further names in {_DEFINITIONS.as_posix()}: {name}: {{also: [NAME]}}"
        )
        return Found(name, images, refused=reason)
    remarks = [
        each.removeprefix(f"{name}: ").removesuffix(f" [{_LABELS}]") for each in messages(audit)
    ]
    return Found(name, images, tuple(remarks))


def _run_name(wanted: str | None, folder: Path) -> str:
    """The run's name: the one wanted, if it is valid, or one derived from the folder's."""
    about: Mapping[str, Any] = read_schema()["properties"]["run"]
    if wanted is None:
        wanted = re.sub(r"[^A-Za-z0-9]+", "_", folder.resolve().name).strip("_") or "mine"
    elif not re.search(about["pattern"], wanted):
        raise InitError(f"{wanted!r} cannot be the name of a run. {about['description']}")
    return wanted


def _next(output: Path) -> list[str]:
    """The commands to run next."""
    file = one_line(shlex.quote(str(output)))
    return [
        f"synthsight check {file}",
        f"snakemake --configfile {file} --cores 8 --resources gpu=1",
    ]


def _total(taken: Sequence[Found]) -> str:
    generators = {g for category in taken for g in category.images if g is not None}
    total = sum(number for category in taken for number in category.images.values())
    categories = f"{len(taken)} {'category' if len(taken) == 1 else 'categories'}"
    text = f"{count(total, 'image')} of {categories}"
    return f"{text} by {count(len(generators), 'generator')}" if generators else text


def _images(category: Found) -> str:
    total = count(sum(category.images.values()), "image")
    if set(category.images) == {None}:
        return total
    each = [
        f"{'without a generator' if generator is None else _scalar(generator)} {number}"
        for generator, number in category.images.items()
    ]
    return f"{total}: {', '.join(each)}"


def _comment(text: str, mark: str = "# ") -> list[str]:
    return paragraph(text, mark, mark)


def _scalar(text: str) -> str:
    """A text as an item of a YAML list, on one line, quoted if necessary."""
    written = yaml.safe_dump(
        [text],
        default_flow_style=True,
        default_style=None if text.isprintable() else '"',
        allow_unicode=True,
        width=math.inf,
    )
    return written.strip()[1:-1]
