"""Logits become hits: the five best classes in a defined order, each image under its own name."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthsight.classifiers import score as score_module
from synthsight.classifiers.judging import Choice, top_k
from synthsight.classifiers.score import SCHEMA, ScoreError, score
from synthsight.images.sources import Sources, describe, write_sources
from synthsight.labels.matching import Target
from synthsight.labels.spaces import LabelSpace, load_labels

RULES = ["words/simple", "words/lemmas", "classes"]
LABELS = LabelSpace(
    "test",
    ("kite", "wood rabbit", "hare", "parachute", "gasmask", "crash helmet", "toilet seat", "vase"),
    (
        ("kite",),
        ("wood rabbit", "cottontail"),
        ("hare",),
        ("parachute", "chute"),
        ("gasmask", "gas helmet"),
        ("crash helmet",),
        ("toilet seat",),
        ("vase",),
    ),
)
TARGETS = {
    "rabbit": Target("rabbit", ("hare",)),
    "kite": Target("kite", classes=()),
    "helmet": Target("helmet", classes=("gas helmet", "vase")),
}

# The classes of LABELS that count, looked up by hand.
ACCEPTED = {
    ("helmet", "words/simple"): {5},
    ("helmet", "words/lemmas"): {4, 5},
    ("kite", "words/simple"): {0},
    ("kite", "words/lemmas"): {0},
    ("rabbit", "words/simple"): {1, 2},
    ("rabbit", "words/lemmas"): {1, 2},
    ("helmet", "classes"): {4, 7},
    ("kite", "classes"): set(),
    ("rabbit", "classes"): {1, 2},
}


class World:
    """Manifests and logits of three categories, written as the stages before write them."""

    def __init__(self, folder: Path, classes: int = len(LABELS), images: int = 9) -> None:
        self.folder = folder
        self.images = images
        rng = np.random.default_rng(0)
        self.logits: dict[str, npt.NDArray[np.float32]] = {}
        self.generators: dict[str, str | None] = {}
        self.logit_files: dict[str, Path] = {}
        self.sources: dict[str, pa.Table] = {}
        for category in ("rabbit", "kite", "helmet"):
            names = [f"{category}/{number:05d}.png" for number in range(images)]
            for number, name in enumerate(names):
                self.generators[name] = (None, "dalle", "mj")[number % 3]
                self.logits[name] = rng.normal(size=classes).astype(np.float32)
            self.write_logits(category, names)
            self.describe(category, names)

    def write_logits(self, category: str, names: list[str]) -> None:
        path = self.folder / f"{category}.logits.parquet"
        values = np.array([self.logits[name] for name in names], np.float32)
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        table = pa.table({"image": names, "logits": column})
        metadata = {"synthsight": json.dumps({"model": "resnet", "other": 1})}
        pq.write_table(table.replace_schema_metadata(metadata), path)
        self.logit_files[category] = path

    def describe(self, category: str, names: list[str]) -> None:
        generators = [self.generators[name] for name in names]
        self.sources[category] = describe(category, names, generators)

    def score(
        self,
        labels: LabelSpace = LABELS,
        rules: list[str] = RULES,
        aggregation: str = "max",
        excluded: Collection[str] = (),
    ) -> pa.Table:
        output, sources = self.folder / "scores.parquet", self.folder / "sources.parquet"
        write_sources(sources, self.sources.values())
        files = self.logit_files
        score(files, sources, TARGETS, labels, rules, output, aggregation, None, excluded)
        return pq.read_table(output)


@pytest.fixture(name="world")
def world_(tmp_path: Path) -> World:
    return World(tmp_path)


# --- The best classes -------------------------------------------------------------------------


def slow_top_k(row: npt.NDArray[np.float32], k: int) -> list[int]:
    return sorted(range(len(row)), key=lambda index: (-row[index], index))[:k]


def softmax(row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    exponents = np.exp(row.astype(np.float64) - row.max())
    return exponents / exponents.sum()


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 4), st.integers(1, 12)),
        # Few values, so that ties are common; both zeros are equal.
        elements=st.sampled_from([-1e30, -2.0, -0.0, 0.0, 1.5, 3.0, 1e30]),
    ),
    st.integers(1, 7),
)
def test_of_tied_classes_the_lower_index_goes_first(
    logits: npt.NDArray[np.float32], k: int
) -> None:
    best, probabilities = top_k(logits, k)
    assert best.dtype == np.int32 and probabilities.dtype == np.float32
    assert best.shape == probabilities.shape == (len(logits), min(k, logits.shape[1]))
    assert best.tolist() == [slow_top_k(row, k) for row in logits]
    for row, classes, found in zip(logits, best, probabilities, strict=True):
        assert np.allclose(found, softmax(row)[classes], atol=1e-6)


def test_the_best_five_of_a_thousand_are_those_of_a_full_sort() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 1000)).astype(np.float32)
    logits[100:] = np.round(logits[100:] * 2)  # ties within and around the five
    best, probabilities = top_k(logits)
    assert best.tolist() == [slow_top_k(row, 5) for row in logits]
    assert (np.diff(probabilities, axis=1) <= 0).all()


def test_large_logits_do_not_overflow() -> None:
    best, probabilities = top_k(np.array([[1e4, -1e4, 9e3, 0, 1, 2]], np.float32))
    assert best[0].tolist() == [0, 2, 5, 4, 3]
    assert probabilities[0].tolist() == [1, 0, 0, 0, 0]


def test_the_logits_are_left_as_they_were() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    before = logits.copy()
    top_k(logits)
    assert np.array_equal(logits, before)


# --- The file ---------------------------------------------------------------------------------


def test_there_is_a_row_for_each_image_and_rule(world: World) -> None:
    table = world.score()
    keys = list(zip(table["rule"].to_pylist(), table["image"].to_pylist(), strict=True))
    assert len(keys) == len(set(keys)) == len(RULES) * len(world.logits)
    assert set(keys) == {(rule, image) for rule in RULES for image in world.logits}
    assert not any("bad" in image for _, image in keys)


def test_every_row_is_what_a_slow_count_gives(world: World) -> None:
    for row in world.score().to_pylist():
        logits = world.logits[row["image"]]
        predicted = slow_top_k(logits, 5)
        accepted = ACCEPTED[row["category"], row["rule"]]
        assert row["image"].startswith(row["category"] + "/")
        assert row["generator"] == world.generators[row["image"]]
        assert row["predicted"] == predicted
        assert np.allclose(row["probability"], softmax(logits)[predicted], atol=1e-6)
        assert row["top1_hit"] == (predicted[0] in accepted)
        assert row["top5_hit"] == bool(set(predicted) & accepted)


def test_the_two_rules_differ_where_a_synonym_counts(world: World) -> None:
    name = "helmet/00000.png"
    world.logits[name] = np.eye(8, dtype=np.float32)[4]  # gasmask, gas helmet
    world.write_logits("helmet", sorted(n for n in world.logits if n[0] == "h"))
    hits = {r["rule"]: r["top1_hit"] for r in world.score().to_pylist() if r["image"] == name}
    assert hits == {"words/simple": False, "words/lemmas": True, "classes": True}


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_the_restricted_choice_is_what_a_slow_count_gives(world: World, aggregation: str) -> None:
    """Among rabbit and helmet: no class shows a kite, so it is never chosen."""
    combine = {"max": max, "mean": lambda values: sum(values) / len(values)}[aggregation]
    seen = set()
    for row in world.score(rules=["restricted"], aggregation=aggregation).to_pylist():
        probability = softmax(world.logits[row["image"]])
        values = {
            category: combine([probability[c] for c in sorted(ACCEPTED[category, "classes"])])
            for category in ("helmet", "rabbit")
        }
        order = sorted(values, key=lambda category: -values[category])
        assert row["top1_hit"] == (order[0] == row["category"])
        assert row["top5_hit"] == (row["category"] != "kite")
        best = [max(ACCEPTED[c, "classes"], key=lambda i: probability[i]) for c in order]
        assert row["predicted"] == best
        assert np.allclose(row["probability"], [values[c] for c in order], atol=1e-6)
        seen.add(row["top1_hit"])
    assert seen == {True, False}


def test_categories_that_share_the_class_that_decides_are_both_right(world: World) -> None:
    """A tie by a shared class counts for each category, and not for the first of the alphabet."""
    targets = {
        "helmet": Target("helmet", classes=("crash helmet", "vase")),
        "kite": Target("kite", classes=()),
        "rabbit": Target("rabbit", classes=("vase",)),
    }
    for name in world.logits:
        world.logits[name] = np.eye(8, dtype=np.float32)[7] * 9  # a vase
    for category in targets:
        world.write_logits(category, names_of(world, category))
    output = world.folder / "scores.parquet"
    world.score()
    files = (world.logit_files, world.folder / "sources.parquet")
    # By the mean it is the rabbit that is chosen, though the class is also one of a helmet's.
    for aggregation, right in (("max", {"helmet", "rabbit"}), ("mean", {"rabbit"})):
        score(*files, targets, LABELS, ["restricted"], output, aggregation)
        rows = pq.read_table(output).to_pylist()
        assert {row["predicted"][0] for row in rows} == {7}
        assert {row["category"] for row in rows if row["top1_hit"]} == right
        assert {row["category"] for row in rows if row["top5_hit"]} == {"helmet", "rabbit"}


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_a_category_s_place_does_not_depend_on_its_name(aggregation: str) -> None:
    """Seven share a class, so that the top five have no room for all; orders are renamings."""
    accepted = np.eye(9, dtype=bool)
    accepted[:7] = accepted[0]
    logits = np.random.default_rng(0).normal(size=(50, 9)).astype(np.float32)
    for order in (list(range(9)), list(range(9))[::-1], [3, 8, 1, 0, 7, 6, 2, 5, 4]):
        for category in range(9):
            number = order.index(category)
            ranked = Choice(accepted[order], aggregation).rank(logits, own=number)[0]
            mine = logits[:, [category if category > 6 else 0]]
            ahead = logits[:, [0] * 7 + [7, 8]] > mine
            assert ((ranked == number).any(axis=1) == (ahead.sum(axis=1) < 5)).all()
            assert ((ranked[:, 0] == number) == (ahead.sum(axis=1) == 0)).all()


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_logits_that_are_far_apart_decide_although_their_probabilities_are_zero(
    aggregation: str,
) -> None:
    choice = Choice(np.eye(4, dtype=bool)[[1, 2, 3]], aggregation)
    logits = np.array([[6e6, -3e6, 2e6, 1e6], [6e6, 1.0, -2000.0, 2.0]], np.float32)
    chosen, best, _ = choice.rank(logits)
    assert chosen.tolist() == [[1, 2, 0], [2, 0, 1]]
    assert best.tolist() == [[2, 3, 1], [3, 1, 2]]


@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_ties_between_classes_go_to_the_lower_one_whatever_the_categories_are_called(
    aggregation: str,
) -> None:
    logits = np.array([[0, 2, 2, 1]], np.float32)
    for classes in ([1, 2, 3], [3, 2, 1], [2, 3, 1]):
        choice = Choice(np.eye(4, dtype=bool)[classes], aggregation)
        for own in (None, 0, 1, 2):
            assert choice.rank(logits, own=own)[1].tolist() == [[1, 2, 3]]


def test_a_kind_ties_with_its_own_kind_by_the_shared_class_alone() -> None:
    """A retriever that looks like another kind is no golden retriever."""
    choice = Choice(np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], dtype=bool), "max")
    logits = np.array([[3, 0, 1], [0, 3, 1], [0, 1, 3]], np.float32)
    first = [(choice.rank(logits, own=own)[0][:, 0] == own).tolist() for own in range(3)]
    assert first == [[True, False, False], [True, True, False], [False, False, True]]


def test_where_no_class_is_shared_the_category_of_the_images_decides_nothing() -> None:
    logits = np.random.default_rng(0).integers(0, 3, (40, 9)).astype(np.float32)
    choice = Choice(np.eye(9, dtype=bool), "max")
    for own in range(9):
        for told, plain in zip(choice.rank(logits, own=own), choice.rank(logits), strict=True):
            assert told.tobytes() == plain.tobytes()


def test_of_categories_alike_the_first_one_is_chosen() -> None:
    categories = 300
    values = np.random.default_rng(0).integers(0, 3, (20, categories)).astype(np.float32)
    ranked = Choice(np.eye(categories, dtype=bool), "max").rank(values, categories)[0]
    assert ranked.tolist() == [slow_top_k(row, categories) for row in values]


def test_max_chooses_by_the_best_class_and_mean_by_all_of_them() -> None:
    accepted = np.array([[1, 1, 0, 0], [0, 0, 1, 0]], dtype=bool)
    logits = np.log(np.array([[0.4, 0.01, 0.3, 0.29]], np.float32))
    assert Choice(accepted, "max").rank(logits)[0].tolist() == [[0, 1]]
    assert Choice(accepted, "mean").rank(logits)[0].tolist() == [[1, 0]]


def test_the_file_has_the_columns_of_the_contract_and_tells_its_model(world: World) -> None:
    table = world.score()
    names = "image category generator group real rule top1_hit top5_hit predicted probability"
    assert table.schema.names == names.split()
    assert table.schema.equals(SCHEMA)
    assert table.schema.metadata[b"model"] == b"resnet"
    assert json.loads(table.schema.metadata[b"class_names"]) == list(LABELS.simple)


def test_a_row_says_which_group_its_image_is_in_and_whether_it_is_real(world: World) -> None:
    """Null stands for the image itself: of one category nothing is known."""
    for name in world.generators:
        world.generators[name] = None
    before = world.score()
    assert before["group"].null_count == len(before)
    assert set(before["real"].to_pylist()) == {False}
    names = names_of(world, "kite")
    generators = ["mj" if number < 4 else None for number in range(len(names))]
    known = Sources(frozenset({"mj"}), r"(?:.*/)?0*([12]|3)")
    world.sources["kite"] = describe("kite", names, generators, known)
    table = world.score()
    found = {row["image"]: row for row in table.to_pylist()}
    assert {name for name, row in found.items() if row["real"]} == set(names[:4])
    groups = {name: row["group"] for name, row in found.items() if row["group"] is not None}
    assert groups == {names[number]: f"kite//{number}" for number in (1, 2, 3)}
    others = ["image", "rule", "top1_hit", "top5_hit", "predicted", "probability"]
    assert table.select(others).equals(before.select(others))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_with_five_classes_or_fewer_all_are_predicted(tmp_path: Path, classes: int) -> None:
    world = World(tmp_path, classes)
    labels = LabelSpace("few", LABELS.simple[:classes], LABELS.lemmas[:classes])
    rows = world.score(labels).to_pylist()
    assert all(sorted(row["predicted"]) == list(range(classes)) for row in rows)
    kites = [row for row in rows if row["category"] == "kite" and row["rule"] != "classes"]
    assert all(row["top5_hit"] for row in kites)


def test_more_images_than_are_scored_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = [("image", "ascending"), ("rule", "ascending")]
    whole = world.score().sort_by(key)
    monkeypatch.setattr(score_module, "_ROWS", 4)
    assert world.score().sort_by(key).equals(whole)


def test_the_rows_of_a_model_do_not_depend_on_the_order_of_the_categories(world: World) -> None:
    first = world.score()
    world.logit_files = dict(reversed(world.logit_files.items()))
    world.sources = dict(reversed(world.sources.items()))
    assert world.score().equals(first)


def test_imagenet_logits_are_scored_with_imagenets_names(tmp_path: Path) -> None:
    world = World(tmp_path, 1000, images=3)
    best = {"rabbit": 332, "kite": 21, "helmet": 570}
    for name in world.logits:
        world.logits[name][best[name.split("/")[0]]] = 99
    for category in best:
        world.write_logits(category, sorted(n for n in world.logits if n.startswith(category)))
    rows = world.score(load_labels("imagenet-1k")).to_pylist()
    hits = {(row["category"], row["rule"]): row["top1_hit"] for row in rows}
    assert hits == {
        ("rabbit", "words/simple"): False,  # Angora
        ("rabbit", "words/lemmas"): True,  # Angora rabbit
        ("kite", "words/simple"): True,  # the hawk
        ("kite", "words/lemmas"): True,
        ("helmet", "words/simple"): False,
        ("helmet", "words/lemmas"): True,
        ("rabbit", "classes"): True,
        ("kite", "classes"): False,
        ("helmet", "classes"): True,
    }


# --- What does not fit together ---------------------------------------------------------------


def test_another_number_of_classes_than_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match="has 7 logits, but its labels name 8 classes"):
        World(tmp_path, classes=7).score()


def names_of(world: World, category: str) -> list[str]:
    return sorted(name for name in world.logits if name.startswith(category))


def test_an_image_without_logits_is_an_error(world: World) -> None:
    world.write_logits("kite", names_of(world, "kite")[1:])
    with pytest.raises(ScoreError, match=r"8 images, but .*sources\.parquet has 9 of 'kite'"):
        world.score()


def test_logits_of_an_unknown_image_are_an_error(world: World) -> None:
    world.describe("kite", [*names_of(world, "kite")[1:], "rabbit/00000.png"])
    with pytest.raises(ScoreError, match=r"'kite/00000\.png'"):
        world.score()


def test_logits_of_excluded_images_are_left_out_and_of_no_others(world: World) -> None:
    every = world.score().to_pylist()
    first, *rest = names_of(world, "kite")
    world.describe("kite", rest)
    scored = world.score(excluded={first, "kite/damaged.png"}).to_pylist()
    assert scored == [row for row in every if row["image"] != first]
    for excluded in ((), {rest[0]}, {first, rest[0]}):
        with pytest.raises(ScoreError, match=r"has 8 of 'kite'|not among the usable images"):
            world.score(excluded=excluded)


def test_an_image_twice_in_place_of_another_is_an_error(world: World) -> None:
    first, _, *rest = names_of(world, "kite")
    world.write_logits("kite", [first, first, *rest])
    with pytest.raises(ScoreError, match=r"kite\.logits\.parquet contains an image twice"):
        world.score()


def test_an_error_leaves_no_file(world: World) -> None:
    world.write_logits("rabbit", names_of(world, "rabbit")[1:])
    before = {*world.folder.iterdir(), world.folder / "sources.parquet"}
    with pytest.raises(ScoreError):
        world.score()
    assert set(world.folder.iterdir()) == before


def test_no_logits_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match="no logits"):
        score({}, tmp_path / "sources.parquet", {}, LABELS, RULES, tmp_path / "scores.parquet")
