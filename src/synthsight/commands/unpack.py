"""``synthsight unpack``: the images of a set of questions as files, and questions beside them."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthsight.commands.text import count, listed, paragraph
from synthsight.files import hint_at_home
from synthsight.vqa.sets.embedded import QUESTIONS, EmbeddedError, unpack_questions

ABOUT = """\
write the images of a set of yes/no questions as files

For sets that hold their images: Parquet files of the Hugging Face hub, and
VLMEvalKit's tables, in which images are base64. FOLDER then has the images,
each once, and questions.csv, which vqa.questions can name."""

#: Questions without an image that are listed.
_LISTED = 10


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="of the set, one or all of its parts"
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="to write; it must be new")
    parser.add_argument(
        "--image", metavar="COLUMN", help="the column with the images, if there are several"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and print what to put into the configuration."""
    folder: Path = arguments.folder
    if home := hint_at_home(folder):
        raise EmbeddedError(f"{folder}: {home}")
    written = unpack_questions(arguments.files, folder, arguments.image)
    pictures = count(written.images, "image")
    print(f"{folder / QUESTIONS}: {count(written.rows, 'question')} about {pictures}")
    if written.dropped:
        columns = listed(written.dropped)
        print("\n".join(paragraph(f"Columns without text or numbers are left out: {columns}.")))
    if written.without:
        print(f"{count(len(written.without), 'question')} without an image:")
        for line in written.without[:_LISTED]:
            print("\n".join(paragraph(line, "- ", "  ")))
        if len(written.without) > _LISTED:
            print(f"- and {len(written.without) - _LISTED} more")
    print("\nIn the configuration:\n")
    print(f"  vqa:\n    questions: {folder / QUESTIONS}\n    root: {folder}")
    if written.column != "image":
        print(f"    columns: {{image: {written.column}}}")
    missing = [name for name in ("question", "answer") if name not in written.columns]
    if missing:
        text = (
            f"There is no column {' and none '.join(missing)}: name those that are in vqa.columns. "
            f"The file has {listed(written.columns)}."
        )
        print("\n" + "\n".join(paragraph(text)))
    return 0
