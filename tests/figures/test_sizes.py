"""Every figure is legible at any number of models and categories, across a page and in a column."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from synthsight import origin
from synthsight.figures import style
from synthsight.figures.fonts import FAMILY, FontError, families
from synthsight.figures.look import Look, look_of, looking
from synthsight.figures.models import models
from synthsight.figures.text import elide_all, escapes, plain, text_width
from tests.figures.sizes import NAMES, OF_CATEGORIES, draw, sizes
from tests.figures.test_classifiers import (
    LONG_MODELS,
    RULE,
    assert_legible,
    make_accuracy,
    row_labels,
    texts,
    words,
)

ONE = Look(width=3.3)

#: Inches of a page that a figure may take.
PAGE = 10.0

#: A font that matplotlib ships beside its own.
OTHER = "STIXGeneral"


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "of"), [(name, of) for name in NAMES for of in sizes(name)], ids=str
)
def test_a_figure_is_legible_in_one_column(name: str, of: tuple[int, int]) -> None:
    with looking(ONE):
        figure = draw(name, *of)
        assert figure.get_size_inches()[0] == 3.3
        assert_legible(figure)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "of"), [(name, of) for name in NAMES for of in sizes(name)[1:]], ids=str
)
def test_a_figure_is_legible_across_a_page(name: str, of: tuple[int, int]) -> None:
    assert_legible(draw(name, *of))


@pytest.mark.long
@pytest.mark.parametrize("of", sizes("overview"), ids=str)
def test_an_overview_fits_a_page(of: tuple[int, int]) -> None:
    figure = draw("overview", *of)
    assert figure.get_size_inches()[1] <= PAGE
    full = figure.get_size_inches()
    boxes = [axes.get_position() for axes in figure.axes]
    # No hole: what panels reach down to, on either side of the middle, differs by a panel at most.
    ends = [[b.y0 for b in boxes if side(b)] for side in (_left, _right)]
    assert abs(min(ends[0]) - min(ends[1])) * full[1] < 1


def _left(box: object) -> bool:
    return box.x0 < 0.5  # type: ignore[attr-defined, no-any-return]


def _right(box: object) -> bool:
    return box.x1 > 0.5  # type: ignore[attr-defined, no-any-return]


@pytest.mark.long
def test_an_overview_says_which_it_shows_of_many() -> None:
    figure = draw("overview", 100, 200)
    said = words(figure).replace("\n", " ")
    assert "The best models (30 of 100)" in said
    assert "the 20 with the highest and the 20 with the lowest" in said
    assert "100 models, 200 categories" in said
    (by_category,) = (axes for axes in figure.axes if len(row_labels(axes)) == 40 and _named(axes))
    assert len(set(row_labels(by_category))) == 40


def _named(axes: object) -> bool:
    return all(row_labels(axes))


@pytest.mark.long
def test_many_categories_make_pages_of_the_same_models() -> None:
    accuracy = make_accuracy(["a", "b"], [f"c{number:02d}" for number in range(25)])
    shown: list[str] = []
    for page in (1, 2, 3):
        figure = models(accuracy, RULE, page, 2, categories_per_page=10)
        shown += row_labels(figure.axes[0])
        assert len(figure.axes) == 2
    assert len(shown) == len(set(shown)) == 25
    assert "categories 21 to 25 of 25" in words(figure)
    with pytest.raises(ValueError, match="no page 4"):
        models(accuracy, RULE, 4, 2, categories_per_page=10)


# Titles, formats, resolution ----------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(OF_CATEGORIES | {"overview", "kappa", "vqa_accuracy"}))
def test_without_a_title_a_figure_begins_with_what_it_shows(name: str, tmp_path: Path) -> None:
    titled = draw(name, 12, 17)
    with looking(Look(title=False)):
        bare = draw(name, 12, 17)
        assert_legible(bare)
        style.save(bare, tmp_path / "a.pdf", tmp_path / "a.png", tmp_path / "a.svg")
    said = {text.get_text() for text in texts(titled)} - {text.get_text() for text in texts(bare)}
    assert titled.get_size_inches()[1] > bare.get_size_inches()[1]
    title = str(bare.get_label())
    assert said and all(line.rstrip("…")[:20] in title for line in said)
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Title"] == title  # type: ignore[attr-defined]
    assert b"/Title" in (tmp_path / "a.pdf").read_bytes()
    assert title[:20] in (tmp_path / "a.svg").read_text(encoding="utf-8")


def small() -> Figure:
    return models(make_accuracy(["a"], ["kite"]), RULE, 1, 5)


@pytest.mark.slow
def test_every_format_is_the_same_bytes_and_says_how_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ("pdf", "png", "svg")
    for time in ("1", "2000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", time)
        with origin.making("plot", {"rule": RULE}, "code"):
            style.save(small(), *(tmp_path / time / f"a.{kind}" for kind in kinds))
    for kind in kinds:
        first, second = (tmp_path / time / f"a.{kind}" for time in ("1", "2000000000"))
        written = first.read_bytes()
        # The folder, which a mark names, differs; nothing else.
        assert len(written) and origin.read_origin(first) is not None
        style.save(small(), tmp_path / f"b.{kind}", tmp_path / f"c.{kind}")
        assert (tmp_path / f"b.{kind}").read_bytes() == (tmp_path / f"c.{kind}").read_bytes()
        assert second.exists()


def test_the_resolution_changes_pixels_and_not_the_layout(tmp_path: Path) -> None:
    made = {}
    for dpi in (80, 120, 200, 300):
        with looking(Look(dpi=dpi)):
            figure = models(make_accuracy(LONG_MODELS[:5], ["kite"]), RULE, 1, 5)
            assert_legible(figure)
            made[dpi] = figure.get_size_inches().tolist()
            style.save(figure, tmp_path / "a.png")
        with Image.open(tmp_path / "a.png") as image:
            assert image.width == round(7.2 * dpi)
    assert all(size == made[200] for size in made.values())


def test_a_spec_states_what_is_not_as_usual() -> None:
    assert look_of({}) == Look()
    stated = {"width": 3.3, "fonts": ["a.ttf"], "contents": {"a.ttf": "0"}}
    assert look_of(stated) == Look(width=3.3, fonts=("a.ttf",))
    assert look_of(stated).narrow and not Look().narrow


# Fonts --------------------------------------------------------------------------------------------


def test_a_character_is_drawn_in_the_first_font_that_has_it(tmp_path: Path) -> None:
    assert families() == (FAMILY,)
    before = text_width("kite")
    with looking(Look(fonts=(OTHER,))):
        assert families() == (OTHER, FAMILY)
        assert text_width("kite") != before
        assert plain("\N{SUN}") == "\N{SUN}"
    with looking(Look(fonts=(FAMILY, OTHER))):
        assert text_width("kite") == before


def test_a_character_that_no_font_has_stands_as_its_code() -> None:
    assert plain("猫") == r"\u732b" and escapes("猫")
    assert not escapes("kite\n") and not escapes("مرحبا")


def test_a_font_file_adds_its_characters(tmp_path: Path) -> None:
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((900, 0), (900, 900), (100, 900)):
        pen.lineTo(point)
    pen.closePath()
    glyph = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "cat"])
    builder.setupCharacterMap({0x732B: "cat"})
    builder.setupGlyf({".notdef": glyph, "cat": glyph})
    builder.setupHorizontalMetrics({".notdef": (1000, 100), "cat": (1000, 100)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Only Cats", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "cats.ttf"
    builder.save(path)
    with looking(Look(fonts=(str(path),))):
        assert families() == ("Only Cats", FAMILY)
        assert plain("猫 kite") == "猫 kite" and not escapes("猫")
        figure = models(make_accuracy(["猫"], ["kite"]), RULE, 1, 5)
        for number in range(2):
            style.save(figure, *(tmp_path / f"{number}.{kind}" for kind in ("pdf", "png", "svg")))
        for kind in ("pdf", "png", "svg"):
            first, second = (tmp_path / f"{number}.{kind}" for number in range(2))
            assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("font", "said"),
    [
        ("No Such Family", "this machine has no font family 'No Such Family'"),
        ("nowhere.ttf", "nowhere.ttf cannot be read as a font (No such file or directory)"),
    ],
)
def test_a_font_that_is_not_there_is_named(font: str, said: str) -> None:
    with looking(Look(fonts=(font,))), pytest.raises(FontError) as error:
        families()
    assert said in str(error.value)


def test_what_is_no_font_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.ttf"
    path.write_text("not a font")
    with looking(Look(fonts=(str(path),))), pytest.raises(FontError, match="no font"):
        families()


# Names --------------------------------------------------------------------------------------------


def test_names_that_differ_in_their_middle_stay_different_where_there_is_little_room() -> None:
    names = [*LONG_MODELS[:12], "net"]
    shortened = elide_all(names, 1.0)
    assert len(set(shortened)) == len(names) and shortened[-1] == "net"
    assert all(text_width(each) <= 1.0 for each in shortened)
    assert all(f"_{number}." in each for number, each in enumerate(shortened[:12]))
