"""``synthsight show``: a run's answer, and where its files are."""

from __future__ import annotations

import argparse

from synthsight.commands.text import count, listed, paragraph
from synthsight.library.runs import Run, open_run

ABOUT = """\
print the answer of a run, and where its files are

The sentences are those that its report begins with. Of a run that is not
finished it says what is there so far."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its name, as in `run:` of the configuration, or its folder")


def run(arguments: argparse.Namespace) -> int:
    """Print what there is to say."""
    found = open_run(arguments.run)
    if found.report.is_file():
        for sentence in found.summary():
            print("\n".join(paragraph(sentence)), end="\n\n")
        meant = (
            f"A guess is right under the matching rule {found.rule}; accuracies are means over "
            "categories, each counting the same."
        )
        print("\n".join(paragraph(meant)), end="\n\n")
    else:
        said = (
            f"The run {found.name!r} is not finished: run Snakemake again with its configuration."
        )
        print("\n".join(paragraph(said)), end="\n\n")
    print("\n".join(_files(found)))
    return 0


def _files(run: Run) -> list[str]:
    """Where the files of a run are, in lines."""
    lines = []
    if run.report.is_file():
        lines.append(f"{run.report}  (open it in a browser)")
    if run.tables:
        lines.append(f"{run.folder / 'tables'}/  *.csv, *.parquet:")
        lines += paragraph(listed(run.tables, most=50), "  ")
    if figures := list((run.folder / "figures").glob("*.png")):
        lines.append(f"{run.folder / 'figures'}/  {count(len(figures), 'figure')}, as PDF and PNG")
    for part, about, models in (
        ("scores", "what each model gets, image by image", run.models),
        ("vqa", "what each VQA model answers, question by question", run.vqa_models),
    ):
        if (run.folder / part).is_dir() and models:
            lines.append(f"{run.folder / part}/  {about}:")
            lines += paragraph(listed(models), "  ")
    if (run.folder / "logs").is_dir():
        lines.append(f"{run.folder / 'logs'}/  a log for each job")
    return lines
