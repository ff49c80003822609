"""``synthsight show``: a run's answer, and where its files are."""

from __future__ import annotations

import argparse
import warnings

from synthsight.commands.text import count, listed, paragraph
from synthsight.library.errors import ApiError
from synthsight.library.runs import Run, at_once, open_run

ABOUT = """\
print the answer of a run, and where its files are

The sentences are those that its report begins with. For an unfinished run,
prints what there is so far."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its name, as in `run:` of the configuration, or its folder")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer, if there is one yet, and where the files are."""
    found = at_once(open_run(arguments.run))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        answer, doubts = _answer(found)
    said = dict.fromkeys(str(each.message) for each in warned)
    doubts += [f"{text[:1].upper()}{text[1:]}." for text in said]
    for text in answer:
        print("\n".join(paragraph(text)), end="\n\n")
    if doubts:
        print("Before you trust these numbers:")
        lines = (line for text in doubts for line in paragraph(text, "- ", "  "))
        print("\n".join(lines), end="\n\n")
    print("\n".join(_files(found)))
    return 0


def _answer(run: Run) -> tuple[list[str], list[str]]:
    """The answer in sentences, or why there is none yet; and what makes it doubtful."""
    unfinished = f"The run {run.name!r} is not finished: "
    if not run.report.is_file():
        absent = count(len(run.missing), "file")
        return [f"{unfinished}{absent} missing. Run Snakemake again with its configuration."], []
    try:
        answer = run.summary()
    except ApiError as error:
        return [f"{unfinished}{error}."], []
    try:
        doubts = run.remarks()
    except ApiError as error:
        doubts = [f"What else there is to know cannot be told: {error}."]
    meaning = (
        f"A guess is right under the matching rule {run.rule}; accuracies are means over "
        "categories, each counting the same."
    )
    return [*answer, meaning], doubts


def _files(run: Run) -> list[str]:
    """Where a run's files are, in lines: each place, followed by what is there."""
    figures = len(run.figures)
    missing = run.missing
    scored = [model for model in run.models if f"scores/{model}.parquet" not in missing]
    places = (
        (run.report.name, "everything on one page: open it in a browser", run.report.is_file()),
        ("tables/", f"CSV and Parquet: {listed(run.tables, most=50)}", run.tables),
        ("figures/", f"{count(figures, 'figure')}, as PDF and PNG", figures),
        ("scores/", f"what each model gets, image by image: {listed(scored)}", scored),
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
