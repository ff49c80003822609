#!/usr/bin/env python3
"""Join what people say of images, and of questions, to the run.

In: the files of labels and answers, as the spec names them; the manifests of all categories and
where their images come from; the table of what is excluded, where it holds more than manifests; the
shards of questions, if any are asked. Out: people's labels and answers, Parquet, each empty if
there are none; the responses that are left out, as CSV and as Parquet; on standard output what
people should know of them.
The spec holds ``labels`` and ``answers``: the sha256 of each file by its path; ``columns``, the
names of their columns; ``categories``, of which people chose one; ``root`` and ``vqa_root``, the
folders that images' paths are relative to.
"""

from __future__ import annotations

from synthsight.people.import_people import (
    ANSWERS,
    EXCLUDED,
    LABELS,
    Given,
    import_answers,
    import_labels,
)
from synthsight.program import Arguments, many, one, program
from synthsight.tables import write_parquet, write_records


@program(
    many("manifests", "the manifests of all categories"),
    one("sources", "Parquet: image, category, generator, group, real"),
    many("excluded", "the table of what is excluded, Parquet", required=False),
    many("questions", "the shards of questions", required=False),
    spec=True,
    outputs=("labels_output", "answers_output", "csv", "parquet"),
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    labels, answers, excluded, notes = LABELS.empty_table(), ANSWERS.empty_table(), [], []
    if "labels" in spec:
        given = Given(spec["labels"], spec["columns"])
        about = args.manifests, args.sources, spec["categories"], spec["root"], args.excluded
        found = import_labels(given, *about)
        labels, excluded, notes = found.table, found.excluded, found.notes
    if "answers" in spec:
        given = Given(spec["answers"], spec["columns"])
        found = import_answers(given, args.questions, spec["vqa_root"])
        answers = found.table
        excluded, notes = [*excluded, *found.excluded], [*notes, *found.notes]
    write_parquet(args.labels_output, labels)
    write_parquet(args.answers_output, answers)
    write_records(args.csv, args.parquet, EXCLUDED, excluded)
    for note in notes:
        print(note)


if __name__ == "__main__":
    main()
