"""What the tests of the report in a browser share: its controls, and numbers out of charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from synthsight.report.tables import read_table
from synthsight.statistics.adapted import uncounted
from tests.browser import Window, until

#: The primary rule of the small project.
RULE = "words/simple"


class Tab(Window):
    """An open report."""

    def choose(self, key: str, value: str) -> None:
        control = self.page.locator(f"[data-key={key}]")
        if control.evaluate("node => node.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)

    def reset(self, what: str) -> None:
        """Take all filters back. What follows a click may be there before its effect is."""
        self.page.locator(f"[data-reset={what}]").click()
        first = {"images": "category", "questions": "qmodel"}[what]
        until(self.page, f"!document.querySelector('[data-key={first}]').value")

    def shown(self, what: str = "images") -> int:
        """The number that the page says is shown."""
        said = self.page.inner_text(f"#{what}-count").split(" ")[0]
        return 0 if not said else int(said.replace(",", ""))

    def look_at_everything(self) -> None:
        """Open all tables, draw all charts, try every control."""
        self.page.locator("details").evaluate_all(
            "nodes => nodes.forEach((node) => { node.open = true; })"
        )
        for chart in self.page.locator("[data-chart]").all():
            chart.scroll_into_view_if_needed()
            chart.locator("svg").first.wait_for()
        for control in self.page.locator("select[data-key]").all():
            values = control.evaluate("node => [...node.options].map((option) => option.value)")
            control.select_option(values[-1])
            control.select_option(values[0])


def hits(results: Path) -> pd.DataFrame:
    """A row per generated image, which the page shows at first, model and rule."""
    parts = []
    for path in sorted((results / "scores").glob("*.parquet")):
        table = pq.read_table(path)
        model = table.schema.metadata[b"model"].decode()
        parts.append(table.to_pandas().assign(model=model))
    table = pd.concat(parts, ignore_index=True)
    return table[~table["real"].astype(bool)].reset_index(drop=True)


def of_all_models(results: Path) -> list[str]:
    """The models that count in what is said of all of them: none that was trained on the images."""
    accuracy = read_table(results / "tables" / "accuracy.parquet")
    return sorted(set(accuracy["model"]) - set(uncounted(accuracy)))


#: The numbers that the marks of a chart stand at: their attributes turned back by its own scales.
_NUMBERS = r"""([chart, selector, attributes]) => {
    const svg = document.querySelector(`[data-chart=${chart}] svg`);
    const number = (mark, attribute) => {
        const scale = svg.scale(attribute.includes("y") || attribute === "bottom" ? "y" : "x");
        const place = /translate\(([^,]+),([^)]+)\)/.exec(mark.getAttribute("transform") ?? "");
        const get = (name) => Number(mark.getAttribute(name));
        const at = {
            right: () => get("x") + get("width"),
            bottom: () => get("y") + get("height"),
            "translate-x": () => Number(place[1]),
            "translate-y": () => Number(place[2]),
        }[attribute] ?? (() => get(attribute));
        return scale.invert(at());
    };
    return [...svg.querySelectorAll(selector)].map(
        (mark) => attributes.map((attribute) => number(mark, attribute)));
}"""


def marks(page: Any, chart: str, selector: str, *attributes: str) -> list[list[float]]:
    """Of each mark of a chart the numbers that its attributes stand for.

    Args:
        page: of Playwright; the chart must be drawn.
        chart: its name.
        selector: of the marks, within the chart's picture.
        attributes: as ``cx``, ``x1``, ``y``; ``right`` and ``bottom`` of a rectangle,
            ``translate-x`` and ``translate-y`` of a path.
    """
    found: list[list[float]] = page.evaluate(_NUMBERS, [chart, selector, attributes])
    return found


def draw_all(page: Any) -> None:
    """Have all charts drawn, wherever the reader is: as for a printer."""
    page.evaluate(
        "for (const type of ['beforeprint', 'afterprint']) window.dispatchEvent(new Event(type))"
    )
