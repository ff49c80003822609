"""One more matching rule is one more entry: it is admitted, computed, audited, drawn, explained."""

from __future__ import annotations

import html
import re
import shutil
from typing import Any

import jsonschema
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from matplotlib.colors import to_hex

from synthsight.doors import UnknownNameError
from synthsight.figures.rules import rules as draw_rules
from synthsight.labels.audit import HOMONYM
from synthsight.labels.matching import (
    RULES,
    Mark,
    Rule,
    Target,
    accepted_classes,
    admit_rules,
    find_rule,
)
from synthsight.labels.spaces import LabelSpace
from tests.report.browsing import draw_all, marks
from tests.support import REPOSITORY, Project

SCHEMA = yaml.safe_load(
    (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
)

#: What somebody would add to synthsight/labels/matching.py.
FIFTH = """

def _last_letter(target: Target, labels: LabelSpace) -> npt.NDArray[np.bool_]:
    return np.array([name[-1] == target.name[-1] for name in labels.simple])


RULES["letter/last"] = Rule(
    name="letter/last",
    meaning="the predicted class's one name ends in the category's last letter",
    accepts=_last_letter,
    looks_at="names",
    mark=Mark("*", "#56B4E9", "star", "★", "light-dark(#7a5c00, #efd071)"),
)
"""
NAME = "letter/last"


@pytest.fixture
def fifth(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """The rule in the table of this process."""
    added = dict(RULES)
    scope = {"RULES": added, "Rule": Rule, "Mark": Mark, "Target": Target, "np": np, "npt": npt}
    exec(f"from __future__ import annotations\n{FIFTH}", scope)
    monkeypatch.setitem(RULES, NAME, added[NAME])
    return added[NAME]


@pytest.fixture(scope="module")
def five(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished project, run again with the rule in its copy of the package."""
    folder = tmp_path_factory.mktemp("five")
    shutil.copytree(finished.folder, folder / "project", symlinks=True)
    project = Project(folder / "project")
    with open(project.folder / "src/synthsight/labels/matching.py", "a", encoding="utf-8") as file:
        file.write(FIFTH)
    project.configure({**project.config, "matching": {"rules": [*RULES, NAME]}})
    results = project.results.relative_to(project.folder)
    project.run(f"{results}/report.html", f"{results}/figures/rules.png")
    return project


def test_the_schema_admits_it_and_says_what_it_means(fifth: Rule) -> None:
    schema = admit_rules(SCHEMA)
    config = {"run": "a", "images": {"root": "a"}, "models": ["timm/a"]}
    for matching in ({"rules": [NAME]}, {"primary": NAME}):
        jsonschema.validate({**config, "matching": matching}, schema)
        with pytest.raises(jsonschema.ValidationError):
            wrong = yaml.safe_load(yaml.safe_dump(matching).replace(NAME, "letter/first"))
            jsonschema.validate({**config, "matching": wrong}, schema)
    about = schema["properties"]["matching"]["properties"]["rules"]
    for rule in RULES.values():
        assert f"{rule.name}: {rule.meaning}" in about["description"]
    assert about["default"][-1] == fifth.name
    assert admit_rules(schema) == schema
    assert "items" not in SCHEMA["properties"]["matching"]["properties"]["rules"]


def test_the_figure_draws_it_in_its_own_mark(fifth: Rule) -> None:
    rows = [
        {"model": "net", "category": category, "generator": "*", "rule": rule, "n": 9}
        | {"top1": 0.1 * number, "top5": 0.1 * number + 0.3}
        for category in ("*", "kite")
        for number, rule in enumerate(RULES)
    ]
    figure = draw_rules(pd.DataFrame(rows), "classes")
    for axes in figure.axes:
        lines = {line.get_label(): line for line in axes.lines if line.get_label() in RULES}
        assert set(lines) == set(RULES)
        for name, line in lines.items():
            assert line.get_marker() == RULES[name].mark.marker
            assert to_hex(line.get_color()) == to_hex(RULES[name].mark.color)
    assert {handle.get_marker() for handle in figure.legends[0].legend_handles} == {
        rule.mark.marker for rule in RULES.values()
    }


@pytest.mark.long
def test_a_run_computes_it(five: Project) -> None:
    file = pq.read_table(five.results / "scores" / "resnet.parquet")
    rows = file.to_pandas().query("rule == @NAME")
    labels = [line.split(",")[0] for line in (five.folder / "labels.txt").read_text().splitlines()]
    hits = [
        [labels[index][-1] == category[-1] for index in predicted]
        for category, predicted in zip(rows["category"], rows["predicted"], strict=True)
    ]
    assert len(rows) == 12
    assert rows["top1_hit"].tolist() == [each[0] for each in hits]
    assert rows["top5_hit"].tolist() == [any(each) for each in hits]
    accuracy = pd.read_csv(five.results / "tables" / "accuracy.csv")
    mean = accuracy.query("rule == @NAME and model == 'resnet' and category == generator == '*'")
    by_category = rows.groupby("category")["top1_hit"].mean()
    assert mean["top1"].tolist() == pytest.approx([by_category.mean()])


def test_a_run_audits_it(five: Project) -> None:
    audit = pd.read_csv(five.results / "tables" / "label_audit.csv")
    row = audit[(audit["category"] == "bagel") & (audit["names"] == "pretzel")].iloc[0]
    assert (row["accepted_by"], row["flag"], row["flagged_rules"]) == (NAME, HOMONYM, NAME)


def test_a_run_draws_and_explains_it(five: Project) -> None:
    assert (five.results / "figures" / "rules.png").stat().st_size > 0
    text = (five.results / "report.html").read_text(encoding="utf-8")
    text = " ".join(html.unescape(re.sub(r"<script.*?</script>", "", text, flags=re.S)).split())
    said = f"<code>{NAME}</code> if the predicted class's one name ends in the category's last"
    assert said in text
    assert f"{NAME} counts pretzel, which nobody chose" in text


@pytest.mark.long
def test_the_page_draws_it_in_its_own_mark(browser: Any, five: Project) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((five.results / "report.html").as_uri())
    draw_all(page)
    chart = page.locator("[data-chart=rules]")
    signs = {**{rule.name: rule.mark.sign for rule in RULES.values()}, NAME: "★"}
    chosen = "words/simple"
    others = [f"{signs[name]} {name}" for name in sorted(signs.keys() - {chosen})]
    legend = chart.locator(".legend > span").all_inner_texts()
    assert legend == [f"{signs[chosen]} {chosen} (filled: chosen above)", *others]
    stars = "path[stroke='light-dark(#7a5c00, #efd071)']"
    drawn = page.locator(f"[data-chart=rules] svg {stars}").evaluate_all(
        "paths => paths.map((path) => [path.getAttribute('d'), getComputedStyle(path).stroke])"
    )
    shape = page.evaluate("d3.symbol(d3.symbolStar, 25 * Math.PI)()")
    assert drawn == [[shape, "rgb(122, 92, 0)"]] * 2
    accuracy = pd.read_csv(five.results / "tables" / "accuracy.csv")
    means = accuracy.query("rule == @NAME and category == generator == '*'")
    values = [value for (value,) in marks(page, "rules", stars, "translate-x")]
    assert sorted(values) == pytest.approx(sorted(means["top1"]), abs=1e-5)
    page.locator("[data-key=rule]").select_option(NAME)
    page.locator("[data-key=outcome]").select_option("right")
    scores = [pd.read_parquet(path) for path in (five.results / "scores").glob("*.parquet")]
    rows = pd.concat(scores).query("rule == @NAME")
    right = rows.groupby("image")["top1_hit"].any().sum()
    assert page.inner_text("#images-count") == f"{right} of 12 images"
    page.close()
    assert complaints == []


# The table ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["marker", "color", "symbol", "sign", "stroke"])
def test_no_two_rules_look_alike(attribute: str) -> None:
    looks = [getattr(rule.mark, attribute) for rule in RULES.values()]
    assert len(set(looks)) == len(looks)


def test_the_documentation_has_a_row_for_each_rule() -> None:
    text = (REPOSITORY / "docs" / "methods.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+) \| (.+) \|$", text.partition("## Accuracies")[0], re.M
    )
    assert rows == [
        (rule.name, rule.meaning, "the run's categories" if rule.choice else "all classes")
        for rule in RULES.values()
    ]


def test_an_unknown_rule_is_an_error_with_a_close_name() -> None:
    with pytest.raises(UnknownNameError, match="'words/simpel'; did you mean 'words/simple'"):
        find_rule("words/simpel")
    space = LabelSpace("test", ("kite",), (("kite",),))
    with pytest.raises(UnknownNameError, match=f"known: {', '.join(RULES)}"):
        accepted_classes(Target("kite"), space, "?")


@pytest.mark.long
def test_no_program_names_a_rule() -> None:
    """What a rule is and does stands in the table; text for people may speak of one."""
    named = re.compile(
        "|".join(f"[\"']{re.escape(name)}[\"']" for name in RULES if name != "classes")
    )
    own = REPOSITORY / "src/synthsight/labels/matching.py"
    for folder in ("src", "rules", "workflow/scripts"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.suffix in (".py", ".js", ".smk") and "vendor" not in path.parts and path != own:
                assert not named.search(path.read_text(encoding="utf-8")), path
