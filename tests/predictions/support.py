"""A small run's manifests, and files of predictions about its images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.labels.spaces import LabelSpace
from synthsight.predictions.importing import Wanted, import_predictions

IMAGES = ("dream/kite/1.png", "dream/kite/2.png", "muse/kite/1.png", "muse/vase/ä.png")
LABELS = LabelSpace(
    "seven",
    ("kite", "wood rabbit", "hare", "crane bird", "crane", "vase", "toilet seat"),
    (
        ("kite",),
        ("wood rabbit", "cottontail"),
        ("hare",),
        ("crane",),
        ("crane",),
        ("vase",),
        ("toilet seat", "lavatory seat"),
    ),
    tuple(f"n0000000{number}" for number in range(7)),
)


@dataclass
class Imports:
    """Imports files about :data:`IMAGES` in a folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.manifests = []
        for category in ("kite", "vase"):
            path = self.folder / f"{category}.parquet"
            names = [*(name for name in IMAGES if f"/{category}/" in name)]
            records = [
                ImageRecord(name, category, None, "0" * 64, 1, 1, "ok", None) for name in names
            ]
            bad = f"muse/{category}/broken.png"
            records.append(
                ImageRecord(bad, category, None, None, None, None, "excluded", "damaged")
            )
            write_manifest(path, records)
            self.manifests.append(path)

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(
        self,
        path: Path,
        missing: str = "refuse",
        labels: LabelSpace = LABELS,
        columns: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """What is imported of each image: its classes and their probabilities, or its logits."""
        output, note = self.folder / "imported", self.folder / "imported.json"
        wanted = Wanted("model", path, labels, missing, columns or {})
        self.said = import_predictions(wanted, self.manifests, output, note)
        self.note: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
        rows = pq.read_table(output).to_pylist()
        names = [row["image"] for row in rows]
        assert names == sorted(names, key=lambda name: (name.split("/")[1], name))
        return {
            row["image"]: row["logits"]
            if "logits" in row
            else list(zip(row["predicted"], row["probability"], strict=True))
            for row in rows
        }

    def text(self, text: str, name: str = "p.csv", **how: Any) -> dict[str, Any]:
        return self.read(self.file(name, text), **how)


def rows(lines: Sequence[str]) -> str:
    """A table of predictions of the first image, and one row for each of the others."""
    others = [f"{image},vase" + "," * (lines[0].count(",") - 1) for image in IMAGES[1:]]
    return "\n".join([*lines, *others]) + "\n"
