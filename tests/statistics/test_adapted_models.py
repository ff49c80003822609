"""Models that were trained on the images: none is the best, none is counted with others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight.figures import style
from synthsight.report.answer import agreement_answer, best_model, images_answer, people_answer
from synthsight.statistics.accuracy import aggregate, tabulate
from synthsight.statistics.adapted import marked, of_others, uncounted
from synthsight.statistics.agreement import measure_agreement
from synthsight.statistics.columns import REFERENCE
from synthsight.statistics.compare import compare
from synthsight.statistics.confusions import confusions
from synthsight.statistics.generators import compare_generators
from synthsight.statistics.people import describe_images
from synthsight.statistics.people_agreement import agreement
from synthsight.statistics.robustness import robustness
from synthsight.tables import Outputs, read_frame
from tests.report.test_people import RULE, people_table
from tests.statistics.test_people import models, three
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


@pytest.mark.long
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


def named(paths: list[Path]) -> list[Path]:
    """The same scores, with a name for their class."""
    for path in paths:
        table = pq.read_table(path)
        metadata = {**(table.schema.metadata or {}), b"class_names": b'["thing"]'}
        pq.write_table(table.replace_schema_metadata(metadata), path)
    return paths


def test_what_is_said_of_all_models_is_said_of_the_others(tmp_path: Path) -> None:
    scores = named(write(tmp_path / "scores", REAL, GENERATED))
    others = [path for path in scores if path.stem != FIRST.removeprefix("m")]
    images = [tmp_path / f"{number}.parquet" for number in range(3)]
    found = measure_agreement(scores, 0.9, images[0], [FIRST])
    without = measure_agreement(others, 0.9, images[1])
    every = measure_agreement(scores, 0.9, images[2])
    pd.testing.assert_frame_equal(found.agreement, without.agreement)
    pd.testing.assert_frame_equal(found.difficulty, without.difficulty)
    assert pq.read_table(images[0]).equals(pq.read_table(images[1]))
    pd.testing.assert_frame_equal(found.kappa, every.kappa)
    assert not found.agreement.equals(every.agreement)
    alone = measure_agreement(scores, 0.9, images[0], [f"m{number}" for number in range(6)])
    pd.testing.assert_frame_equal(alone.agreement, every.agreement)

    for function in (confusions, lambda *given: compare_generators(given[0], 0.9, *given[1:])):
        table, fewer, full = function(scores, [FIRST]), function(others), function(scores)
        together = table["model"] == "*"
        same = [each[each["model"] == "*"].reset_index(drop=True) for each in (table, fewer, full)]
        pd.testing.assert_frame_equal(same[0], same[1])
        assert len(same[0]) and not same[0].equals(same[2])
        pd.testing.assert_frame_equal(table[~together], full[full["model"] != "*"])


def test_mistakes_of_adapted_models_alone_are_nobody_s_in_common(tmp_path: Path) -> None:
    """The others make none, and so are in no row of mistakes."""
    scores = named(write(tmp_path, np.array([1.0, 0.5]), np.array([1.0, 0.5])))
    assert {*confusions(scores)["model"]} == {"*", "m1"}
    assert {*confusions(scores, ["m1"])["model"]} == {"m1"}


def test_people_are_beside_each_of_them_and_in_groups_beside_the_others(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    hits = models(ratings, {"m": [1, 0, 0, 0], "n": [1, 1, 0, 0], "n+linear": [1, 1, 1, 1]})
    others = hits.without(["n+linear"])
    assert others.models == ("m", "n") and others.hits.tolist() == hits.hits[:, :2].tolist()
    assert describe_images(ratings, others)["models"].tolist() == [2] * 4
    assert hits.without({*hits.models}) is hits
    table = agreement(ratings, [hits], 0.95, 0, ["n+linear"])
    fewer, every = (agreement(ratings, [each], 0.95, 0) for each in (others, hits))
    assert {*table.loc[table["kind"] == "model", "name"]} == {*hits.models}
    means = [each[each["kind"] == "models"].reset_index() for each in (table, fewer, every)]
    assert means[0]["pairs"].tolist() == means[1]["pairs"].tolist() == [1]
    assert means[2]["pairs"].tolist() == [3]


def test_the_sentences_on_all_models_say_which_are_meant(tmp_path: Path) -> None:
    scores = write(tmp_path / "scores", REAL, GENERATED)
    measure_agreement(scores, 0.9, tmp_path / "images.parquet", [FIRST])
    images = pd.read_parquet(tmp_path / "images.parquet")
    said = agreement_answer(images, "classes", [FIRST])
    assert said is not None
    assert said.startswith("All 5 models that were not trained on such images get 24 of the 120 ")
    accuracy = aggregate(scores, 0.9)
    assert uncounted(marked(accuracy, [FIRST])) == [FIRST]
    assert uncounted(accuracy) == [] == uncounted(marked(accuracy, set(accuracy["model"])))
    people = people_table(3)
    assert "; better, the best model on these, gets" in people_answer(people, RULE, 0.95)
    assert "; worse, the model on these, gets" in people_answer(people, RULE, 0.95, ["better"])
    more = people.assign(name=people["name"].replace("worse", "third"))
    three_models = pd.concat([people, more[more["name"] == "third"]])
    assert "; third, the best model on these of those that were not trained on such images" in (
        people_answer(three_models.sort_values("name"), RULE, 0.95, ["better"])
    )
