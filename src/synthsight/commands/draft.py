"""The text of the configuration that ``synthsight init`` writes."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

import yaml

from synthsight.commands.survey import Candidate, Survey
from synthsight.commands.tables import Tabled
from synthsight.commands.text import count, paragraph
from synthsight.images.tree import are_photographs
from synthsight.plan.standalone import repository
from synthsight.wording import one_line

#: Published models to start with, from the field's oldest to one of its best; all for ImageNet-1k.
MODELS = (
    ("torchvision/alexnet.IMAGENET1K_V1", "2012: a lower bound"),
    ("torchvision/resnet50.IMAGENET1K_V2", "the usual baseline"),
    ("timm/convnext_tiny.fb_in22k_ft_in1k", "a small modern convolutional network"),
    ("timm/vit_base_patch16_224.augreg2_in21k_ft_in1k", "a vision transformer"),
)


def write(looked: Survey, name: str, output: Path) -> str:
    """The text of a configuration.

    Args:
        looked: what was found; its root appears in the configuration as it is.
        name: name of the run.
        output: the file that the text is for, named in its instructions.
    """
    taken, refused = looked.taken, looked.refused
    generators = sorted({g for category in taken for g in category.images if g is not None})
    lines = [
        *_comment(
            f"{total(taken)}. Written by `synthsight init`; every key is explained in "
            "docs/configuration.md."
        ),
        "#",
        *(f"#   {command}" for command in next_steps(output)),
        "",
        "# Results go to results/<run>/.",
        f"run: {_scalar(name)}",
        "",
        "images:",
    ]
    layout = "<generator>/<category>/<file>" if generators else "<category>/<file>"
    if looked.table is not None:
        layout = "The table says what each image shows; its paths start at the root."
    elif generators and any(None in category.images for category in taken):
        layout += ", some <category>/<file>"
    lines += [f"  # {layout}"]
    for generator in generators:
        images = sum(category.images.get(generator, 0) for category in taken)
        lines += [f"  #   {generator}: {count(images, 'image')}"]
    lines += [f"  root: {_scalar(looked.root.as_posix())}"]
    lines += [] if looked.table is None else _table(looked.table)
    lines += [*_sources(generators, {} if looked.table is None else looked.table.columns), ""]
    what = "folders are used, including" if looked.table is None else "categories are used,"
    lines += _comment(
        "Comments above a name say what the matching rules make of it. Without this list, all "
        f"{what} new ones."
    )
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
    lines += _comment(
        "Published models to start with; their weights are downloaded once. There are hundreds "
        "more: timm/NAME and torchvision/NAME.WEIGHTS."
    )
    lines += ["models:"]
    for model, about in MODELS:
        lines += [f"  - {model} # {about}"]
    lines += [*_LOCAL_MODEL, "", *_MORE]
    return "\n".join(lines) + "\n"


def _table(table: Tabled) -> list[str]:
    """The lines that say how a table is read."""
    lines = [f"  table: {_scalar(table.path.as_posix())}"]
    stated = {key: name for key, name in table.columns.items() if key != name}
    if stated:
        columns = ", ".join(f"{key}: {_scalar(name)}" for key, name in stated.items())
        lines += [f"  columns: {{{columns}}}"]
    if table.splits:
        named = ", ".join(f"{_scalar(name)} {number:,}" for name, number in table.splits.items())
        most = max(table.splits, key=table.splits.__getitem__)
        lines += [f"  # split: {_scalar(most)} # only these rows; there are {one_line(named, 200)}"]
    return lines


def _sources(generators: Sequence[str], told: Collection[str]) -> list[str]:
    """Lines to take out of comments if some images are photographs, or belong together.

    Args:
        generators: those of the images.
        told: the columns of a table, which may say it.
    """
    like = [name for name in generators if are_photographs(name)]
    named = _scalar(like[0]) if like else "NAME"
    lines = {
        "real": f"{named} # the folder with real photographs, if there is one"
        + ("" if told else ", or ../its/path"),
        "group": r"(.*)_\d+ # if owl_1.png and owl_2.png are of one prompt, seed or scene",
    }
    return [f"  # {key}: {line}" for key, line in lines.items() if key not in told]


_LOCAL_MODEL = """\
  # Weights of your own:
  # - name: mine
  #   model: timm/resnet50 # the architecture
  #   checkpoint: checkpoints/mine.safetensors
  #   labels: checkpoints/labels.txt # one line for each class; by default ImageNet's
  #   mean: [0.5, 0.5, 0.5] # and whatever else differs from the published model
  #   std: [0.5, 0.5, 0.5]
  # Predictions made elsewhere, in a table with the columns image and label:
  # - name: told
  #   predictions: predictions.csv""".splitlines()

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


def next_steps(output: Path) -> list[str]:
    """The commands to run once the configuration is there."""
    file = one_line(shlex.quote(str(output)))
    own = repository() / "Snakefile"
    elsewhere = "" if Path("Snakefile").exists() else f"-s {one_line(shlex.quote(str(own)))} "
    return [
        f"synthsight check {file}",
        f"snakemake {elsewhere}--configfile {file} --cores 8 --resources gpu=1",
    ]


def total(taken: Sequence[Candidate]) -> str:
    """The number of images of some categories, and of their generators, in words."""
    generators = {g for category in taken for g in category.images if g is not None}
    total = sum(number for category in taken for number in category.images.values())
    categories = f"{len(taken)} {'category' if len(taken) == 1 else 'categories'}"
    text = f"{count(total, 'image')} of {categories}"
    return f"{text} by {count(len(generators), 'generator')}" if generators else text


def _images(category: Candidate) -> str:
    total = count(sum(category.images.values()), "image")
    if set(category.images) == {None}:
        return total
    each = [
        f"{'without a generator' if generator is None else _scalar(generator)} {number}"
        for generator, number in category.images.items()
    ]
    return f"{total}: {', '.join(each)}"


def _comment(text: str, mark: str = "# ") -> list[str]:
    return paragraph(one_line(text), mark, mark)


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
