"""What the inputs of tables and figures are called, and how each is read."""

from __future__ import annotations

from synthsight.inputs import INDEXED
from synthsight.plan.exports import Export
from synthsight.plan.figures import Figure
from synthsight.plan.tables import Statistic

#: What goes by rows of a list.
Row = Export | Figure | Statistic

#: How inputs other than tables are read (see :data:`synthsight.figures.inputs.READERS`).
KINDS = {
    "manifests": "manifests",
    "manifests_without_duplicates": "without_duplicates",
    "photographs": "photographs",
    "scores": "paths",
    "notes": "paths",
    "answers": "paths",
    "vqa_notes": "paths",
    "labels_by_people": "paths",
    "answers_by_people": "paths",
    "attributes_of_images": "paths",
    "heads": "paths",
    "heads_by_category": "paths",
    "distances_by_model": "paths",
    "adapted_parts": "paths",
    "answers_of_model": "answers",
    "indexed_images": "checksums",
    "indexed_of_category": "checksums",
    "indexed_questions": "checksums",
}


def sources_of(row: Row) -> dict[str, str]:
    """The names of a row's inputs, by parameter, with the checksums of images that it shows."""
    if not isinstance(row, Figure) or row.pictures is None:
        return dict(row.inputs)
    of = "of_category" if "category" in row.wildcards else row.pictures
    return {**row.inputs, INDEXED: f"indexed_{of}"}
