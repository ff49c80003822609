#!/usr/bin/env python3
"""Import a model's answers that were made elsewhere, joined with the run's questions.

In: the shards of questions. Out: Parquet with a row per question that can be asked, and a JSON note
(see synthsight.vqa.elsewhere); on standard output what was recognised and what is missing.
The spec holds the model's ``name``; ``answers``, the file, and ``content``, its sha256; the names
of ``columns`` by what they hold; what becomes of ``missing`` ones; and the model's stated
``reference``, or null.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.files import check_unchanged
from synthsight.program import Arguments, many, program
from synthsight.vqa.elsewhere.importing import Wanted, import_answers


@program(
    many("questions", "the shards of all questions"),
    spec=True,
    outputs=["output", "note"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    check_unchanged(spec["answers"], spec["content"])
    wanted = Wanted(
        spec["name"],
        Path(spec["answers"]),
        spec["missing"],
        spec["columns"],
        spec["reference"],
    )
    for sentence in import_answers(wanted, args.questions, args.output, args.note):
        print(sentence)


if __name__ == "__main__":
    main()
