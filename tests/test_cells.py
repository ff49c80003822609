"""What a spreadsheet or a terminal would obey reaches neither, and Parquet has it as it was."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from synthsight.cells import quoted
from synthsight.errors import SynthsightError
from synthsight.report.tables import read_table
from synthsight.tables import write_records, write_table
from synthsight.wording import printable
from tests.support import REPOSITORY

RUN = ["=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''@a", "\uff1d1"]
HARMLESS = ["", "a=b", "'quoted'", "kite", "it's", "1", "'"]


@pytest.mark.parametrize("text", [*RUN, *HARMLESS])
def test_a_cell_that_would_be_run_gets_one_quote(text: str) -> None:
    assert quoted(text) == (text if text in HARMLESS else f"'{text}")


@pytest.mark.parametrize("value", [-1, -0.5, None, True])
def test_what_is_no_text_stays_what_it_is(value: object) -> None:
    assert quoted(value) is value


def test_tables_and_lists_of_what_was_left_out_run_nothing(tmp_path: Path) -> None:
    table = pd.DataFrame({"model": ["=A1", "b", None], "top1": [-0.25, 0.1, None]})
    write_table(table, tmp_path / "a.csv", tmp_path / "a.parquet")
    assert (tmp_path / "a.csv").read_text() == "model,top1\n'=A1,-0.25\nb,0.1\n,\n"
    assert pd.read_parquet(tmp_path / "a.parquet")["model"].tolist()[:2] == ["=A1", "b"]
    record = SimpleNamespace(image='=HYPERLINK("x")', line=-3)
    paths = (tmp_path / "left_out.csv", tmp_path / "left_out.parquet")
    write_records(*paths, [("image", pa.string()), ("line", pa.int64())], [record])
    assert '"\'=HYPERLINK(""x"")","-3"' in paths[0].read_text()
    assert read_table(paths[1])["image"].tolist() == ['=HYPERLINK("x")']


def test_names_that_pandas_takes_for_missing_come_back_as_docs_methods_says(tmp_path: Path) -> None:
    names = ["NA", "nan", "null", "None", "N/A", "n/a", "NaN", "<NA>", "kite", None]
    table = pd.DataFrame({"category": pd.array(names, "str"), "top1": [*[0.5] * 9, None]})
    write_table(table, tmp_path / "a.csv", tmp_path / "a.parquet")
    read = pd.read_csv(tmp_path / "a.csv", keep_default_na=False, na_values="")
    pd.testing.assert_frame_equal(read, table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet"), table)
    documented = (REPOSITORY / "docs" / "methods.md").read_text(encoding="utf-8")
    assert 'pd.read_csv(file, keep_default_na=False, na_values="")' in " ".join(documented.split())


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "\x9b31m", "\x07", "\r", "\u202e", "\x7f", "\udce4"])
def test_no_error_and_no_line_moves_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert str(SynthsightError(text)) == printable(text)


def test_texts_in_any_script_and_lines_stay() -> None:
    assert printable("pöster 鳥\nसिंह") == "pöster 鳥\nसिंह"
