"""The figures about yes/no questions show their tables' numbers and stay legible at any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from PIL import Image

from synthsight.figures import style
from synthsight.figures.unknown import NotKnownError
from synthsight.figures.vqa_accuracy import vqa_accuracy
from synthsight.figures.vqa_calibration import MOST as PANELS
from synthsight.figures.vqa_calibration import vqa_calibration
from synthsight.figures.vqa_kinds import EACH, MOST, vqa_kinds
from synthsight.figures.vqa_samples import RIGHT, WRONG, choose, vqa_samples
from synthsight.figures.vqa_seeing import vqa_seeing
from synthsight.plan import figures
from synthsight.statistics.answers import Answers, Asked
from synthsight.statistics.vqa import calibrate, group, summarise
from synthsight.vqa.kinds import KINDS
from synthsight.vqa.score import SCHEMA
from tests.figures.test_classifiers import (
    HOSTILE,
    LONG_MODELS,
    assert_legible,
    names,
    picture,
    row_labels,
    texts,
    words,
)
from tests.figures.test_statistics import column, spans, two
from tests.support import plot

SHORT = names("ofa", 3)
REFERENCE = {"yes_no": 0.947, "overall": 0.82, "source": "a paper"}
ASKED = (
    "Is there a dog?",
    "Are there more than three apples on the table?",
    "Is it red?",
    "Is the astronaut riding the horse over the mountains while two birds are watching from afar?",
    "Isn't it raining?",
)


# --- Questions and answers ----------------------------------------------------------------------


def make_answers(
    models: list[str],
    images: int = 20,
    each: int = 0,
    first_words: list[str] | None = None,
    generators: tuple[str | None, ...] = ("dalle", "sd"),
) -> Answers:
    """Answers of models that get better from the first to the last."""
    rng = np.random.default_rng(0)
    rows = [
        (f"{generators[image % len(generators)]}/{image:03d}.png", ASKED[number % len(ASKED)])
        for image in range(images)
        for number in range(each or 1 + image % 5)
    ]
    table = pd.DataFrame(rows, columns=["image", "question"])
    table["number"] = table.groupby("image").cumcount().astype("int32") + 1
    table["sha256"] = table["image"]
    table["answer"] = rng.choice(["yes", "no"], len(table))
    table["generator"] = [generators[int(name[-7:-4]) % len(generators)] for name in table["image"]]
    stems = first_words or ["is", "are", "isn't"]
    table["first_word"] = [stems[row % len(stems)] for row in range(len(table))]
    table["kind"] = [KINDS[row % len(KINDS)] for row in range(len(table))]
    side = np.where(table["answer"] == "yes", 1, -1)[:, None]
    skill = np.linspace(0.4, 1.2, len(models))
    logit = 2 * (skill * side + rng.normal(size=(len(table), len(models))))
    p_yes = 1 / (1 + np.exp(-logit))
    correct = (p_yes > 0.5) == (side > 0)
    order = np.argsort(np.array(models, dtype=object), kind="stable")
    return Answers(
        tuple(sorted(models)),
        table,
        p_yes[:, order],
        p_yes[:, order] * np.nan,
        correct[:, order],
        Asked(
            len(table), order * 0, order * 0, order * 0, correct[:, order].sum(axis=0), order >= 0
        ),
    )


def rows_of(answers: Answers, model: str) -> pd.DataFrame:
    """A model's answers as their file holds them."""
    place = answers.models.index(model)
    p_yes = answers.p_yes[:, place]
    return answers.questions.assign(
        p_yes=p_yes,
        mass=np.nan,
        predicted=np.where(p_yes > 0.5, "yes", "no"),
        correct=answers.correct[:, place],
    )


def table_of(answers: Answers, unknown: tuple[str, ...] = ()) -> pd.DataFrame:
    stated = {name: {} if name in unknown else REFERENCE for name in answers.models}
    return summarise(answers, calibrate(answers, 0.95), stated, 0.95)


def draw(name: str, answers: Answers) -> Figure:
    if name == "vqa_samples":
        return vqa_samples(rows_of(answers, answers.models[0]), answers.models[0], 1, 8, picture)
    table = table_of(answers, unknown=answers.models[:1])
    if name == "vqa_accuracy":
        return vqa_accuracy(table)
    if name == "vqa_kinds":
        return vqa_kinds(group(answers, 0.95), table)
    if name == "vqa_seeing":
        blind = seen_and_not(answers)
        return vqa_seeing(table_of(blind), group(blind, 0.95))
    return vqa_calibration(calibrate(answers, 0.95), table)


def seen_and_not(answers: Answers) -> Answers:
    """The same models, asked without the images as well: they say yes to every other question."""
    said_yes = np.arange(len(answers.yes))[:, None] % 2 == 0
    return replace(
        answers, blind=((said_yes == answers.yes[:, None]) | (answers.p_yes < 0)).astype(float)
    )


FIGURES = ["vqa_samples", "vqa_accuracy", "vqa_seeing", "vqa_kinds", "vqa_calibration"]


# --- All figures --------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    "answers",
    [
        make_answers(["ofa"], images=1),
        make_answers(LONG_MODELS[:1], each=40),
        make_answers(SHORT, first_words=names("word", 30)),
        make_answers(LONG_MODELS[:EACH]),
        make_answers(LONG_MODELS, images=50),
    ],
    ids=["one image", "one", "three", "five", "hundred"],
)
@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_legible(name: str, answers: Answers) -> None:
    assert_legible(draw(name, answers))


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_hostile_names_are_plain_text_and_bytes_are_the_same(
    name: str,
    tmp_path: Path,
    recwarn: pytest.WarningsRecorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = make_answers(HOSTILE, images=8, first_words=HOSTILE)
    answers.questions["question"] = np.resize(HOSTILE, len(answers.questions))
    answers.questions["generator"] = np.resize(HOSTILE, len(answers.questions))
    for time in ("1", "2000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", time)
        figure = draw(name, answers)
        style.save(figure, tmp_path / f"{time}.pdf", tmp_path / f"{time}.png")
    for suffix in ("pdf", "png"):
        first, second = (tmp_path / f"{time}.{suffix}" for time in ("1", "2000000000"))
        assert first.read_bytes() == second.read_bytes()
    assert_legible(figure)
    assert not any(text.get_parse_math() for text in texts(figure))
    assert not any("\n" in text.get_text() for text in texts(figure))
    assert [str(warning.message) for warning in recwarn if "lyph" in str(warning.message)] == []
    assert "$" in words(figure)


@pytest.mark.long
@pytest.mark.parametrize(("level", "said"), [(0.9, "90% intervals"), (0.995, "99.5% intervals")])
def test_headings_give_the_level(level: float, said: str) -> None:
    answers = make_answers(SHORT)
    table = table_of(answers)
    for figure in (
        vqa_accuracy(table, level),
        vqa_kinds(group(answers, level), table, level),
        vqa_calibration(calibrate(answers, level), table, level),
    ):
        assert said in words(figure).replace("\n", " ")


# --- Accuracy -----------------------------------------------------------------------------------


def test_accuracy_shows_the_table_with_the_best_model_first() -> None:
    table = table_of(make_answers(SHORT, images=30), unknown=(SHORT[1],))
    figure = vqa_accuracy(table.sample(frac=1, random_state=1))
    (axes,) = figure.axes
    order = table.sort_values("accuracy", ascending=False)
    assert row_labels(axes) == order["model"].tolist()
    for label, columns in (
        ("accuracy", ["accuracy", "low", "high"]),
        ("balanced accuracy", ["balanced_accuracy", "balanced_low", "balanced_high"]),
    ):
        for found, name in zip(spans(axes, label), columns, strict=True):
            np.testing.assert_allclose(found, order[name])
    assert column(axes, "accuracy") == two(order["accuracy"])
    assert column(axes, "balanced") == two(order["balanced_accuracy"])
    drops = [text for text in column(axes, "drop") if text != "\N{EN DASH}"]
    assert drops == two(order["drop"].dropna()) and len(drops) == 2
    known = order.dropna(subset="drop")
    for low, high in zip(two(known["drop_low"]), two(known["drop_high"]), strict=True):
        assert f"({low}, {high})" in [text.get_text() for text in axes.texts]
    lines = {item.get_label(): item.get_xdata() for item in axes.lines}
    assert set(lines["always yes"]) == {table["always_yes"].iloc[0]}
    assert list(lines["reference, yes/no questions"]) == [0.947] * 2
    assert list(lines["reference, all questions"]) == [0.82] * 2
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(keys) == 5 and "always yes" in keys


def test_accuracy_explains_only_what_it_shows() -> None:
    answers = make_answers(SHORT)
    answers.questions["answer"] = "yes"
    figure = vqa_accuracy(table_of(answers, unknown=tuple(SHORT)))
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert keys == ["accuracy", "always yes"]
    assert_legible(figure)


# --- Kinds --------------------------------------------------------------------------------------


def test_what_is_of_no_kind_comes_last() -> None:
    """However many questions it has."""
    answers = make_answers(SHORT, images=30)
    groups = group(answers, 0.95)
    more = (groups["by"] == "kind") & (groups["value"] == "other")
    assert more.any()
    groups.loc[more, "n"] = 10 * groups["n"].max()
    figure = vqa_kinds(groups, table_of(answers))
    assert row_labels(figure.axes[0])[-1] == "other" and len(row_labels(figure.axes[0])) > 1


def test_kinds_shows_every_group_of_a_few_models() -> None:
    answers = make_answers(SHORT, images=30)
    groups, table = group(answers, 0.95), table_of(answers)
    figure = vqa_kinds(groups.sample(frac=1, random_state=1), table)
    best = table.sort_values("accuracy", ascending=False)["model"].iloc[0]
    assert best in words(figure)
    for axes, by in zip(figure.axes, ("kind", "first word", "generator"), strict=True):
        of_best = groups[(groups["by"] == by) & (groups["model"] == best)]
        of_best = of_best.sort_values(["n", "value"], ascending=[False, True])
        assert row_labels(axes) == of_best["value"].tolist()
        assert column(axes, "n") == [str(n) for n in of_best["n"]]
        assert column(axes, "accuracy") == two(of_best["accuracy"])
        (strokes,) = (item for item in axes.collections if item.get_label() == "always yes")
        assert [part[0, 0] for part in strokes.get_segments()] == of_best["always_yes"].tolist()
        for model in SHORT:
            rows = groups[(groups["by"] == by) & (groups["model"] == model)].set_index("value")
            rows = rows.loc[of_best["value"]]
            for found, name in zip(spans(axes, model), ("accuracy", "low", "high"), strict=True):
                np.testing.assert_allclose(found, rows[name])


def test_kinds_has_room_for_five_models() -> None:
    models = names("ofa", EACH)
    answers = make_answers(models)
    for axes in vqa_kinds(group(answers, 0.95), table_of(answers)).axes:
        assert sorted(str(item.get_label()) for item in axes.containers) == models


def test_kinds_of_many_models_shows_the_best_among_the_others() -> None:
    models = names("ofa", EACH + 2)
    answers = make_answers(models, images=30)
    groups, table = group(answers, 0.95), table_of(answers)
    figure = vqa_kinds(groups, table)
    best = table.sort_values(["accuracy", "model"], ascending=[False, True])["model"].iloc[0]
    for axes, by in zip(figure.axes, ("kind", "first word", "generator"), strict=True):
        assert [item.get_label() for item in axes.containers] == [best]
        (dots,) = (item for item in axes.lines if item.get_label() == "other models")
        rest = groups[(groups["by"] == by) & (groups["model"] != best)]
        assert sorted(dots.get_xdata()) == sorted(rest["accuracy"])
    assert f"{EACH + 1} other models" in words(figure).replace("\n", " ")


def test_kinds_keeps_the_groups_with_the_most_questions() -> None:
    answers = make_answers(SHORT[:1], images=30, first_words=names("word", 30))
    groups = group(answers, 0.95)
    figure = vqa_kinds(groups, table_of(answers))
    of = groups[groups["by"] == "first word"].sort_values(["n", "value"], ascending=[False, True])
    assert row_labels(figure.axes[1]) == of["value"].tolist()[:MOST]
    assert f"the {MOST} of 30 with the most questions" in words(figure)


@pytest.mark.parametrize("generators", [(None,), ("dalle",)])
def test_kinds_has_no_panel_for_a_single_generator(generators: tuple[str | None, ...]) -> None:
    answers = make_answers(SHORT, generators=generators)
    assert len(vqa_kinds(group(answers, 0.95), table_of(answers)).axes) == 2


# --- Calibration --------------------------------------------------------------------------------


def test_calibration_shows_the_bins_that_have_questions() -> None:
    answers = make_answers(SHORT)
    calibration, table = calibrate(answers, 0.95), table_of(answers)
    figure = vqa_calibration(calibration.sample(frac=1, random_state=1), table)
    order = table.sort_values("accuracy", ascending=False)
    for number, row in enumerate(order.to_dict("records")):
        diagram, counts = figure.axes[2 * number : 2 * number + 2]
        bins = calibration[calibration["model"] == row["model"]]
        assert [bar.get_height() for bar in counts.patches] == bins["n"].tolist()
        bins = bins[bins["n"] > 0]
        (container,) = diagram.containers
        marks, _, (bars,) = container.lines
        np.testing.assert_allclose(marks.get_xdata(), bins["mean_p_yes"])
        np.testing.assert_allclose(marks.get_ydata(), bins["share_yes"])
        segments = np.array(bars.get_segments())
        np.testing.assert_allclose(segments[:, 0, 1], bins["low"], atol=1e-9)
        np.testing.assert_allclose(segments[:, 1, 1], bins["high"], atol=1e-9)
        assert f"ECE {row['ece']:.3f}, Brier {row['brier']:.3f}" in words(figure)
    written = [text.get_text() for text in figure.texts if text.get_text() in SHORT]
    assert written == order["model"].tolist()


def test_calibration_of_one_model_has_its_counts() -> None:
    answers = make_answers(["ofa"])
    calibration = calibrate(answers, 0.95)
    figure = vqa_calibration(calibration, table_of(answers))
    assert [text.get_text() for text in figure.axes[1].texts] == [str(n) for n in calibration["n"]]


@pytest.mark.long
def test_calibration_says_how_many_models_it_leaves_out() -> None:
    answers = make_answers(LONG_MODELS)
    figure = vqa_calibration(calibrate(answers, 0.95), table_of(answers))
    assert len(figure.axes) == 2 * PANELS
    assert f"The {PANELS} most accurate of 100 models" in words(figure).replace("\n", " ")


# --- Samples ------------------------------------------------------------------------------------


def test_samples_pages_hold_each_image_once_with_all_its_answers() -> None:
    answers = rows_of(make_answers(["ofa"]), "ofa")
    asked: list[str] = []

    def read(image: str) -> Image.Image:
        asked.append(image)
        return picture(image)

    written: list[str] = []
    for page in (1, 2, 3):
        figure = vqa_samples(answers.sample(frac=1, random_state=page), "ofa", page, 8, read)
        said = words(figure).split("\n")
        body = said[said.index("P(yes)") :]
        written += body
        last = min(8 * page, 20)
        assert f"Questions and answers of ofa: images {8 * page - 7} to {last} of 20" in said
    assert sorted(asked) == sorted(set(answers["image"]))
    assert asked == choose(answers)
    assert written.count(RIGHT) == answers["correct"].sum()
    assert written.count(WRONG) == (~answers["correct"]).sum()
    numbers = [f"{p:.2f}" for p in answers["p_yes"]]
    assert sorted(set(written) & set(numbers)) == sorted(set(numbers))


def test_samples_pairs_each_question_with_its_answers() -> None:
    answers = rows_of(make_answers(["ofa"], images=1, each=5), "ofa")
    answers["predicted"] = np.where(answers.index % 2, "yes", "no")
    answers["correct"] = answers["predicted"] == answers["answer"]
    assert answers["correct"].nunique() == 2
    figure = vqa_samples(answers[::-1], "ofa", 1, 8, picture)
    lines: dict[float, list[tuple[float, str, str]]] = {}
    for text in figure.texts:
        x, y = text.get_position()
        lines.setdefault(round(y, 6), []).append((x, text.get_text(), str(text.get_weight())))
    marked = [
        sorted(line)
        for _, line in sorted(lines.items(), reverse=True)
        if sorted(line)[0][1] in (RIGHT, WRONG)
    ]
    for line, row in zip(marked, answers.to_dict("records"), strict=True):
        mark, question, truth, said, p_yes = (text for _, text, _ in line)
        assert mark == (RIGHT if row["correct"] else WRONG)
        assert row["question"].startswith(question)
        assert (truth, said) == (row["answer"], row["predicted"])
        assert p_yes == f"{row['p_yes']:.2f}"
        # Told by more than colour.
        assert {weight for *_, weight in line} == {"normal" if row["correct"] else "bold"}


def test_samples_counts_what_there_is_no_room_for() -> None:
    answers = rows_of(make_answers(["ofa"], images=1, each=40), "ofa")
    figure = vqa_samples(answers, "ofa", 1, 8, picture)
    said = words(figure).split("\n")
    shown = said[said.index("P(yes)") :].count(RIGHT) + said[said.index("P(yes)") :].count(WRONG)
    assert 5 <= shown < 40
    missed = (~answers["correct"].iloc[shown:]).sum()
    assert f"and {40 - shown} more questions, {missed} wrong" in said
    assert figure.get_size_inches()[1] < 3


def test_samples_alternates_images_with_and_without_a_wrong_answer() -> None:
    images = [f"{number}.png" for number in range(10)]
    correct = [number in (2, 5, 7) for number in range(10)]
    answers = pd.DataFrame({"image": images * 2, "correct": [*correct, *[True] * 10]})
    order = choose(answers)
    right = [image in ("2.png", "5.png", "7.png") for image in order]
    assert right == [False, True] * 3 + [False] * 4
    assert sorted(order) == images
    assert choose(answers.sample(frac=1, random_state=1)) == order
    # Not the order of the names, which may well have a meaning.
    assert [image for image in order if image not in ("2.png", "5.png", "7.png")] != sorted(
        set(images) - {"2.png", "5.png", "7.png"}
    )


def test_samples_says_that_there_is_no_such_page() -> None:
    answers = rows_of(make_answers(["ofa"], images=9), "ofa")
    said = words(vqa_samples(answers, "ofa", 3, 8, picture))
    assert "there is no page 3" in said and "The images make 2 pages." in said
    assert RIGHT not in said


# --- Scripts ------------------------------------------------------------------------------------

LEVEL = {"level": 0.95}
CALLS: dict[str, tuple[dict[str, Callable[[Answers], pd.DataFrame]], dict[str, float]]] = {
    "vqa_accuracy": ({"table": table_of}, LEVEL),
    "vqa_seeing": (
        {
            "groups": lambda answers: group(seen_and_not(answers), 0.95),
            "table": lambda answers: table_of(seen_and_not(answers)),
        },
        LEVEL,
    ),
    "vqa_kinds": ({"groups": lambda answers: group(answers, 0.95), "table": table_of}, LEVEL),
    "vqa_calibration": (
        {"calibration": lambda answers: calibrate(answers, 0.95), "table": table_of},
        LEVEL,
    ),
    "vqa_samples": (
        {"answers": lambda answers: rows_of(answers, "ofa_000")},
        {"page": 1, "per_page": 2},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_script_writes_both_files(name: str, tmp_path: Path) -> None:
    answers = make_answers(SHORT, images=3)
    inputs, spec = CALLS[name]
    (row,) = (row for row in figures.FIGURES if row.name == name)
    files = {}
    for parameter, make in inputs.items():
        table = make(answers)
        files[parameter] = tmp_path / f"{row.inputs[parameter]}.parquet"
        if name == "vqa_samples":
            of_schema = pa.Table.from_pandas(
                table.assign(reason=None), SCHEMA, preserve_index=False
            )
            pq.write_table(
                of_schema.replace_schema_metadata({"model": "ofa_000"}), files[parameter]
            )
            for image in set(table["image"]):
                (tmp_path / "root" / image).parent.mkdir(parents=True, exist_ok=True)
                picture(image).save(tmp_path / "root" / image)
        else:
            table.to_parquet(files[parameter])
    root = tmp_path / "root" if name == "vqa_samples" else ""
    done = plot(name, tmp_path / "out", dict(spec), root, **files)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["figure.pdf", "figure.png"]
    with Image.open(out / "figure.png") as image:
        assert image.width == 1440


# --- Seeing -------------------------------------------------------------------------------------


def test_seeing_shows_both_accuracies_and_the_gain_of_each_model_and_kind() -> None:
    answers = seen_and_not(make_answers(SHORT, images=30))
    table, groups = table_of(answers), group(answers, 0.95)
    figure = vqa_seeing(table.sample(frac=1, random_state=1), groups)
    models, kinds = figure.axes
    ranked = table.sort_values("accuracy", ascending=False)
    assert [label.get_text() for label in models.get_yticklabels()] == ranked["model"].tolist()
    for row, (_, model) in enumerate(ranked.iterrows()):
        line = next(
            line for line in models.lines if list(np.asarray(line.get_ydata())) == [row, row]
        )
        assert list(np.asarray(line.get_xdata())) == [model["blind"], model["accuracy"]]
        assert f"{100 * model['gain']:.1f}".replace("-", "\u2212") in words(figure)
    best = groups[(groups["model"] == ranked["model"].iloc[0]) & (groups["by"] == "kind")]
    assert {label.get_text() for label in kinds.get_yticklabels()} == set(best["value"])


# --- Answers that are words, or missing ---------------------------------------------------------


def words_alone(answers: Answers, *models: str) -> Answers:
    """The same models, of which some answer with words alone."""
    places = [answers.models.index(model) for model in models]
    p_yes = answers.p_yes.copy()
    p_yes[:, places] = np.nan
    asked = replace(answers.asked, has_p_yes=~np.isnan(p_yes).any(axis=0))
    return replace(answers, p_yes=p_yes, asked=asked)


def test_accuracy_has_a_band_where_questions_are_unanswered() -> None:
    answers = make_answers(SHORT)
    asked = replace(answers.asked, questions=answers.asked.questions + 10)
    lost = np.array([0, 10, 0])
    answers = replace(answers, asked=replace(asked, unanswered=lost, silent=lost))
    table = table_of(answers)
    figure = vqa_accuracy(table)
    (axes,) = figure.axes
    (bar,) = (patch for patch in axes.patches if patch.get_alpha())
    row = table.sort_values("accuracy", ascending=False, ignore_index=True)
    place = row.index[row["unanswered"] > 0][0]
    assert bar.get_x() == row.loc[place, "all_wrong"]
    assert bar.get_x() + bar.get_width() == pytest.approx(row.loc[place, "all_right"])
    assert bar.get_y() + bar.get_height() / 2 == place
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "unanswered: all wrong to all right" in keys
    assert "Bands: over all of a model's questions" in words(figure).replace("\n", " ")
    assert_legible(figure)


def test_accuracy_has_no_band_where_only_answers_without_the_image_are_missing() -> None:
    answers = make_answers(SHORT)
    asked = replace(answers.asked, unanswered=np.array([0, 10, 0]))
    figure = vqa_accuracy(table_of(replace(answers, asked=asked)))
    (axes,) = figure.axes
    assert not [patch for patch in axes.patches if patch.get_alpha()]
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "unanswered: all wrong to all right" not in keys
    assert "Bands" not in words(figure)


def test_calibration_leaves_out_models_without_p_yes_and_says_so() -> None:
    answers = words_alone(make_answers(SHORT), SHORT[0])
    figure = vqa_calibration(calibrate(answers, 0.95), table_of(answers))
    assert len(figure.axes) == 4
    said = words(figure).replace("\n", " ")
    assert f"Not shown, since P(yes) is not known of all questions: {SHORT[0]}." in said
    answers = words_alone(answers, *SHORT)
    figure = vqa_calibration(calibrate(answers, 0.95), table_of(answers))
    assert not figure.axes and "their answers are words" in words(figure).replace("\n", " ")


def test_seeing_leaves_out_models_that_were_not_asked_blind_and_says_so() -> None:
    answers = seen_and_not(make_answers(SHORT))
    assert answers.blind is not None
    blind = answers.blind.copy()
    blind[:, 2] = np.nan  # the best one
    answers = replace(answers, blind=blind)
    figure = vqa_seeing(table_of(answers), group(answers, 0.95))
    assert row_labels(figure.axes[0]) == [SHORT[1], SHORT[0]]
    said = words(figure).replace("\n", " ")
    assert "1 model could not be asked so." in said
    assert f"Kinds of question: {SHORT[1]}" in said
    nobody = replace(answers, blind=None)
    with pytest.raises(NotKnownError, match="no model was asked without seeing the images"):
        vqa_seeing(table_of(nobody), group(nobody, 0.95))


def test_samples_of_a_model_without_p_yes_do_not_speak_of_it() -> None:
    answers = rows_of(make_answers(["ofa"], images=3), "ofa")
    said = words(vqa_samples(answers.assign(p_yes=np.nan), "ofa", 1, 8, picture))
    assert "P(yes)" not in said and "nan" not in said
    assert said.count(RIGHT) == answers["correct"].sum() + 1, "and once in the heading"
