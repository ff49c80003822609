"""What a file says of its making, whatever stands around it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from synthsight import origin
from synthsight.origin import Mark, Origin, read_origin
from synthsight.tables import read_parquet, write_parquet


@pytest.mark.parametrize("after", [b"", b"A9zz", b"=", b".", b"\n>", b"\xff\0"])
@pytest.mark.parametrize("inputs", [0, 1, 5000])
def test_a_mark_is_read_whatever_follows_it(tmp_path: Path, after: bytes, inputs: int) -> None:
    made_from = {f"scores/{number}.parquet": f"{number:032x}" for number in range(inputs)}
    with origin.making("plot", {"rule": "classes"}, "c0de"):
        for name, chain in made_from.items():
            note = Origin("x", "{}", chain)
            origin.depends_on_note({origin.KEY: {**note.as_dict(), "file": name}})
        mark = origin.mark(tmp_path / "figures" / "kappa.png")
    file = tmp_path / "any.png"
    file.write_bytes(b"\x89PNG" + str(mark).encode() + after + b"\0" * 100)
    found = read_origin(file)
    made = Origin("plot", '{"rule":"classes"}', "c0de", {}, "figures/kappa.png")
    assert isinstance(found, Mark) and found.digest == made.digest
    assert (found.spec, found.code, found.file) == (made.spec, made.code, made.file)
    assert found.inputs == {
        f"x {name}": Origin("x", "{}", chain, {}, name).chain[:12]
        for name, chain in made_from.items()
    }


def test_what_is_read_is_in_the_mark(tmp_path: Path) -> None:
    table = tmp_path / "tables" / "kappa.parquet"
    table.parent.mkdir()
    with origin.making("tabulate", {}, "1"):
        write_parquet(table, pa.table({"a": [1]}), "0" * 64)
    said = read_origin(table)
    assert isinstance(said, Origin) and said.beside == "0" * 64
    with origin.making("plot", {}, "2"):
        read_parquet(table, ["a"])
        (tmp_path / "kappa.png").write_text(str(origin.mark("figures/kappa.png")))
    found = read_origin(tmp_path / "kappa.png")
    assert isinstance(found, Mark) and found.inputs == {said.name: said.chain[:12]}
    (tmp_path / "kappa.png").write_text("synthsight-origin:" + "0" * 32 + ".!!!.")
    assert read_origin(tmp_path / "kappa.png") == Mark("0" * 32, {})  # of an earlier version


def test_files_of_a_run_that_differ_have_names_that_differ() -> None:
    assert origin.short("results/a/tables/vqa.parquet") == "tables/vqa.parquet"
    assert origin.short("vqa.parquet") == "/vqa.parquet"
    answers = "results/a/vqa/answers"
    assert origin.short(f"{answers}/one/blind/1.parquet") == "one/blind/1.parquet"
    assert origin.short(f"{answers}/one/1.parquet") == "one/1.parquet"
    assert origin.short("results/a/pixels/g-of-one/c.arrow") == "g/c.arrow"
