#!/usr/bin/env python3
"""Write the report: one HTML page that opens from disk.

In: tables, manifests, scores, notes about the weights, and thumbnails; for questions their scores,
notes and thumbnails, too; maps of the images, and what else is said of them, if there is anything.
Out: the page.
The spec holds ``run``; ``rule``, the primary matching rule; ``level`` of the intervals; ``images``,
at most how many the page shows, and ``pictures``, where there are pictures of fewer of a category,
how many there are at most; ``preprocessing`` of each model and its label space, ``labels``;
``roots``, the folders of ``images`` and ``questions``; ``questions``, a digest of them or null;
``settings`` of the run; ``excludes``, where images without a prediction are left out; ``groups``,
where any are known: what tells those of ``images`` and of images with ``questions``, in words; and
``left_out``, where models failed: their names, and why.
"""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from synthsight import origin
from synthsight.clone import own_version
from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN, atomic, read_json
from synthsight.images.groups import PATTERNS
from synthsight.images.manifest import ImageRecord, read_manifest
from synthsight.images.pairs import SHOWN, described, worst_pairs
from synthsight.images.roots import roots_of
from synthsight.images.sampling import may_be_shown, sample, stratified_sample
from synthsight.program import Arguments, many, one, program
from synthsight.report.attributes import attribute_data, ranges
from synthsight.report.explorer import accepted_by, image_data, question_data
from synthsight.report.facts import addresses, describe_preprocessing, without_nulls
from synthsight.report.imported import no_duplicates
from synthsight.report.left_out import of_left_out, without
from synthsight.report.maps import map_data
from synthsight.report.page import Page, Pair, render
from synthsight.report.people import explorer_people
from synthsight.report.remarks import remarks, unit_of_images, unit_of_questions
from synthsight.report.tables import read_counted
from synthsight.report.thumbnails import read_thumbnails
from synthsight.tables import read_parquet

#: Packages that the tables depend on, made where the page is made.
PACKAGES = ("numpy", "pandas", "pyarrow", "statsmodels", "snakemake")


@program(
    many("tables", "Parquet or CSV, by name"),
    many("manifests", "the manifests of all categories"),
    many("scores", "the scores of all models"),
    many("notes", "the notes about the models' weights, JSON"),
    many("pictures", "thumbnails of the images"),
    one("duplicate_pictures", "thumbnails of duplicates"),
    many("vqa_scores", "the scored answers of all VQA models", required=False),
    many("vqa_notes", "the notes about their weights, JSON", required=False),
    many("vqa_pictures", "thumbnails of the images that the questions are about", required=False),
    many("maps", "where images lie on a map, a file a model, Parquet", required=False),
    many("attributes", "what else is said of the images, Parquet", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    text = render(_page(args))
    with atomic(args.output) as temporary:
        temporary.write_bytes(text.encode())
    print(f"{len(text.encode()) / 1e6:.1f} MB")


def _page(args: Arguments) -> Page:
    spec = args.spec
    usable = [
        record for path in args.manifests for record in read_manifest(path) if record.status == "ok"
    ]
    tables = {Path(path).stem: read_counted(path) for path in args.tables}
    excludes = spec["settings"]["images"].get("duplicates") == "exclude"
    more = excludes or spec.get("excludes", False)
    excluded = frozenset(tables["excluded"]["image"] if more else ())
    records = [record for record in usable if record.image not in excluded]
    chosen = _choose(usable, excluded, spec["images"], spec.get("pictures", {}))
    pictures = _Pictures()
    audit = tables["label_audit"]
    accepted = {model: accepted_by(audit, labels) for model, labels in spec["labels"].items()}
    explorer = image_data(chosen, args.scores, accepted)
    if "people_images" in tables:
        explorer["people"] = explorer_people(explorer["images"], tables["people_images"])
    for path in args.attributes:  # one, or none
        explorer["attributes"] = attribute_data(path, explorer["images"])
        if "attributes" in tables:
            explorer["attributes"]["parts"] = ranges(tables["attributes"])
    if args.maps:
        explorer["map"] = map_data(args.maps, explorer["images"])
    explorer["picture"] = pictures.add(args.pictures, [record.image for record in chosen])
    questions = None
    asked = 0
    if args.vqa_scores:
        table = read_parquet(args.vqa_scores[0], ["image"])
        asked = table.num_rows
        images = sample(set(table.column("image").to_pylist()), spec["images"])
        numbers = pictures.add(args.vqa_pictures, images)
        questions = question_data(args.vqa_scores, dict(zip(images, numbers, strict=True)))
    duplicates = tables["duplicates"]
    notes, vqa_notes = _notes(args.notes), _notes(args.vqa_notes)
    made_with = origin.versions()  # of all that has been read
    told = spec.get("groups", {})
    return Page(
        run=spec["run"],
        rule=spec["rule"],
        level=spec["level"],
        date=_date([*args.scores, *args.vqa_scores]),
        tables=tables,
        notes=notes,
        vqa_notes=vqa_notes,
        duplicates=_pairs(duplicates, args.duplicate_pictures, excluded),
        excludes_duplicates=excludes,
        remarks=[
            *of_left_out(spec.get("left_out", ())),
            *remarks(
                *(usable, args.scores, [*notes, *vqa_notes], duplicates),
                *(tables.get("vqa"), made_with, told.get("images", PATTERNS[0]), excluded),
                no_duplicates(
                    zip(*(tables["excluded"][of] for of in ("image", "reason")), strict=True)
                ),
                asked,
            ),
        ],
        without=without(spec.get("left_out", ())),
        units=[
            *(unit_of_images(args.scores[0], by) for by in [told.get("images")] if by),
            *(unit_of_questions(args.vqa_scores, by) for by in [told.get("questions")] if by),
        ],
        preprocessing={
            model: describe_preprocessing(about) for model, about in spec["preprocessing"].items()
        },
        counts=_counts(records),
        made_with=made_with,
        versions={
            "Python": platform.python_version(),
            "synthsight": own_version(),
            **{each: version(each) for each in PACKAGES},
        },
        mark=origin.mark(args.output),
        digests=_digests(records, spec),
        configuration=yaml.safe_dump(
            without_nulls(spec["settings"]), sort_keys=False, allow_unicode=True
        ),
        explorer=explorer,
        questions=questions,
        side=spec["settings"]["report"]["thumbnail"],
        pictures=pictures.files,
        roots={
            what: root and addresses(roots_of(Path(root), *manifests), args.output)
            for what, root, manifests in (
                ("images", spec["roots"]["images"], args.manifests),
                ("questions", spec["roots"]["questions"], ()),
            )
        },
        sampled={"images": len(records), "questions": asked},
    )


def _choose(
    usable: Sequence[ImageRecord],
    excluded: Collection[str],
    limit: int,
    pictures: Mapping[str, int],
) -> list[ImageRecord]:
    """The images on the page: of those that are not excluded, such as there are pictures of."""
    by_category: dict[str, dict[str | None, list[str]]] = {}
    for record in usable:
        of_category = by_category.setdefault(record.category, {})
        of_category.setdefault(record.generator, []).append(record.image)
    kept = {
        category: {
            source: [image for image in images if image not in excluded]
            for source, images in by_source.items()
        }
        for category, by_source in by_category.items()
    }
    wanted = {*stratified_sample(kept, limit)}
    # Pictures are made without regard to duplicates, and perhaps before it is known which files are
    # images.
    if excluded or pictures:
        wanted &= {
            image
            for category, each in by_category.items()
            for image in may_be_shown(each, pictures.get(category, limit))
        }
    return sorted(
        (record for record in usable if record.image in wanted), key=lambda record: record.image
    )


class _Pictures:
    """Thumbnails in the page, each stored once."""

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def add(self, paths: Sequence[str], images: Sequence[str]) -> list[int]:
        """Add the thumbnails of some images from these files; returns their numbers."""
        found: dict[str, bytes] = {}
        for path in paths:
            found |= read_thumbnails(path, images)
        numbers = []
        for image in images:
            if image not in found:
                raise SynthsightError(
                    f"no thumbnail of {image!r} in {', '.join(paths)}; {MAKE_AGAIN}"
                )
            content = found[image]
            number = self._numbers.setdefault(content, len(self.files))
            if number == len(self.files):
                self.files.append(content)
            numbers.append(number)
        return numbers


def _pairs(duplicates: pd.DataFrame, pictures: str, excluded: Collection[str]) -> list[Pair]:
    """The worst pairs of duplicates, as many as there are pictures of."""
    shown = worst_pairs(duplicates, SHOWN)
    files = read_thumbnails(pictures, {*shown["a"], *shown["b"]})
    for image in {*shown["a"], *shown["b"]} - {*files}:
        raise SynthsightError(f"no thumbnail of {image!r} in {pictures}; {MAKE_AGAIN}")
    return [
        Pair(row["a"], row["b"], files[row["a"]], files[row["b"]], described(row, excluded))
        for row in shown.to_dict("records")
    ]


def _notes(paths: Sequence[str]) -> list[dict[str, Any]]:
    return [read_json(path, ["name"]) for path in paths]


def _counts(records: Sequence[ImageRecord]) -> dict[str | None, int]:
    counts = Counter(record.generator for record in records)
    return dict(sorted(counts.items(), key=lambda item: (item[0] is None, item[0] or "")))


def _date(scores: Sequence[str]) -> str:
    """The day on which the newest scores were written, so that remaking the page keeps the date."""
    newest = max(Path(path).stat().st_mtime for path in scores)
    return datetime.fromtimestamp(newest, UTC).date().isoformat()


def _digests(records: Sequence[ImageRecord], spec: Mapping[str, Any]) -> dict[str, str]:
    images = hashlib.sha256()
    for record in sorted(records, key=lambda record: record.image):
        images.update(f"{record.sha256}  {record.image}\n".encode())
    found = {"images (sha256 of the list of their sha256 and names)": images.hexdigest()}
    if spec["questions"]:
        found["questions"] = spec["questions"]
    return found


if __name__ == "__main__":
    main()
