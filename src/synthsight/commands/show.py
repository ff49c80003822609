"""``synthsight show``: a run's answer, and where its files are."""

from __future__ import annotations

import argparse

from synthsight.commands.text import count, listed, paragraph
from synthsight.library.errors import ApiError
from synthsight.library.runs import Run, open_run

ABOUT = """\
print the answer of a run, and where its files are

The sentences are those that its report begins with. For an unfinished run,
prints what there is so far."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its name, as in `run:` of the configuration, or its folder")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer, if there is one yet, and where the files are."""
    found = open_run(arguments.run)
    for text in _answer(found):
        print("\n".join(paragraph(text)), end="\n\n")
    print("\n".join(_files(found)))
    return 0


def _answer(run: Run) -> list[str]:
    """The answer in sentences, or why there is none yet."""
    if not run.report.is_file():
        return [
            f"The run {run.name!r} is not finished: run Snakemake again with its configuration."
        ]
    try:
        answer = run.summary()
    except ApiError as error:
        return [f"The run {run.name!r} is not finished: {error}."]
    meaning = (
        f"A guess is right under the matching rule {run.rule}; accuracies are means over "
        "categories, each counting the same."
    )
    return [*answer, meaning]


def _files(run: Run) -> list[str]:
    """Where a run's files are, in lines: each place, followed by what is there."""
    figures = len(run.figures)
    places = (
        (run.report.name, "everything on one page: open it in a browser", run.report.is_file()),
        ("tables/", f"CSV and Parquet: {listed(run.tables, most=50)}", run.tables),
        ("figures/", f"{count(figures, 'figure')}, as PDF and PNG", figures),
        ("scores/", f"what each model gets, image by image: {listed(run.models)}", run.models),
        (
            "vqa/",
            f"what each VQA model answers, question by question: {listed(run.vqa_models)}",
            run.vqa_models,
        ),
        ("logs/", "a log for each job", (run.folder / "logs").is_dir()),
    )
    lines = []
    for place, about, there in places:
        if there:
            lines += [f"{run.folder}/{place}", *paragraph(about, "  ")]
    return lines
