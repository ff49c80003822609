"""The same run gives the same bytes; batches and threads change logits by rounding, and no hit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support import Project, assert_close, log_odds

#: Tables of counts of hits, and of nothing else that a model says.
OF_HITS = ("accuracy", "agreement", "comparisons", "generators", "kappa", "ranking", "reference")


def made(folder: Path) -> dict[Path, bytes]:
    """All files of a run but its logs, by path; without the date that the page states."""
    return {
        path.relative_to(folder): re.sub(rb"20\d\d-\d\d-\d\d", b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and "logs" not in path.parts
    }


@pytest.mark.long
def test_the_same_run_twice_gives_the_same_bytes(project: Project, finished: Project) -> None:
    shutil.rmtree(project.results)
    shutil.rmtree(project.folder / ".snakemake")
    shutil.rmtree(project.folder / "resources" / "weights")
    project.cold = True  # with another seed of hashes, and another of numpy's, than the first run
    project.run("all", "rating", "--cores", "1")
    again, first = made(project.results), made(finished.results)
    assert again.keys() == first.keys()
    assert [str(path) for path in first if again[path] != first[path]] == []


@pytest.mark.long
def test_batches_and_threads_change_rounding_and_nothing_else(
    project: Project, finished: Project
) -> None:
    config = project.config
    config["batch_size"] = 1
    config["vqa"]["batch_size"] = 3
    project.configure(config)
    shutil.rmtree(project.results)
    said = project.run("logits", "answers", "tables", "--resources", "gpu=1")
    assert said.count("threads: 2") == 10, "six jobs that classify and four that ask"
    for path in finished.results.glob("logits/*/*.parquet"):
        first = pq.read_table(path)
        again = pq.read_table(project.results / path.relative_to(finished.results))
        assert again.schema.metadata == first.schema.metadata
        assert again["image"] == first["image"]
        assert_close(again["logits"].to_pylist(), first["logits"].to_pylist())
    for path in finished.results.glob("vqa/answers/*/*.parquet"):
        first = pq.read_table(path)
        again = pq.read_table(project.results / path.relative_to(finished.results))
        assert again["question"] == first["question"]
        assert_close(log_odds(again["p_yes"]), log_odds(first["p_yes"]))
    for table in OF_HITS:
        name = Path("tables") / f"{table}.csv"
        assert (project.results / name).read_bytes() == (finished.results / name).read_bytes(), name
