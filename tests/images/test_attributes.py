"""What a file says of images is joined with the run's images, and nothing gets lost in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.images.attributes import AttributesError, Told, columns_of, find_attributes
from synthsight.images.sources import FURTHER, SCHEMA
from synthsight.tabular import TableError

IMAGES = ("dream/kite/1.png", "dream/kite/2.png", "muse/kite/1.png")


def sources(folder: Path, prompts: dict[str, str] | None = None) -> Path:
    rows = [
        {"image": image, "category": "kite", "generator": image.split("/")[0], "group": image}
        | {"real": False}
        | ({} if prompts is None else {"prompt": prompts.get(image), "split": None})
        for image in reversed(IMAGES)
    ]
    path = folder / "sources.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA if prompts is None else FURTHER), path)
    return path


def find(folder: Path, content: str, name: str = "a.csv", **told: object) -> tuple[dict, list[str]]:  # type: ignore[type-arg]
    path = folder / name
    path.write_text(content, encoding="utf-8")
    about = {"columns": ("prompt", "steps"), "root": "pictures", **told}
    said = find_attributes(Told(str(path), **about), sources(folder), folder / "out.parquet")  # type: ignore[arg-type]
    return pq.read_table(folder / "out.parquet").to_pydict(), said


def test_values_are_texts_by_image_and_null_where_nothing_is_known(tmp_path: Path) -> None:
    table, said = find(
        tmp_path,
        "image,prompt,steps,other\n"
        'muse/kite/1.png,"a kite,\nover the sea",30,x\n'
        "dream/kite/2.png,,20.0,x\n"
        "dream/kite/1.png,a kite,,x\n",
    )
    assert table == {
        "image": sorted(IMAGES),
        "prompt": ["a kite", None, "a kite, over the sea"],
        "steps": [None, "20.0", "30"],
    }
    assert said == []


def test_what_cannot_count_is_said(tmp_path: Path) -> None:
    table, said = find(
        tmp_path,
        "image,prompt,steps\n"
        "pictures\\dream\\kite\\1.png,a kite,20\n"
        "dream/kite/1.png,a kite,20\n"
        "dream/kite/9.png,a kite,20\n",
    )
    assert table["prompt"] == ["a kite", None, None]
    path = tmp_path / "a.csv"
    assert said[0] == (
        f"2 of 3 images have no row in {path}: 'dream/kite/2.png', 'muse/kite/1.png'"
    )
    assert said[1].startswith(
        f"1 of 3 rows of {path} are about no usable image of the run: 'dream/kite/9.png' (line 4: "
        "no such image in the run; did you mean"
    )
    assert said[2] == f"1 rows of {path} say again what an earlier one does"


def test_contradictions_and_files_about_other_images_are_errors(tmp_path: Path) -> None:
    row = "dream/kite/1.png,a kite,{}\n"
    with pytest.raises(
        AttributesError, match=r"'dream/kite/1\.png' is on line 2 and on line 3, with another steps"
    ):
        find(tmp_path, "image,prompt,steps\n" + row.format(20) + row.format(30))
    with pytest.raises(AttributesError, match=r"no row of .*'x\.png' .*start at images\.root"):
        find(tmp_path, "image,prompt,steps\nx.png,a,1\n")
    with pytest.raises(TableError, match=r"line 2: no image in the column 'image'"):
        find(tmp_path, "image,prompt,steps\n,a,1\n")
    with pytest.raises(TableError, match=r"has no column 'steps'"):
        find(tmp_path, "image,prompt\ndream/kite/1.png,a\n")


def test_metadata_of_a_folder_of_images_is_read_with_its_lists(tmp_path: Path) -> None:
    rows = [
        {"file_name": "kite/1.png", "prompt": "a", "steps": 20, "tags": ["x", "y"]},
        {"file_name": "dream/kite/2.png", "steps": 2.5, "tags": []},
    ]
    content = "\n".join(map(json.dumps, rows))
    with pytest.raises(AttributesError, match=r"'kite/1\.png' \(line 1: it may be any of dream/"):
        find(tmp_path, json.dumps(rows[0]), "m.jsonl", image="file_name")
    table, said = find(tmp_path, content, "m.jsonl", image="file_name", columns=("steps", "tags"))
    assert table["steps"] == [None, "2.5", None]
    assert table["tags"] == [None, None, None]
    assert len(said) == 2
    assert columns_of(tmp_path / "m.jsonl", "file_name") == ["prompt", "steps", "tags"]


def test_prompts_that_the_sources_know_are_shown_without_a_file(tmp_path: Path) -> None:
    said = {"dream/kite/1.png": "a kite", "muse/kite/1.png": "a kite at sea"}
    output = tmp_path / "out.parquet"
    assert find_attributes(Told(None), sources(tmp_path, said), output) == []
    table = pq.read_table(output).to_pydict()
    assert table == {"image": sorted(IMAGES), "prompt": ["a kite", None, "a kite at sea"]}
    with pytest.raises(AttributesError, match=r"images\.attributes\.table"):
        find_attributes(Told(None), sources(tmp_path), output)
