"""Joining the vectors of a category's parts: the bytes of one file, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.features.join_vectors import VectorsError, join_vectors
from synthsight.images.parts import part_of
from synthsight.tables import ROWS, write_vectors

#: More than two groups of rows.
NUMBER = 2 * ROWS + 100

NAMES = [f"clock/{number:06}.png" for number in range(NUMBER)]
LENGTH = 3
ABOUT = {"model": "a", "weights_sha256": "0"}


def manifest(folder: Path, images: Sequence[str], excluded: Sequence[str] = ()) -> Path:
    rows = sorted([*((name, "ok") for name in images), *((name, "excluded") for name in excluded)])
    table = {"image": [name for name, _ in rows], "status": [status for _, status in rows]}
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return folder / "manifest.parquet"


def write(path: Path, images: Sequence[str], length: int = LENGTH, **about: str) -> Path:
    number = np.array([int(name[6:12]) for name in images], np.float32)
    vectors: npt.NDArray[np.float32] = np.stack([number + k / 4 for k in range(length)], axis=-1)
    write_vectors(path, "logits", images, vectors, {**ABOUT, **about})
    return path


def parts_of(folder: Path, images: Sequence[str], parts: int) -> list[Path]:
    folders: dict[str, list[str]] = {}
    for name in images:
        folders.setdefault(part_of(name.encode(), parts), []).append(name)
    return [write(folder / f"{part}.parquet", folders[part]) for part in sorted(folders)]


def test_joined_parts_are_byte_for_byte_the_file_of_all(tmp_path: Path) -> None:
    left_out = [NAMES[0], NAMES[5], NAMES[-1]]
    used = [name for name in NAMES if name not in left_out]
    parts = parts_of(tmp_path, NAMES, 4)
    number = join_vectors(parts, manifest(tmp_path, used, left_out), "logits", tmp_path / "joined")
    write(tmp_path / "whole", used)
    assert number == len(used)
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_part_without_a_usable_image_takes_nothing_away(tmp_path: Path) -> None:
    names = NAMES[:3]
    nothing = tmp_path / "nothing.parquet"
    write_vectors(nothing, "logits", [], np.empty((0, 0), np.float32), ABOUT)
    parts = [nothing, write(tmp_path / "some.parquet", names)]
    join_vectors(parts, manifest(tmp_path, names), "logits", tmp_path / "joined")
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "some.parquet").read_bytes()


def test_parts_that_do_not_make_up_the_manifest_are_refused(tmp_path: Path) -> None:
    names = NAMES[:8]
    parts = parts_of(tmp_path, names, 2)

    def refused(parts: Sequence[Path], images: Sequence[str], message: str) -> None:
        with pytest.raises(VectorsError, match=message):
            join_vectors(parts, manifest(tmp_path, images), "logits", tmp_path / "joined")
        assert not (tmp_path / "joined").exists()

    refused(parts, [*names, "clock/more.png"], "no part of .* has 'clock/more.png'")
    refused(parts[:1], names, "no part of .* has 'clock/")
    refused(parts, names[:-1], f"'{names[-1]}' is in a part, and not in .*manifest.parquet")
    refused([*parts, parts[0]], names, "'clock/.*' is in two parts")
    other = write(tmp_path / "other.parquet", NAMES[8:9], weights_sha256="1")
    refused([*parts, other], NAMES[:9], "other.parquet and .* are not of one model")
    longer = write(tmp_path / "longer.parquet", NAMES[8:9], LENGTH + 1)
    refused([*parts, longer], NAMES[:9], "longer.parquet has logits of length 4, and .* of 3")
