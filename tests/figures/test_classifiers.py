"""The figures show the tables' numbers, stay legible at any size and never interpret names."""

from __future__ import annotations

import io
import itertools
import json
import re
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from synthsight.figures import style
from synthsight.figures.failures import MOST, failures
from synthsight.figures.models import models
from synthsight.figures.overview import overview
from synthsight.figures.samples import choose, samples
from synthsight.statistics.adapted import marked
from synthsight.statistics.columns import AGREEMENT
from synthsight.statistics.reference import reference as statistic
from tests.support import plot, run_program

RULE = "words/simple"
HOSTILE = [
    r"$\frac{1}{0}$ $x$",
    "under_score^{2} $",
    "{curly} %s {0}",
    "line\nbreak\r\ttab\x00nul",
    "大熊猫 🐼",
    "a" * 300,
    "back\\slash & <b>",
    "",
]


# --- Tables and pictures ----------------------------------------------------------------------


def make_accuracy(models_: list[str], categories: list[str], seed: int = 0) -> pd.DataFrame:
    """Random accuracies, with rows of another rule and of a generator that must not be drawn."""
    random = np.random.default_rng(seed)
    rows = []
    for model, category in itertools.product(models_, [*categories, "*"]):
        for rule, generator in ((RULE, "*"), (RULE, "dalle"), ("words/lemmas", "*")):
            top1, top5 = sorted(random.uniform(0.1, 0.9, 2))
            # The bounds lie at unequal distances, so that mixing them up shows.
            bounds = (top1 - 0.08, top1 + 0.09, top5 - 0.07, top5 + 0.06)
            rows.append((model, category, generator, rule, 20, top1, top5, *bounds))
    columns = "model category generator rule n top1 top5 top1_low top1_high top5_low top5_high"
    return pd.DataFrame(rows, columns=columns.split())


def make_agreement(categories: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(1)
    rows = [
        (generator, category, rule, 20, *random.uniform(0, 0.5, 4))
        for category in categories
        for rule in ("words/lemmas", RULE)
        for generator in ("*", "photographs")
    ]
    columns = "generator category rule n all_top1 none_top1 all_top5 none_top5"
    return pd.DataFrame(rows, columns=columns.split())


def make_reference(stated: dict[str, tuple[float, float]], kind: str = "published") -> pd.DataFrame:
    """A reference for each of some models, and rows of another generator and of a category."""
    columns = ["model", "category", "generator", "rule", "kind", "reference_top1", "reference_top5"]
    rows = [
        (model, category, generator, RULE, kind, *(value if own else (0.01, 0.02)))
        for model, value in stated.items()
        for category, generator, own in (("*", "*", True), ("*", "dalle", 0), ("kite", "*", 0))
    ]
    return pd.DataFrame(rows, columns=columns).assign(source="a paper", categories=1)


def make_manifest(
    categories: list[str], generators: list[str | None], each: int = 6
) -> pd.DataFrame:
    rows = [
        (f"{generator}/{category}/{number}.png", category, generator, "ok", None)
        for category in categories
        for generator in generators
        for number in range(each)
    ]
    rows.append((f"x/{categories[0]}/bad.png", categories[0], generators[0], "excluded", "cut off"))
    return pd.DataFrame(rows, columns=["image", "category", "generator", "status", "reason"])


def make_scores(misses: int, hits: int) -> pd.DataFrame:
    random = np.random.default_rng(2)
    total = misses + hits
    return pd.DataFrame(
        {
            "image": [f"dalle/kite/{number:03d}.png" for number in range(total)],
            "category": "kite",
            "real": False,
            "rule": RULE,
            "top1_hit": False,
            "top5_hit": [number >= misses for number in range(total)],
            "predicted": [list(random.permutation(8)[:5]) for _ in range(total)],
            "probability": [
                np.sort(random.dirichlet([0.7] * 6))[::-1][:5].astype("float32")
                for _ in range(total)
            ],
        }
    )


def picture(name: str) -> Image.Image:
    """A 2:1 picture whose colour tells which image it is of."""
    return Image.new("RGB", (40, 20), colour_of(name))


def colour_of(name: str) -> tuple[int, int, int]:
    number = sum(name.encode()) * 2654435761 % 2**32
    return number & 255, number >> 8 & 255, number >> 16 & 255


def names(stem: str, number: int) -> list[str]:
    return [f"{stem}_{index:03d}" for index in range(number)]


# --- Looking at a figure ----------------------------------------------------------------------


def texts(figure: Figure) -> list[Text]:
    """All visible, non-empty texts that are inside the figure's drawing."""
    found = [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip()
    ]
    hidden = {
        label
        for axes in figure.axes
        if not axes.axison
        for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]
    }
    return [text for text in found if text not in hidden]


def assert_legible(figure: Figure) -> None:
    """No text is cut by the figure's edge, smaller than 6 pt, or on top of another text."""
    canvas = FigureCanvasAgg(figure)
    with style.style():
        figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    width, height = canvas.get_width_height()
    boxes = []
    for text in texts(figure):
        box = text.get_window_extent(renderer)
        if box.width == 0:
            continue
        where = repr(text.get_text())
        assert text.get_fontsize() >= 6, where
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, where
        boxes.append((box.y0, box.y1, box.x0, box.x1, where))
    assert boxes
    boxes.sort()
    for index, (_, top, left, right, where) in enumerate(boxes):
        for other in boxes[index + 1 :]:
            if other[0] >= top:
                break
            overlap = min(right, other[3]) - max(left, other[2])
            assert overlap <= 1, f"{where} overlaps {other[4]}"


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in texts(figure))


def marks(axes: object, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and interval bounds of a metric's marks, from the top row down."""
    (container,) = (
        item
        for item in axes.containers  # type: ignore[attr-defined]
        if isinstance(item, ErrorbarContainer) and item.get_label() == metric
    )
    line, _, (bars,) = container.lines
    segments = np.array(bars.get_segments())
    order = np.argsort(line.get_ydata())
    assert order.tolist() == list(range(len(order)))
    return np.asarray(line.get_xdata()), segments[:, 0, 0], segments[:, 1, 0]


def bars(axes: object, label: str) -> list[float]:
    (container,) = (
        item
        for item in axes.containers  # type: ignore[attr-defined]
        if isinstance(item, BarContainer) and item.get_label() == label
    )
    return [patch.get_width() for patch in container]


def row_labels(axes: object) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]  # type: ignore[attr-defined]


def make_overview(
    models_: list[str],
    categories: list[str],
    generators: list[str | None],
    adapted: Sequence[str] = (),
) -> Figure:
    references = make_reference({models_[0]: (0.8, 0.95)})
    return overview(
        marked(make_accuracy(models_, categories), adapted),
        make_agreement(categories),
        make_manifest(categories, [*generators, "photos"], each=2),
        references,
        {"photos"},
        RULE,
    )


# --- Legible at every size --------------------------------------------------------------------

LONG_MODELS = [f"vit_large_patch14_clip_{i}.openai_ft_in12k_in1k" for i in range(100)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("models_", "n_categories"),
    [
        (LONG_MODELS[:1], 1),
        (LONG_MODELS[:1], 100),
        (names("net", 10), 17),
        (LONG_MODELS, 1),
        (LONG_MODELS, 100),
    ],
)
def test_overview_is_legible(models_: list[str], n_categories: int) -> None:
    categories = names("great_white_shark", n_categories)
    assert_legible(make_overview(models_, categories, ["dalle", "midjourney"]))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (3, "all or none of the 3 models that were not trained on such images get"),
        (1, "that the model that was not trained on such images gets or misses"),
    ],
)
def test_overview_counts_no_model_that_was_trained_on_the_images(others: int, said: str) -> None:
    models_ = names("net", 1 + others)
    figure = make_overview(models_, names("kite", 5), ["dalle", "midjourney"], models_[-1:])
    assert said in " ".join(words(figure).split())
    assert "not trained on such" not in words(make_overview(models_, names("kite", 5), ["dalle"]))
    assert_legible(figure)


@pytest.mark.parametrize("generators", [[None], ["dalle"], names("a_long_generator_name", 12)])
def test_overview_is_legible_with_any_generators(generators: list[str | None]) -> None:
    assert_legible(make_overview(names("net", 4), names("kite", 5), generators))


@pytest.mark.long
@pytest.mark.parametrize("n_categories", [1, 100])
@pytest.mark.parametrize("n_models", [1, 3, 100])
def test_models_is_legible(n_models: int, n_categories: int) -> None:
    accuracy = make_accuracy(LONG_MODELS[:n_models], names("great_white_shark", n_categories))
    assert_legible(models(accuracy, RULE, 1, 5))


@pytest.mark.long
@pytest.mark.parametrize("generators", [[None], ["dalle"], names("generator", 30)])
@pytest.mark.parametrize("n_categories", [1, 9, 100])
def test_samples_is_legible(n_categories: int, generators: list[str | None]) -> None:
    categories = names("great_white_shark_of_the_southern_sea", n_categories)
    manifest = make_manifest(categories, generators, each=1)
    assert_legible(samples(manifest, (), picture))


@pytest.mark.parametrize("misses", [0, 1, 24, 57])
def test_failures_is_legible(misses: int) -> None:
    classes = [f"web site, website, internet site, site number {index}" for index in range(8)]
    figure = failures(make_scores(misses, 3), classes, LONG_MODELS[0], "kite", RULE, picture)
    assert_legible(figure)


# --- Names are plain text ---------------------------------------------------------------------


def hostile_figure(name: str) -> Figure:
    if name == "overview":
        manifest = make_manifest(HOSTILE, [*HOSTILE[:3]], each=1)
        accuracy = make_accuracy(HOSTILE, HOSTILE)
        return overview(accuracy, make_agreement(HOSTILE), manifest, make_reference({}), (), RULE)
    if name == "models":
        return models(make_accuracy(HOSTILE, HOSTILE), RULE, 1, 5)
    if name == "samples":
        return samples(make_manifest(HOSTILE, [*HOSTILE[:3]], each=1), (), picture)
    scores = make_scores(4, 0)
    scores["image"] = HOSTILE[:4]
    return failures(scores, HOSTILE, HOSTILE[0], HOSTILE[1], RULE, picture)


FIGURES = ["overview", "models", "samples", "failures"]


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_hostile_names_are_plain_text(
    name: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    figure = hostile_figure(name)
    style.save(figure, tmp_path / "f.pdf", tmp_path / "f.png")
    assert_legible(figure)
    assert not any(text.get_parse_math() for text in texts(figure))
    assert not any("\n" in text.get_text() for text in texts(figure))
    assert [str(warning.message) for warning in recwarn if "lyph" in str(warning.message)] == []
    assert "$" in words(figure)


@pytest.mark.long
def test_a_pdf_has_fonts_that_only_draw(tmp_path: Path) -> None:
    """Tables that lay out text take most of the time that a font needs, and draw nothing."""
    style.save(hostile_figure("models"), tmp_path / "f.pdf", tmp_path / "f.png")
    streams = re.findall(rb"stream\n(.*?)\nendstream", (tmp_path / "f.pdf").read_bytes(), re.DOTALL)
    contents = [zlib.decompress(stream) for stream in streams if stream.startswith(b"x")]
    fonts = [TTFont(io.BytesIO(each)) for each in contents if each.startswith(b"\0\1\0\0")]
    assert len(fonts) >= 2, "normal and bold"
    for font in fonts:
        assert {"glyf", "hmtx", "cmap"} <= {*font.keys()}
        assert not {"GDEF", "GPOS", "GSUB"} & {*font.keys()}


def test_a_name_that_the_font_lacks_is_spelled_out() -> None:
    assert style.plain("熊 $a_b$\n\tc") == r"\u718a $a_b$ c"
    assert style.plain("Füße, Ωmega") == "Füße, Ωmega"
    assert style.plain("\n") == "(blank)"


def test_shortened_names_stay_different() -> None:
    labels, width = style.label_column([f"{'x' * 60}{i}{'y' * 80}" for i in range(10)], 1.0)
    # Nothing can keep these apart: the difference is in the middle.
    assert width <= 1.0 and all("…" in label for label in labels)
    labels, _ = style.label_column([f"{'x' * 10}{i}{'y' * 80}" for i in range(10)], 1.0)
    assert len(set(labels)) == 10


def test_wrapped_text_keeps_every_letter_and_fits() -> None:
    text = "resnext101_32x8d_wsl and another long name"
    lines = style.wrap(text, 0.7, lines=10)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(style.text_width(line) <= 0.7 for line in lines)
    assert style.wrap(text, 0.7, lines=2)[-1].endswith("…")


# --- The numbers are the table's --------------------------------------------------------------


def test_the_best_model_is_the_one_of_this_rule_and_ties_go_by_name() -> None:
    accuracy = make_accuracy(["zebra", "ant", "bee"], ["kite"])
    mean = (accuracy["category"] == "*") & (accuracy["generator"] == "*")
    chosen = mean & (accuracy["rule"] == RULE)
    accuracy.loc[mean, "top1"] = 0.1
    accuracy.loc[mean & ~chosen & (accuracy["model"] == "bee"), "top1"] = 0.9
    accuracy.loc[chosen & accuracy["model"].isin(["zebra", "ant"]), "top1"] = 0.5
    assert style.best_model(accuracy, RULE) == "ant"
    with pytest.raises(ValueError, match="words/lemmas"):
        style.best_model(accuracy, "words/none")


def test_overview_shows_the_numbers_of_the_tables() -> None:
    model_names, categories = names("net", 4), names("kite", 6)
    accuracy, agreement = make_accuracy(model_names, categories), make_agreement(categories)
    manifest = make_manifest(categories, ["dalle", "midjourney", "photos"])
    manifest = manifest.drop(index=[0, 1])
    manifest = manifest[(manifest["generator"] != "photos") | (manifest["category"] != "kite_002")]
    references = make_reference({"net_001": (0.81, 0.96)})
    figure = overview(accuracy, agreement, manifest, references, ["photos"], RULE)
    by_model, by_category, agreed, images = figure.axes

    pooled = accuracy[(accuracy["rule"] == RULE) & (accuracy["generator"] == "*")]
    means = pooled[pooled["category"] == "*"].sort_values("top1", ascending=False)
    best = means["model"].iloc[0]
    of_best = pooled[(pooled["model"] == best) & (pooled["category"] != "*")]
    of_best = of_best.sort_values("top1", ascending=False)
    order = of_best["category"].tolist()

    assert row_labels(by_model) == means["model"].tolist()
    assert row_labels(by_category) == row_labels(agreed) == row_labels(images) == order
    for axes, table in ((by_model, means), (by_category, of_best)):
        for metric in ("top1", "top5"):
            value, low, high = marks(axes, metric.replace("top", "top-"))
            np.testing.assert_allclose(value, table[metric])
            np.testing.assert_allclose(low, table[f"{metric}_low"])
            np.testing.assert_allclose(high, table[f"{metric}_high"])
    dashed = {line.get_label(): line.get_xdata()[0] for line in by_category.lines}
    assert dashed["mean top-1"] == means["top1"].iloc[0]
    assert dashed["mean top-5"] == means["top5"].iloc[0]
    for value in means["top1"]:
        assert f"{100 * value:.1f}" in words(figure)

    assert set(agreement["generator"]) == {"*", "photographs"}
    rows = agreement[(agreement["rule"] == RULE) & (agreement["generator"] == "*")]
    rows = rows.set_index("category").loc[order]
    np.testing.assert_allclose(bars(agreed, "all get it, top-1"), rows["all_top1"])
    np.testing.assert_allclose(bars(agreed, "all get it, top-5"), rows["all_top5"])
    np.testing.assert_allclose(bars(agreed, "none gets it, top-1"), -rows["none_top1"])
    np.testing.assert_allclose(bars(agreed, "none gets it, top-5"), -rows["none_top5"])

    ok = manifest[manifest["status"] == "ok"]
    for generator in ("dalle", "midjourney"):
        count = ok[ok["generator"] == generator].groupby("category").size().loc[order]
        assert bars(images, generator) == count.tolist()
    assert RULE in words(figure)
    # Photographs are in no bar and no number of generated images, but beside them.
    assert "photos" not in words(figure)
    of_real = ok[ok["generator"] == "photos"].groupby("category").size()
    (taken,) = (item for item in images.containers if "photographs" in str(item.get_label()))
    has = [category for category in order if category in of_real.index]
    assert [bar.get_width() for bar in taken] == of_real.loc[has].tolist()
    assert [order[int(bar.get_y())] for bar in taken] == has
    written = [text.get_text() for text in images.texts]
    assert written[order.index("kite_000")] == "10 + 6"
    assert written[order.index("kite_002")] == "12"
    counted = f" {means['n'].iloc[0]} generated images, 30 real photographs, 1 excluded file"
    assert counted in words(figure).replace("\n", " ")


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "said"), [("published", "reference, as stated"), ("measured", "real photographs")]
)
def test_overview_marks_the_reference_where_it_is_known(kind: str, said: str) -> None:
    accuracy = make_accuracy(["a", "b"], ["kite"])
    arguments = (make_agreement(["kite"]), make_manifest(["kite"], [None]))
    table = make_reference({"b": (0.81, 0.96)}, kind)
    if kind == "measured":  # what is stated gives way to what is measured
        stated = make_reference({"a": (0.4, 0.5), "b": (0.6, 0.7)})
        table = pd.concat([stated, table], ignore_index=True)
    figure = overview(accuracy, *arguments, table, (), RULE)
    hollow = [line for line in figure.axes[0].lines if "reference" in str(line.get_label())]
    assert [line.get_xdata()[0] for line in hollow] == [0.81, 0.96]
    row = row_labels(figure.axes[0]).index("b")
    assert [round(line.get_ydata()[0]) for line in hollow] == [row, row]
    assert all(line.get_markerfacecolor() == "white" for line in hollow)
    assert f"hollow: {said}\n" in words(figure)
    if kind == "measured":  # of one category, and the filled marks of two
        two = make_accuracy(["a", "b"], ["kite", "vase"])
        figure = overview(two, *arguments, table, (), RULE)
        assert "hollow: real photographs of 1 category\n" in words(figure)
    unknown = make_reference({"b": (np.nan, np.nan)}, kind)
    for nothing in (make_reference({}), unknown):
        assert "hollow" not in words(overview(accuracy, *arguments, nothing, (), RULE))


def test_overview_keeps_a_category_without_usable_images() -> None:
    manifest = make_manifest(["kite"], ["dalle"])
    manifest.loc[len(manifest)] = ["x/vase/1.png", "vase", "dalle", "excluded", "cut off"]
    figure = overview(
        make_accuracy(["a"], ["kite"]),
        make_agreement(["kite"]),
        manifest,
        make_reference({}),
        (),
        RULE,
    )
    assert row_labels(figure.axes[3]) == ["kite", "vase"]
    assert bars(figure.axes[3], "dalle") == [6, 0]
    assert "1 category" in words(figure)


@pytest.mark.parametrize(("level", "said"), [(0.95, "95%"), (0.9, "90%"), (0.995, "99.5%")])
def test_headings_give_the_level_of_the_intervals(level: float, said: str) -> None:
    accuracy = make_accuracy(["a"], ["kite"])
    manifest = make_manifest(["kite"], [None])
    for figure in (
        overview(accuracy, make_agreement(["kite"]), manifest, make_reference({}), (), RULE, level),
        models(accuracy, RULE, 1, 5, level),
    ):
        assert f"{said} " in words(figure).replace("\n", " ")


def test_overview_pools_the_rarest_of_many_generators() -> None:
    generators: list[str | None] = [*names("gen", 9)]
    manifest = make_manifest(["kite"], generators, each=3)
    figure = overview(
        make_accuracy(["a"], ["kite"]),
        make_agreement(["kite"]),
        manifest,
        make_reference({}),
        (),
        RULE,
    )
    assert bars(figure.axes[3], "4 others") == [12]
    assert sum(patch.get_width() for patch in figure.axes[3].patches if patch.get_y() > -0.4) == 27


def test_models_pages_hold_each_model_once_in_order_with_its_numbers() -> None:
    model_names, categories = names("net", 7), names("kite", 6)
    accuracy = make_accuracy(model_names, categories)
    means = style.ranked(accuracy, RULE)
    order = style.by_category(accuracy, RULE, str(means["model"].iloc[0]))["category"].tolist()
    seen = 0
    for page, expected in ((1, 5), (2, 2)):
        figure = models(accuracy, RULE, page, 5)
        assert len(figure.axes) == expected
        assert row_labels(figure.axes[0]) == order
        for axes in figure.axes:
            mean = means.iloc[seen]
            table = style.by_category(accuracy, RULE, str(mean["model"]))
            table = table.set_index("category").loc[order]
            for metric in ("top1", "top5"):
                value, low, high = marks(axes, metric.replace("top", "top-"))
                np.testing.assert_allclose(value, table[metric])
                np.testing.assert_allclose(low, table[f"{metric}_low"])
                np.testing.assert_allclose(high, table[f"{metric}_high"])
            dashed = {line.get_label(): line.get_xdata()[0] for line in axes.lines}
            assert dashed["mean top-1"] == mean["top1"]
            assert mean["model"] in words(figure)
            assert f"{100 * mean['top1']:.1f} / {100 * mean['top5']:.1f}%" in words(figure)
            seen += 1
    with pytest.raises(ValueError, match="no page 3"):
        models(accuracy, RULE, 3, 5)


def test_models_pages_name_the_model_by_which_categories_are_sorted() -> None:
    accuracy = make_accuracy(names("net", 3), names("kite", 6))
    first, second, _ = style.ranked(accuracy, RULE)["model"]
    assert f"by that of {first}, the best model. " in words(models(accuracy, RULE, 1, 5))
    trained = marked(accuracy, [first])
    figure = models(trained, RULE, 1, 5)
    said = f"by that of {second}, the best model that was not trained on such images."
    assert said in words(figure).replace("\n", " ")
    order = style.by_category(accuracy, RULE, second)["category"].tolist()
    assert row_labels(figure.axes[0]) == order


# --- Samples ----------------------------------------------------------------------------------


def test_samples_are_evenly_spaced_and_generators_take_turns() -> None:
    manifest = make_manifest(["kite"], ["b", "a"], each=9)
    manifest = manifest[manifest["status"] == "ok"].sample(frac=1, random_state=3)
    chosen = choose(manifest, 6)
    assert chosen["generator"].tolist() == ["a", "b"] * 3
    assert [Path(image).stem for image in chosen["image"][::2]] == ["1", "4", "7"]
    assert choose(manifest, 6, first=1)["generator"].tolist() == ["b", "a"] * 3
    assert sorted(choose(manifest, 99)["image"]) == sorted(manifest["image"])


@pytest.mark.long
def test_samples_shows_every_category_and_generator_and_no_excluded_file() -> None:
    categories = names("kite", 10)
    manifest = make_manifest(categories, ["a", "b", None])
    asked: list[str] = []

    def read(image: str) -> Image.Image:
        asked.append(image)
        return picture(image)

    figure = samples(manifest, (), read)
    shown = manifest.set_index("image").loc[asked]
    assert set(shown["status"]) == {"ok"}
    assert shown.groupby("category")["generator"].nunique().tolist() == [2] * 10
    assert shown["generator"].isna().any()
    assert all(category in words(figure) for category in categories)
    again = list(asked)
    asked.clear()
    samples(manifest.sample(frac=1, random_state=1), (), read)
    assert asked == again


def test_samples_leaves_real_photographs_out_and_says_so() -> None:
    manifest = make_manifest(["kite", "vase"], ["a", "photos"])
    real = set(manifest.loc[manifest["generator"] == "photos", "image"])
    asked: list[str] = []

    def read(image: str) -> Image.Image:
        asked.append(image)
        return picture(image)

    figure = samples(manifest, {"photos"}, read)
    assert asked and not real & set(asked)
    assert "Up to 8 of each category's generated images" in words(figure)
    assert "all from a." in words(figure) and "photos" not in words(figure)
    asked.clear()
    lacking = manifest[(manifest["generator"] == "photos") | (manifest["category"] == "kite")]
    assert "no generated image" in words(samples(lacking, {"photos"}, read))


def test_thumbnails_are_padded_not_distorted() -> None:
    figure = samples(make_manifest(["kite"], [None], each=1), (), picture)
    (image,) = figure.axes[0].images
    pixels = np.asarray(image.get_array())[..., :3]
    assert pixels.shape[0] == pixels.shape[1]
    coloured = (pixels == colour_of("None/kite/0.png")).all(axis=2)
    height, width = coloured.any(axis=1).sum(), coloured.any(axis=0).sum()
    assert abs(width - 2 * height) <= 2
    left, right, bottom, top = image.get_extent()
    assert right - left == pytest.approx(abs(top - bottom))


# --- Failures ---------------------------------------------------------------------------------


def test_failures_shows_the_misses_most_confident_first() -> None:
    scores = make_scores(misses=9, hits=20).sample(frac=1, random_state=5)
    asked: list[str] = []

    def read(image: str) -> Image.Image:
        asked.append(image)
        return picture(image)

    classes = names("class", 8)
    figure = failures(scores, classes, "net", "kite", RULE, read)
    missed = scores[~scores["top5_hit"]]
    confidence = missed["probability"].map(lambda values: values[0])
    order = missed.loc[confidence.sort_values(ascending=False).index, "image"].tolist()
    assert asked == order
    shown = [tuple(np.asarray(image.get_array())[95, 95, :3]) for image in figure.axes[0].images]
    assert shown == [colour_of(name) for name in order]
    assert "missed within five guesses in 9 of 29 generated images" in words(figure)

    bold = {text.get_text() for text in texts(figure) if text.get_weight() == "bold"}
    first = missed.set_index("image").loc[order[0]]
    assert classes[first["predicted"][0]] in bold
    assert f"{first['probability'][0]:.2f}" in bold
    for index, probability in zip(first["predicted"], first["probability"], strict=True):
        assert classes[index] in words(figure)
        assert f"{probability:.2f}" in words(figure)


def test_failures_says_how_many_are_not_shown() -> None:
    figure = failures(make_scores(57, 3), names("class", 8), "net", "kite", RULE, picture)
    assert len(figure.axes[0].images) == MOST
    assert "24 of 57 shown" in words(figure)


@pytest.mark.parametrize(("hits", "said"), [(7, "no failure"), (0, "no usable generated image")])
def test_failures_without_failures_says_so(hits: int, said: str) -> None:
    figure = failures(make_scores(0, hits), names("class", 8), "net", "kite", RULE, picture)
    assert said in words(figure)


def test_failures_of_a_choice_among_nothing_has_no_predictions() -> None:
    scores = make_scores(3, 0)
    scores[["predicted", "probability"]] = [[[], []]] * len(scores)
    figure = failures(scores, names("class", 8), "net", "kite", "restricted", picture)
    assert "missed within five guesses in 3 of 3 generated images" in words(figure)


# --- Files and scripts ------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_the_same_input_gives_the_same_bytes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for time in ("1", "2000000000"):
        # matplotlib takes the date of a file from here where it is set.
        monkeypatch.setenv("SOURCE_DATE_EPOCH", time)
        style.save(hostile_figure(name), tmp_path / f"{time}.pdf", tmp_path / f"{time}.png")
    for suffix in ("pdf", "png"):
        first, second = (tmp_path / f"{time}.{suffix}" for time in ("1", "2000000000"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.long
def test_a_matplotlibrc_changes_nothing(tmp_path: Path) -> None:
    import matplotlib

    accuracy = make_accuracy(["a"], ["kite"])
    style.save(models(accuracy, RULE, 1, 5), tmp_path / "a.pdf", tmp_path / "a.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 50}):
        style.save(models(accuracy, RULE, 1, 5), tmp_path / "b.pdf", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_the_png_has_200_pixels_an_inch(tmp_path: Path) -> None:
    figure = models(make_accuracy(["a"], ["kite"]), RULE, 1, 5)
    style.save(figure, tmp_path / "a.pdf", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1440
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """The input files of every script."""
    categories = ["kite", "vase"]
    make_accuracy(["net_a", "net_b"], categories).to_parquet(tmp_path / "accuracy.parquet")
    agreement = make_agreement(categories).reindex(columns=AGREEMENT)
    agreement.to_parquet(tmp_path / "agreement.parquet")
    manifest = make_manifest(categories, ["dalle"], each=2)
    for category in categories:
        rows = manifest[manifest["category"] == category]
        rows.to_parquet(tmp_path / f"{category}.parquet")
    usable = manifest.loc[manifest["status"] == "ok", ["image", "generator"]]
    usable.assign(real=False).to_parquet(tmp_path / "sources.parquet")
    for image in usable["image"]:
        (tmp_path / "images" / image).parent.mkdir(parents=True, exist_ok=True)
        picture(image).save(tmp_path / "images" / image)
    for model in ("net_a", "net_b"):
        # net_b misses both kites and net_a none, so that the figure tells whose scores it shows.
        scores = make_scores(misses=2 if model == "net_b" else 0, hits=0 if model == "net_b" else 2)
        scores["image"] = ["dalle/kite/0.png", "dalle/kite/1.png"]
        other = scores.assign(rule="words/lemmas", top5_hit=~scores["top5_hit"])
        vase = scores.assign(category="vase", top5_hit=~scores["top5_hit"])
        table = pa.Table.from_pandas(pd.concat([other, scores, vase]), preserve_index=False)
        metadata = {"model": model, "class_names": json.dumps(names("class", 8))}
        pq.write_table(table.replace_schema_metadata(metadata), tmp_path / f"s_{model}.parquet")
        reference = {"top1": 0.8, "top5": 0.95, "source": "a paper"} if model == "net_a" else None
        weights = {"name": model, "reference": reference}
        (tmp_path / f"w_{model}.json").write_text(json.dumps(weights))
    notes = [tmp_path / f"w_{model}.json" for model in ("net_a", "net_b")]
    stated = statistic(tmp_path / "accuracy.parquet", notes)
    stated.to_parquet(tmp_path / "reference.parquet")
    return tmp_path


# The spec of each figure, and its inputs.
SPECS: dict[str, dict[str, Any]] = {
    "overview": {"rule": RULE, "level": 0.95},
    "models": {"rule": RULE, "page": 1, "per_page": 5, "level": 0.95},
    "samples": {},
    "failures": {"rule": RULE, "category": "kite"},
}
INPUTS = {
    "overview": {
        "accuracy": ["accuracy"],
        "agreement": ["agreement"],
        "manifest": ["kite", "vase"],
        "reference": ["reference"],
        "photographs": ["sources"],
    },
    "models": {"accuracy": ["accuracy"]},
    "samples": {"manifest": ["kite", "vase"], "photographs": ["sources"]},
    "failures": {"accuracy": ["accuracy"], "scores": ["s_net_a", "s_net_b"]},
}


def draw(folder: Path, name: str, **settings: object) -> subprocess.CompletedProcess[str]:
    inputs = {
        parameter: [folder / (f if "." in f else f"{f}.parquet") for f in files]
        for parameter, files in INPUTS[name].items()
    }
    root = folder / "images" if name in ("samples", "failures") else ""
    return plot(name, folder / "out", {**SPECS[name], **settings}, root, **inputs)


@pytest.mark.long
@pytest.mark.parametrize("name", SPECS)
def test_script_writes_both_files_and_nothing_else(run_folder: Path, name: str) -> None:
    done = draw(run_folder, name)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    out = run_folder / "out"
    assert sorted(path.name for path in out.iterdir()) == ["figure.pdf", "figure.png"]
    assert (out / "figure.pdf").read_bytes().startswith(b"%PDF")
    with Image.open(out / "figure.png") as image:
        assert image.width == 1440


@pytest.mark.long
def test_plot_failures_shows_the_best_model_under_the_rule(run_folder: Path) -> None:
    accuracy = pd.read_parquet(run_folder / "accuracy.parquet")
    best = style.best_model(accuracy, RULE)
    done = draw(run_folder, "failures")
    assert done.returncode == 0, done.stderr
    with Image.open(run_folder / "out" / "figure.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(2**24) or []}
    shown = {colour_of(f"dalle/kite/{number}.png") for number in (0, 1)} & colours
    assert len(shown) == (2 if best == "net_b" else 0)


def test_plot_failures_leaves_real_photographs_out(run_folder: Path) -> None:
    """Whichever model is the best: both miss what is real, and nothing else."""
    for model in ("net_a", "net_b"):
        path = run_folder / f"s_{model}.parquet"
        table = pq.read_table(path)
        real = [image.as_py() == "dalle/kite/0.png" for image in table["image"]]
        places = [table.schema.get_field_index(name) for name in ("real", "top5_hit")]
        table = table.set_column(places[0], "real", pa.array(real))
        table = table.set_column(places[1], "top5_hit", pa.array([not each for each in real]))
        pq.write_table(table, path)
    done = draw(run_folder, "failures")
    assert done.returncode == 0, done.stderr
    with Image.open(run_folder / "out" / "figure.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(2**24) or []}
    assert not {colour_of(f"dalle/kite/{number}.png") for number in (0, 1)} & colours


def test_a_picture_exchanged_after_indexing_is_refused(run_folder: Path) -> None:
    """A figure would show it under the other's name, category and predictions."""
    done = draw(run_folder, "samples")
    assert done.returncode == 0, done.stderr
    picture("dalle/vase/0.png").save(run_folder / "images" / "dalle" / "kite" / "0.png")
    done = run_program("plot", *done.args[1:])
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "dalle/kite/0.png: changed since indexing: its bytes are not those" in done.stderr


def test_a_failing_script_leaves_the_old_figure(run_folder: Path) -> None:
    out = run_folder / "out"
    out.mkdir()
    (out / "figure.pdf").write_text("old")
    done = draw(run_folder, "models", rule="none")
    assert done.returncode != 0
    assert "rules found" in done.stderr
    assert [path.name for path in out.iterdir()] == ["figure.pdf"]
    assert (out / "figure.pdf").read_text() == "old"
