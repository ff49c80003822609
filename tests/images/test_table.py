"""A table of images is divided into its categories once, in parts, and kept by content."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.files import FileError
from synthsight.images import table
from synthsight.images.finding import ImageFinder
from synthsight.images.rows import FOLDER, INDEXED, KNOWN, look_up, read_kept_rows
from synthsight.images.table import COLUMNS, Divided, divide
from synthsight.tabular import TableError
from tests.support import draw_image

NAMES = {name: name for name in COLUMNS}


def write(path: Path, rows: int, categories: int = 3) -> Path:
    lines = [f"g/{n}.png,thing{n % categories},g{n % 2},{n // 4}\n" for n in range(rows)]
    path.write_text("image,category,generator,group\n" + "".join(lines), encoding="utf-8")
    return path


def rows_of(divided: Divided) -> dict[str, list[dict[str, object]]]:
    return {name: divided.rows(name).to_pylist() for name in divided.parts}


@pytest.mark.parametrize("at_a_time", [1, 7, 1000])
def test_rows_stay_in_order_however_many_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(table, "_ROWS", at_a_time)
    divided = divide(write(tmp_path / "t.csv", 50), "content", NAMES, None, tmp_path / "kept")
    found = rows_of(divided)
    assert list(found) == ["thing0", "thing1", "thing2"]
    for number, rows in enumerate(found.values()):
        numbers = range(number, 50, 3)
        assert [row["line"] for row in rows] == [n + 2 for n in numbers]
        assert [row["image"] for row in rows] == [f"g/{n}.png" for n in numbers]
        assert [row["generator"] for row in rows] == [f"g{n % 2}" for n in numbers]
        assert [row["group"] for row in rows] == [str(n // 4) for n in numbers]
        assert {row["prompt"] for row in rows} == {None}
    assert [part.rows for part in divided.parts.values()] == [17, 17, 16]
    assert divided.columns == ("generator", "group") and divided.real == ()


def test_a_table_that_holds_the_images_is_sent_to_the_archive(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": b"\xff\xd8\xff", "path": None}], kind)
    pq.write_table(pa.table({"image": images, "category": ["kite"]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"'image' holds the images themselves.*images\.archive"):
        divide(tmp_path / "t.parquet", "content", NAMES, None, tmp_path / "kept")


def test_a_table_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 9)
    first = divide(path, "content", NAMES, None, tmp_path / "kept")
    path.write_text("nobody reads this")
    assert rows_of(divide(path, "content", NAMES, None, tmp_path / "kept")) == rows_of(first)
    for other in (("other content", NAMES, None), ("content", NAMES, "test")):
        with pytest.raises(TableError, match="no column 'image'"):
            divide(path, *other, tmp_path / "kept")


def test_a_table_that_is_wrong_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("image,category\na.png,cat\n,cat\n")
    with pytest.raises(TableError, match="line 3: no image"):
        divide(path, "content", NAMES, None, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_damaged_rows_are_made_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 9)
    divided = divide(path, "content", NAMES, None, tmp_path / "kept")
    kept = divided.folder / divided.parts["thing1"].file
    kept.write_bytes(kept.read_bytes()[:-30] + b"?" * 10)
    with pytest.raises(TableError, match=r"arrows was damaged: start again"):
        divided.rows("thing1")
    again = divide(path, "content", NAMES, None, tmp_path / "kept")
    assert len(again.rows("thing1")) == 3


@pytest.mark.long
def test_memory_does_not_grow_with_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_ROWS", 500)
    peaks = []
    for rows in (1000, 10_000):
        path = write(tmp_path / f"{rows}.csv", rows)
        tracemalloc.start()
        divide(path, str(rows), NAMES, None, tmp_path / "kept")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_a_job_s_rows_are_called_by_what_they_hold(tmp_path: Path) -> None:
    for number in range(9):
        draw_image(tmp_path / "root" / "g" / f"{number}.png", number)
    path = write(tmp_path / "t.csv", 9)
    find, kept = ImageFinder(tmp_path / "root"), tmp_path / "kept"
    divided = divide(path, "content", NAMES, None, kept / FOLDER)
    found = look_up(divided, "thing1", find, kept)
    assert found.rows.generators == ("g0", "g1")
    indexed = read_kept_rows(kept, found.rows.indexed, INDEXED)
    assert indexed.to_pylist() == [
        {"image": f"g/{n}.png", "generator": f"g{n % 2}", "reason": None} for n in (1, 4, 7)
    ]
    assert found.rows.known is not None
    known = read_kept_rows(kept, found.rows.known, KNOWN)
    assert known["group"].to_pylist() == ["0", "1", "1"]
    file = kept / FOLDER / f"{found.rows.indexed}.parquet"
    other = kept / FOLDER / f"{look_up(divided, 'thing2', find, kept).rows.indexed}.parquet"
    file.write_bytes(other.read_bytes())
    for message in ("was damaged; run the workflow again", "cannot be read; run the workflow"):
        with pytest.raises(FileError, match=message):
            read_kept_rows(kept, found.rows.indexed, INDEXED)
    assert look_up(divided, "thing1", find, kept) and file.exists()
