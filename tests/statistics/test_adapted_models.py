"""Models that were trained on the run's images: models like any other, but none is the best one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.report.answer import best_model, images_answer
from synthsight.statistics.accuracy import aggregate, tabulate
from synthsight.statistics.adapted import marked, of_others
from synthsight.statistics.columns import REFERENCE
from synthsight.statistics.compare import compare
from synthsight.statistics.robustness import robustness
from synthsight.tables import Outputs, read_frame
from tests.statistics.test_robustness import GENERATED, REAL, SPEC, write

#: The model that gets most of the generated images.
FIRST = "m3"


def test_the_best_model_is_none_that_was_trained_on_the_images(tmp_path: Path) -> None:
    accuracy = aggregate(write(tmp_path, REAL, GENERATED), 0.9)
    for best in (best_model, style.best_model):
        assert best(accuracy, "classes") == FIRST
        assert best(marked(accuracy, [FIRST]), "classes") == "m5"
        assert best(marked(accuracy, set(accuracy["model"])), "classes") == FIRST, "of these alone"


def test_the_table_s_file_knows_them_and_its_columns_stay(tmp_path: Path) -> None:
    scores = list(map(str, write(tmp_path / "scores", REAL, GENERATED)))
    files = [tmp_path / f"accuracy.{ending}" for ending in ("csv", "parquet")]
    tabulate(Outputs(files), scores, 0.9, [FIRST])
    read = read_frame(files[1], ["model"])
    assert set(read["model"]) - set(of_others(read)["model"]) == {FIRST}
    pd.testing.assert_frame_equal(pd.DataFrame(read), aggregate(scores, 0.9), check_flags=False)


def test_they_are_compared_and_have_no_rank(tmp_path: Path) -> None:
    scores = write(tmp_path, REAL, GENERATED)
    comparisons, ranking = compare(scores, 0.9, 200, 0, [FIRST])
    plain, all_ranked = compare(scores, 0.9, 200, 0)
    pd.testing.assert_frame_equal(comparisons, plain)
    assert set(all_ranked["model"]) - set(ranking["model"]) == {FIRST}
    first = ranking[(ranking["generator"] == "*") & (ranking["hit"] == "top1")]
    assert first.loc[first["rank"] == 1].set_index("model")["share"].idxmax() == "m5"


def test_they_have_no_part_in_the_line(tmp_path: Path) -> None:
    scores = write(tmp_path, REAL, GENERATED)
    found = robustness(scores, **SPEC, adapted=[FIRST])
    others = [path for path in scores if path.stem != FIRST.removeprefix("m")]
    pd.testing.assert_frame_equal(found, robustness(others, **SPEC))


def test_the_answer_says_that_there_are_others(tmp_path: Path) -> None:
    scores = write(tmp_path, REAL, GENERATED)
    files = [tmp_path / f"accuracy.{ending}" for ending in ("csv", "parquet")]
    tabulate(Outputs(files), list(map(str, scores)), 0.9, [FIRST])
    accuracy = read_frame(files[1], ["model"])
    _, ranking = compare(scores, 0.9, 200, 0, [FIRST])
    nothing = pd.DataFrame(columns=list(REFERENCE))
    said = images_answer(accuracy, nothing, ranking, "classes", 0.9)
    assert "m5, the best of 5 models that were not trained on such images, " in said
