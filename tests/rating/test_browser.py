"""Rating in a real browser: headless Chromium opens the pages from disk."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthsight.rating.pictures import Picture
from tests.browser import AXE, NARROW, faults, until
from tests.rating.raters import Rater, pictures, rate_all, read_responses, write_page

pytestmark = pytest.mark.long

#: Awkward in a file of commas, as names of categories.
AWKWARD = ['salt, "pepper"', "Ångström_Ελιά", "toilet_seat"]

#: What would come alive if it were taken for markup.
HOSTILE = [
    "<script>window.pwned=1<",
    "</script><img src=x onerror=window.pwned=1>",
    "--><style>*{display:none}<",
]

LAPTOP = {"width": 1280, "height": 800}


def shown_by(rater: Rater, found: list[Picture]) -> str:
    """The name of the picture that is on screen."""
    content = base64.b64decode(rater.picture.partition(",")[2])
    (name,) = [picture.name for picture in found if picture.webp == content]
    return name


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Ten pictures, three categories."""
    return write_page(tmp_path / "rating.html", pictures(10), AWKWARD)


@pytest.fixture
def rater(browser: Any, page: Path) -> Iterator[Rater]:
    rater = Rater(browser, page)
    yield rater
    assert rater.complaints == []
    assert [url for url in rater.requests if not url.startswith(("data:", "blob:"))] == [
        rater.address
    ]
    rater.context.close()


def test_ten_pictures_rated_by_mouse_and_keys_are_in_the_file_as_they_were_chosen(
    rater: Rater, tmp_path: Path
) -> None:
    found = pictures(10)
    rater.begin('Åsa, "the 2nd"')
    expected = []
    by_mouse = {"toilet seat": "toilet_seat", AWKWARD[0]: AWKWARD[0], "Ångström Ελιά": AWKWARD[1]}
    by_mouse |= {"other": "other", "cannot tell": "cannot tell"}
    by_key = {
        "0": "other",
        "-": "cannot tell",
        "1": AWKWARD[0],
        "2": "toilet_seat",
        "3": AWKWARD[1],
    }
    for (label, clicked), (key, pressed) in zip(by_mouse.items(), by_key.items(), strict=True):
        expected.append((shown_by(rater, found), clicked))
        rater.choose(label)
        expected.append((shown_by(rater, found), pressed))
        rater.press(key)
    assert "10 pictures" in rater.page.inner_text("#done")
    path = rater.save(tmp_path)
    assert re.fullmatch(r"labels-[0-9a-f]{8}-Åsa_the_2nd\.csv", path.name)
    rows = read_responses(path)
    assert [(row["image"], row["response"]) for row in rows] == expected
    assert {row["rater"] for row in rows} == {'Åsa, "the 2nd"'}
    assert {each.name for each in found} == {row["image"] for row in rows}
    assert all(0.25 <= float(row["seconds"]) < 60 for row in rows)
    content = path.read_bytes()
    assert content.startswith(b"rater,image,response,seconds\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 11


def test_going_back_corrects_a_response_and_undo_takes_one_back(
    rater: Rater, tmp_path: Path
) -> None:
    rater.begin("a")
    first = rater.picture
    for key in "123":
        rater.press(key)
    assert rater.place == "Picture 4 of 10"
    assert rater.chosen == []
    rater.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
    assert (rater.place, rater.picture, rater.chosen) == (
        *("Picture 1 of 10", first),
        ['salt, "pepper"'],
    )
    rater.press("0")
    assert (rater.place, rater.chosen) == ("Picture 2 of 10", ["toilet seat"])
    assert "other" in rater.page.inner_text("#before")
    rater.page.get_by_role("button", name="On to picture 4").click()
    rater.look()
    assert rater.place == "Picture 4 of 10"
    rater.press("ArrowRight")
    assert rater.place == "Picture 4 of 10", "no picture is passed without a response"
    rater.press("Control+z")
    assert (rater.place, rater.chosen) == ("Picture 3 of 10", [])
    rater.page.get_by_role("button", name="Back").click()
    rater.look()
    assert rater.place == "Picture 2 of 10"
    rows = read_responses(rater.save(tmp_path))
    assert [row["response"] for row in rows] == ["other", "toilet_seat"]
    assert float(rows[0]["seconds"]) > float(rows[1]["seconds"]), "it was on screen twice"


def test_a_reload_keeps_progress_and_order(rater: Rater, tmp_path: Path) -> None:
    rater.begin("a")
    rater.press("1")
    rater.press("2")
    third = rater.picture
    rater.page.reload()
    assert rater.page.locator("#raters li span").all_inner_texts() == ["a: 2 of 10"]
    rater.resume("a")
    assert (rater.place, rater.picture) == ("Picture 3 of 10", third)
    assert [row["response"] for row in read_responses(rater.save(tmp_path))] == [
        *('salt, "pepper"', "toilet_seat")
    ]
    rater.requests.pop()  # the page itself, once more


def test_raters_on_one_machine_are_kept_apart_and_see_orders_of_their_own(
    rater: Rater, browser: Any, page: Path, tmp_path: Path
) -> None:
    seen: dict[str, list[str]] = {}
    for name in ("anna", "berta"):
        rater.begin(name)
        for _ in range(3):
            seen.setdefault(name, []).append(rater.picture)
            rater.press("1")
        assert {row["rater"] for row in read_responses(rater.save(tmp_path))} == {name}
        rater.page.get_by_role("button", name="Pause").click()
    assert seen["anna"] != seen["berta"]
    assert rater.page.locator("#raters li span").all_inner_texts() == [
        *("anna: 3 of 10", "berta: 3 of 10")
    ]
    elsewhere = Rater(browser, page)
    elsewhere.begin("anna")
    assert elsewhere.picture == seen["anna"][0], "the name alone decides the order"
    elsewhere.context.close()
    rater.page.once("dialog", lambda dialog: dialog.accept())
    rater.page.get_by_role("button", name="Delete the responses of anna").click()
    assert rater.page.locator("#raters li span").all_inner_texts() == ["berta: 3 of 10"]


def test_every_rater_sees_every_picture_once_in_the_order_that_the_name_gives(
    browser: Any, page: Path, tmp_path: Path
) -> None:
    names = [picture.name for picture in pictures(10)]
    digest = re.search(r'"digest":"([0-9a-f]{8})"', page.read_text(encoding="utf-8"))
    assert digest is not None
    rows = read_responses(rate_all(browser, page, "Zoë", ["other"] * 10, tmp_path))
    expected = order_of(10, f"{digest[1]}\nZoë")
    assert [row["image"] for row in rows] == [names[number] for number in expected]


def order_of(length: int, text: str) -> list[int]:
    """The order as its two functions are published: FNV-1a with MurmurHash3's end, mulberry32."""
    mask = 0xFFFFFFFF
    state = 0x811C9DC5
    for byte in text.encode():
        state = (state ^ byte) * 0x01000193 & mask
    state = (state ^ state >> 16) * 0x85EBCA6B & mask
    state = (state ^ state >> 13) * 0xC2B2AE35 & mask
    state ^= state >> 16
    order = list(range(length))
    for last in range(length - 1, 0, -1):
        state = (state + 0x6D2B79F5) & mask
        mixed = (state ^ state >> 15) * (state | 1) & mask
        mixed ^= (mixed + ((mixed ^ mixed >> 7) * (mixed | 61) & mask)) & mask
        chosen = int(((mixed ^ mixed >> 14) & mask) / 2**32 * (last + 1))
        order[last], order[chosen] = order[chosen], order[last]
    return order


def test_a_second_click_at_once_counts_for_nothing(rater: Rater, tmp_path: Path) -> None:
    """The second click of a double click, when the next picture is there already."""
    rater.begin("a")
    rater.page.locator(".choice").first.evaluate(
        "async (button) => { button.click(); await document.getElementById('picture').decode();"
        " await new Promise((go) => { setTimeout(go, 60); }); button.click(); }"
    )
    rater.look()
    assert rater.place == "Picture 2 of 10"


def test_on_a_touch_screen_no_choice_looks_chosen_for_the_next_picture(
    browser: Any, page: Path
) -> None:
    """There, what was touched last counts as hovered until something else is."""
    rater = Rater(browser, page, viewport=NARROW, has_touch=True, is_mobile=True)
    rater.page.fill("#name", "a")
    rater.page.get_by_role("button", name="Begin").tap()
    rater.look()
    rater.page.locator(".choice").nth(1).tap()
    rater.look()
    assert rater.place == "Picture 2 of 10"
    looks = rater.page.locator(".choice").evaluate_all(
        "nodes => nodes.map((node) => { const found = getComputedStyle(node);"
        " return found.backgroundColor + found.borderColor + found.outlineStyle; })"
    )
    assert len({*looks}) == 1
    rater.context.close()


def test_many_categories_are_found_by_typing(browser: Any, tmp_path: Path) -> None:
    names = [*(f"thing_{number}" for number in range(40)), "Crème_brûlée", "big clock", "clock"]
    page = write_page(tmp_path / "rating.html", pictures(5), names)
    rater = Rater(browser, page)
    rater.begin("a")
    labels = rater.page.locator(".choice span").all_inner_texts()
    assert labels == [
        *sorted((name.replace("_", " ") for name in names), key=str.casefold),
        *("other", "cannot tell"),
    ]
    rater.type("creme")
    assert rater.page.locator(".choice:visible span").all_inner_texts() == [
        *("Crème brûlée", "other", "cannot tell")
    ]
    rater.press("Enter")
    rater.type("clo")
    assert rater.page.inner_text("#found") == "Enter chooses clock; 2 match."
    rater.press("ArrowDown", "Enter")
    rater.type("no such")
    assert rater.page.inner_text("#found") == "No choice matches."
    rater.press("Enter")
    assert rater.place == "Picture 3 of 5"
    rater.press("Escape")
    assert rater.page.locator(".choice:visible").count() == len(labels)
    rater.type("cannot")
    rater.press("Enter")
    rater.press("0")
    rater.choose("thing 7")
    assert [row["response"] for row in read_responses(rater.save(tmp_path))] == [
        *("Crème_brûlée", "big clock", "cannot tell", "other", "thing_7")
    ]
    assert rater.complaints == []
    rater.context.close()


def test_questions_are_answered_with_yes_no_or_cannot_tell(browser: Any, tmp_path: Path) -> None:
    asked = ["Is it red?", 'Is there "text", or not?']
    page = write_page(tmp_path / "questions.html", pictures(2, asked), None)
    rater = Rater(browser, page)
    rater.begin("a")
    expected = []
    for key, response in (("y", "yes"), ("n", "no"), ("-", "cannot tell")):
        question = rater.page.inner_text("#question")
        expected.append((shown_by(rater, pictures(2, asked)), question, response))
        rater.press(key)
    question = rater.page.inner_text("#question")
    expected.append((shown_by(rater, pictures(2, asked)), question, "yes"))
    rater.choose("yes")
    path = rater.save(tmp_path)
    assert path.name.startswith("answers-")
    rows = read_responses(path)
    assert list(rows[0]) == ["rater", "image", "question", "response", "seconds"]
    assert [(row["image"], row["question"], row["response"]) for row in rows] == expected
    assert len({(image, question) for image, question, _ in expected}) == 4
    assert rater.complaints == []
    rater.context.close()


def test_a_browser_that_keeps_nothing_is_told_of(browser: Any, page: Path, tmp_path: Path) -> None:
    rater = Rater(browser, page)
    assert not rater.page.locator("#unkept-at-start").is_visible()
    rater.page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('no', 'SecurityError'); };"
    )
    rater.page.reload()
    assert rater.page.locator("#unkept-at-start").is_visible()
    rater.begin("a")
    rater.press("1")
    assert rater.page.locator("#unkept").is_visible()
    asked = []

    def refuse(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    rater.page.on("dialog", refuse)
    rater.page.get_by_role("button", name="Pause").click()
    assert "does not keep" in asked[0]
    assert rater.place == "Picture 2 of 10"
    assert len(read_responses(rater.save(tmp_path))) == 1
    rater.page.get_by_role("button", name="Pause").click()
    assert len(asked) == 1, "what is saved may be left"
    assert rater.page.locator("#start").is_visible()
    rater.context.close()


def test_instructions_are_shown_and_consent_is_needed(browser: Any, tmp_path: Path) -> None:
    told = "Look.\nWell.\n\nThen choose."
    page = write_page(tmp_path / "rating.html", pictures(1), ["kite"], told, "I <agree>.")
    rater = Rater(browser, page)
    paragraphs = rater.page.locator("#start > .told").all_inner_texts()
    assert paragraphs == ["Look.\nWell.", "Then choose."]
    assert rater.page.inner_text(".consent .told") == "I <agree>."
    rater.page.fill("#name", "a")
    rater.page.get_by_role("button", name="Begin").click()
    assert not rater.page.locator("#rate").is_visible()
    rater.page.check("#agree")
    rater.begin("=1+1")
    assert not rater.page.locator("#rate").is_visible(), "a spreadsheet would run such a name"
    rater.begin("a")
    assert rater.place == "Picture 1 of 1"
    rater.context.close()


def test_another_tab_of_the_same_rater_takes_over_what_was_said(
    rater: Rater, tmp_path: Path
) -> None:
    rater.begin("a")
    rater.press("1")
    other = rater.context.new_page()
    other.goto(rater.address)
    other.get_by_role("button", name="Go on as a").click()
    other.wait_for_timeout(300)
    other.keyboard.press("2")
    until(rater.page, "!document.getElementById('forward').disabled")
    assert len(read_responses(rater.save(tmp_path))) == 2


def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    page = write_page(
        tmp_path / "rating.html", pictures(2, HOSTILE), HOSTILE, HOSTILE[1], HOSTILE[1]
    )
    rater = Rater(browser, page)
    assert HOSTILE[1] in rater.page.inner_text("#start")
    rater.page.check("#agree")
    rater.begin(f"a{HOSTILE[1]}")
    rater.choose(HOSTILE[0])
    rater.choose(HOSTILE[1])
    assert HOSTILE[1] in rater.page.inner_text("#end-h")
    assert rater.page.evaluate("window.pwned") is None
    assert rater.page.locator("img[src=x]").count() == 0
    assert rater.page.locator("style").count() == 1
    assert rater.complaints == []
    rater.context.close()


@pytest.mark.parametrize("number", [3, 17, 200])
@pytest.mark.parametrize("viewport", [LAPTOP, NARROW], ids=["laptop", "phone"])
def test_the_picture_and_the_choices_fit_the_window(
    browser: Any, tmp_path: Path, number: int, viewport: dict[str, int]
) -> None:
    names = [f"a_category_with_a_name_{each}" for each in range(number)]
    rater = Rater(browser, write_page(tmp_path / "r.html", pictures(2), names), viewport=viewport)
    rater.begin("a")
    size = rater.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert size == [viewport["width"], viewport["height"]]
    box = rater.page.locator("#picture").bounding_box()
    assert box["height"] > 0.3 * viewport["height"]
    for what in ("#picture", "#others", "#back", "[data-save]:visible"):
        assert rater.page.locator(what).first.bounding_box()["y"] >= 0
        box = rater.page.locator(what).first.bounding_box()
        assert box["y"] + box["height"] <= viewport["height"]
        assert box["x"] + box["width"] <= viewport["width"]
    rater.context.close()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: tests/install_browser.sh")
@pytest.mark.parametrize(
    ("viewport", "scheme", "number"),
    [(LAPTOP, "light", 3), (NARROW, "dark", 40)],
    ids=["wide-light", "narrow-dark"],
)
def test_axe_finds_no_serious_fault(
    browser: Any, tmp_path: Path, viewport: dict[str, int], scheme: str, number: int
) -> None:
    names = [f"category_{each}" for each in range(number)]
    page = write_page(tmp_path / "rating.html", pictures(2), names, None, "I agree to this.")
    rater = Rater(browser, page, viewport=viewport, color_scheme=scheme)
    rater.page.locator("details").evaluate_all("nodes => nodes.forEach((n) => { n.open = true; })")
    found = faults(rater.page)
    rater.page.check("#agree")
    rater.begin("a")
    rater.choose("other")
    rater.press("ArrowLeft")
    found += faults(rater.page)
    rater.choose("cannot tell")
    rater.choose("other")
    found += faults(rater.page)
    rater.page.get_by_role("button", name="Another rater").click()
    found += faults(rater.page)
    assert found == []
    rater.context.close()
