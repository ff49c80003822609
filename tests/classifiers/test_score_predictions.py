"""Imported predictions are scored as logits are, as far as ranks decide; the rest is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthsight.classifiers.judging import Choice, choose, softmax, top_k
from synthsight.classifiers.score import ScoreError, score
from synthsight.images.sources import describe, write_sources
from synthsight.labels.matching import Target
from synthsight.labels.spaces import LabelSpace
from synthsight.predictions.stored import About, schema_of, write_stored

RULES = ["words/simple", "words/lemmas", "classes", "restricted"]
CATEGORIES = ("helmet", "kite", "rabbit")
NAMES = ("kite", "wood rabbit", "hare", "gasmask", "crash helmet", "vase")
LABELS = LabelSpace("test", NAMES, tuple((name,) for name in NAMES))
TARGETS = {
    "rabbit": Target("rabbit", ("hare",)),
    "kite": Target("kite"),
    "helmet": Target("helmet", classes=("gasmask", "crash helmet")),
}
ANY_RULE = {"words/simple", "words/lemmas", "classes"}


class World:
    """Logits of images of three categories, and the same imported in several forms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = {c: [f"{c}/{number}.png" for number in range(8)] for c in CATEGORIES}
        rng = np.random.default_rng(0)
        self.values = {c: rng.normal(size=(8, 6)).astype(np.float32) for c in CATEGORIES}
        self.sources = folder / "sources"
        write_sources(self.sources, (describe(c, n, [None] * 8) for c, n in self.names.items()))

    def of_logits(self, **how: Any) -> pa.Table:
        files = {}
        for category, names in self.names.items():
            path = self.folder / f"{category}.logits"
            column = pa.FixedSizeListArray.from_arrays(pa.array(self.values[category].ravel()), 6)
            table = pa.table({"image": names, "logits": column})
            described = {"synthsight": json.dumps({"model": "m", "label_space": "test"})}
            pq.write_table(table.replace_schema_metadata(described), path)
            files[category] = path
        return self._score(files, None, **how)

    def of_ranks(self, k: int, probability: bool = True, missing: int = 0, **how: Any) -> pa.Table:
        """Scores of the ``k`` best classes; the first ``missing`` images have no prediction."""
        parts = []
        for category, names in self.names.items():
            best, shares = top_k(self.values[category], k)
            lists = [[] if n < missing else list(row) for n, row in enumerate(best)]
            values = [
                [] if n < missing else [float(p) if probability else None for p in row]
                for n, row in enumerate(shares)
            ]
            parts.append(
                pa.table(
                    [names, [category] * 8, lists, values], schema=schema_of("ranks", len(LABELS))
                )
            )
        return self._imported("ranks", k, parts, **how)

    def of_imported_logits(self, missing: int = 0, **how: Any) -> pa.Table:
        parts = [
            pa.table(
                [
                    names,
                    [category] * 8,
                    [None if n < missing else row for n, row in enumerate(self.values[category])],
                ],
                schema=schema_of("logits", len(LABELS)),
            )
            for category, names in self.names.items()
        ]
        return self._imported("logits", 6, parts, **how)

    def _imported(self, kind: str, ranks: int, parts: list[pa.Table], **how: Any) -> pa.Table:
        path = self.folder / "imported"
        about = About("m", "test", kind, ranks, "wrong", dict.fromkeys(CATEGORIES, 8))
        write_stored(path, about, parts, schema_of(kind, len(LABELS)))
        return self._score({}, path, **how)

    def _score(self, files: dict[str, Path], predictions: Path | None, **how: Any) -> pa.Table:
        output = self.folder / "scores"
        how = {"aggregation": "max", "model": "m", **how}
        score(files, self.sources, TARGETS, LABELS, RULES, output, predictions=predictions, **how)
        return pq.read_table(output)


@pytest.fixture(name="world")
def world_(tmp_path: Path) -> World:
    return World(tmp_path)


def of(table: pa.Table, rule: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = [row for row in table.to_pylist() if row["rule"] == rule]
    return [
        tuple(tuple(row[c]) if isinstance(row[c], list) else row[c] for c in columns)
        for row in rows
    ]


EVERY = ("image", "category", "generator", "group", "real", "top1_hit", "top5_hit", "predicted")


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_imported_logits_are_scored_as_those_of_a_run(world: World, aggregation: str) -> None:
    expected = world.of_logits(aggregation=aggregation)
    assert world.of_imported_logits(aggregation=aggregation).equals(expected)


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_all_classes_with_their_probabilities_are_as_good_as_logits(
    world: World, aggregation: str
) -> None:
    expected = world.of_logits(aggregation=aggregation)
    found = world.of_ranks(6, aggregation=aggregation)
    for rule in RULES:
        assert of(found, rule, *EVERY) == of(expected, rule, *EVERY), rule
        pairs = zip(of(found, rule, "probability"), of(expected, rule, "probability"), strict=True)
        for (one,), (other,) in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-5)


def test_five_ranks_decide_all_that_looks_at_five_classes_with_or_without_probabilities(
    world: World,
) -> None:
    expected = world.of_logits()
    for probability in (True, False):
        found = world.of_ranks(5, probability)
        for rule in ANY_RULE:
            assert of(found, rule, *EVERY) == of(expected, rule, *EVERY)
    assert set(of(found, "classes", "probability")) == {((None,) * 5,)}


def test_of_fewer_than_five_ranks_top_5_is_not_known_of_any_image(world: World) -> None:
    expected = world.of_logits()
    for k in (1, 4):
        found = world.of_ranks(k)
        for rule in ANY_RULE:
            assert of(found, rule, "image", "top1_hit") == of(expected, rule, "image", "top1_hit")
            assert set(of(found, rule, "top5_hit")) == {(None,)}
            lists = zip(of(found, rule, "predicted"), of(expected, rule, "predicted"), strict=True)
            assert all(one == other[:k] for (one,), (other,) in lists)


def test_a_choice_follows_from_ranks_as_soon_as_each_image_has_a_class_of_a_category(
    world: World,
) -> None:
    """Classes 0 to 4 are a category's; so of two classes one is always among them."""
    expected = of(world.of_logits(), "restricted", "image", "top1_hit")
    assert of(world.of_ranks(2), "restricted", "image", "top1_hit") == expected
    # The vase is first somewhere, so that a single class leaves the choice open there.
    assert any(top_k(values, 1)[0].ravel().tolist().count(5) for values in world.values.values())
    found = world.of_ranks(1)
    assert set(of(found, "restricted", "top1_hit", "top5_hit", "predicted")) == {(None,) * 3}


def test_several_classes_of_a_category_need_probabilities_where_their_mean_decides(
    world: World,
) -> None:
    for k, probability in ((6, False), (5, True)):
        found = world.of_ranks(k, probability, aggregation="mean")
        assert set(of(found, "restricted", "top1_hit")) == {(None,)}


@pytest.mark.parametrize("form", ["ranks", "logits"])
def test_an_image_without_a_prediction_is_missed_under_every_rule(world: World, form: str) -> None:
    if form == "ranks":
        whole, found = world.of_ranks(6), world.of_ranks(6, missing=3)
    else:
        whole, found = world.of_imported_logits(), world.of_imported_logits(missing=3)
    columns = ("image", "top1_hit", "top5_hit", "predicted", "probability")
    for rule in RULES:
        pairs = zip(of(found, rule, *columns), of(whole, rule, *columns), strict=True)
        for (image, *said), (_, *before) in pairs:
            lost = int(image.split("/")[1][0]) < 3
            assert said == ([False, False, (), ()] if lost else before)


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_a_class_of_probability_0_was_not_predicted(world: World, aggregation: str) -> None:
    """Of classes that tie so, the index would decide which are among the best five."""
    with np.errstate(divide="ignore"):
        vase = np.log(np.array([[0, 0, 0, 0, 0, 1]] * 8, np.float32))
        both = np.log(np.array([[0.25, 0, 0, 0, 0, 0.75]] * 8, np.float32))
    world.values |= {"helmet": vase, "rabbit": both, "kite": both}
    columns = ("category", "top1_hit", "top5_hit", "predicted")
    found = world.of_imported_logits(aggregation=aggregation)
    for rule in ANY_RULE:
        assert set(of(found, rule, *columns)) == {
            ("helmet", False, False, (5,)),
            ("rabbit", False, False, (5, 0)),
            ("kite", False, True, (5, 0)),
        }
    expected = {
        ("helmet", False, False, ()),  # no category has any probability
        ("rabbit", False, False, (0,)),
        ("kite", True, True, (0,)),
    }
    assert set(of(found, "restricted", *columns)) == expected
    if aggregation == "mean":  # the same, where probabilities of ranked classes decide
        ranks = world.of_ranks(6, aggregation=aggregation)
        assert set(of(ranks, "restricted", *columns)) == expected


def test_images_that_are_left_out_need_no_prediction(world: World) -> None:
    left = {c: names[1:] for c, names in world.names.items()}
    sources = (describe(c, n, [None] * 7) for c, n in left.items())
    write_sources(world.sources, sources)
    out = {f"{c}/0.png" for c in CATEGORIES}
    found = world.of_ranks(5, excluded=out)
    assert {image for (image,) in of(found, "classes", "image")} == {
        f"{c}/{number}.png" for c in CATEGORIES for number in range(1, 8)
    }
    with pytest.raises(ScoreError, match=r"has 8 images, but .* has 7 of 'helmet'"):
        world.of_ranks(5)


def test_predictions_of_another_model_or_for_other_labels_are_refused(world: World) -> None:
    with pytest.raises(ScoreError, match="for model 'm', not 'n'"):
        world.of_ranks(5, model="n")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_ranked_classes_choose_as_their_logits_do(data: st.DataObject) -> None:
    classes, categories = data.draw(st.integers(2, 8)), data.draw(st.integers(1, 5))
    seed = data.draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    accepted: npt.NDArray[np.bool_] = rng.random((categories, classes)) < 0.3
    logits = rng.permutation(classes).astype(np.float32)[None, :]  # without ties
    order = np.argsort(-logits[0])
    shares = softmax(logits)[0][order]
    for aggregation in ("max", "mean"):
        own = data.draw(st.integers(0, categories - 1))
        chosen, best, values = (
            each[0] for each in Choice(accepted, aggregation).rank(logits, own=own)
        )
        found = choose(order.tolist(), shares.tolist(), accepted, aggregation, own)
        assert [category for category, _, _ in found] == chosen.tolist()
        assert [cls for _, cls, _ in found] == best.tolist()
        stated = [float(value) for _, _, value in found if value is not None]
        np.testing.assert_allclose(stated, values, rtol=1e-5)
