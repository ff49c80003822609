"""Tables in LaTeX: the text of golden files, any name as text, and that LaTeX takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from synthsight.export.accuracy import accuracy
from synthsight.export.justified import clearly_best
from synthsight.export.latex import Table, escape, percent, plain, with_interval
from synthsight.export.transfer import transfer
from synthsight.export.vqa import vqa
from tests.figures.test_classifiers import HOSTILE
from tests.figures.test_learning import transfer_table
from tests.figures.test_vqa import make_answers, seen_and_not, table_of

GOLDEN = Path(__file__).parent / "golden"
RULE = "words/simple"
COLUMNS = ["model", "category", "generator", "rule", "n", "top1", "top5"]

PDFLATEX = shutil.which("pdflatex")
needs_latex = pytest.mark.skipif(
    PDFLATEX is None, reason="no pdflatex: tests/install_latex.sh installs it"
)


def accuracy_table(models: dict[str, float]) -> pd.DataFrame:
    rows = [
        (model, category, generator, rule, 40, top1, top1 + 0.2)
        for model, top1 in models.items()
        for category in ("*", "kite", "vase")
        for generator in ("*", "dalle")
        for rule in (RULE, "classes")
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    for metric in ("top1", "top5"):
        table[f"{metric}_low"] = table[metric] - 0.04
        table[f"{metric}_high"] = table[metric] + 0.05
    # What is not to be shown says something else.
    table.loc[(table["generator"] != "*") | (table["rule"] != RULE), "top1"] = 0.999
    return table


def reference_table(models: dict[str, float], kind: str = "measured") -> pd.DataFrame:
    rows = []
    for model, top1 in models.items():
        row = {"model": model, "category": "*", "generator": "*", "rule": RULE, "kind": kind}
        row |= {"source": "a paper", "reference_top1": 0.9, "drop_top1": 0.9 - top1}
        for name in ("reference_top1", "drop_top1"):
            known = kind == "measured"
            row[f"{name}_low"] = row[name] - 0.02 if known else float("nan")
            row[f"{name}_high"] = row[name] + 0.03 if known else float("nan")
        rows.append(row)
    return pd.DataFrame(rows)


def pairs_table(models: dict[str, float], by: float) -> pd.DataFrame:
    """Each pair of models, with intervals that reach ``by`` beyond the difference."""
    names = sorted(models)
    rows = [
        ("model", "*", hit, RULE, a, b, models[a] - models[b])
        for hit in ("top1", "top5")
        for index, a in enumerate(names)
        for b in names[index + 1 :]
    ]
    table = pd.DataFrame(rows, columns=["kind", "generator", "hit", "rule", "a", "b", "difference"])
    table["low"], table["high"] = table["difference"] - by, table["difference"] + by
    return table.assign(p_holm=0.001)


MODELS = {"vit_b/16": 0.62, "resnet_50": 0.5, "CLIP 100%": 0.41}
NOTHING = pd.DataFrame({"image": [], "reason": []})


def made(name: str) -> str:
    """One of the tables, from small tables of results."""
    if name == "accuracy":
        tables = (accuracy_table(MODELS), reference_table(MODELS), pairs_table(MODELS, 0.05))
        return accuracy(*tables, pd.DataFrame({"image": ["a.png", "b.png"]}), RULE, 0.95)
    if name == "accuracy_adapted":
        tables = (accuracy_table(MODELS), reference_table({}), pairs_table(MODELS, 0.3))
        empty = reference_table(MODELS).assign(reference_top1=float("nan"))
        return accuracy(tables[0], empty, tables[2], NOTHING, RULE, 0.9, ["vit_b/16"])
    if name == "vqa":
        answers = seen_and_not(make_answers(["good_one", "bad#one"], images=12))
        return vqa(table_of(answers), _vqa_pairs(), NOTHING, 0.95)
    return transfer(transfer_table(["net_1", "net_2"]), 0.95)


def _vqa_pairs() -> pd.DataFrame:
    row = {"a": "bad#one", "b": "good_one", "low": -0.3, "high": -0.1, "p_holm": 0.01}
    return pd.DataFrame([row])


NAMES = ["accuracy", "accuracy_adapted", "vqa", "transfer"]


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_as_it_was(name: str) -> None:
    """After a change that is meant, write what the assertion shows into the golden file."""
    assert made(name) == (GOLDEN / f"{name}.tex").read_text(encoding="utf-8")


def test_bold_is_the_model_that_beats_each_of_the_others() -> None:
    assert r"\textbf{62.0} [58.0, 67.0]" in made("accuracy")
    # Within its interval the best is no better than the second.
    tables = (accuracy_table(MODELS), reference_table(MODELS))
    alike = accuracy(*tables, pairs_table(MODELS, 0.2), NOTHING, RULE, 0.95)
    assert r"\textbf" not in alike and "Nothing is bold" in alike
    of_chance = pairs_table(MODELS, 0.05).assign(p_holm=0.06)
    assert r"\textbf" not in accuracy(*tables, of_chance, NOTHING, RULE, 0.95)


def test_an_adapted_model_is_marked_and_no_rival() -> None:
    close = pairs_table(MODELS, 0.05)
    tables = (accuracy_table(MODELS), reference_table(MODELS))
    text = accuracy(*tables, close, NOTHING, RULE, 0.95, ["vit_b/16"])
    assert r"vit\_b/16\textsuperscript{a} & 62.0 " in text
    assert r"resnet\_50 & \textbf{50.0} " in text
    below = text.partition(r"\bottomrule")[2]
    assert r"{l}{\footnotesize \textsuperscript{a}Trained on such images" in below
    assert r"{l}{\footnotesize Its drop is between two such choices.}" in below
    assert "Its drop" not in made("accuracy_adapted"), "there are no references"
    assert made("accuracy").endswith("\\bottomrule\n\\end{tabular}\n")


def test_one_model_is_not_the_best() -> None:
    assert clearly_best(pairs_table({"a": 0.5}, 0.1), ["a"], 0.95) is None
    pairs = pairs_table({"a": 0.9, "b": 0.5}, 0.1)
    assert clearly_best(pairs[pairs["hit"] == "top1"], ["a", "b"], 0.95) == "a"


def test_numbers_are_per_cent_with_a_true_minus_and_a_dash_where_unknown() -> None:
    assert percent(0.5984) == "59.8" and percent(-0.012) == "$-$1.2"
    assert percent(-0.0001) == "0.0" and percent(float("nan")) == "--"
    assert with_interval(0.598, 0.56, 0.636) == "59.8 [56.0, 63.6]"
    assert with_interval(0.598, float("nan"), float("nan")) == "59.8"


# Escaping ----------------------------------------------------------------------------------------

_COMMANDS = {
    **{rf"\{each}": each for each in "{}$%&#_"},
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textasciigrave{}": "`",
    r"\char34{}": '"',
    "{[}": "[",
    "{]}": "]",
    "{*}": "*",
    "{}": "",
}
_TOKEN = re.compile("|".join(map(re.escape, sorted(_COMMANDS, key=len, reverse=True))))


def read(text: str) -> str:
    """What LaTeX typesets, for text of ASCII characters."""
    return _TOKEN.sub(lambda found: _COMMANDS[found[0]], text)


@given(some.text(some.characters(min_codepoint=32, max_codepoint=126)))
def test_ascii_is_typeset_as_it_is(name: str) -> None:
    escaped = escape(name)
    assert read(escaped) == plain(name)
    left = _TOKEN.sub("", escaped)
    assert not set(left) & set('\\{}$%&#_^~<>|`"[]*'), "nothing is left that TeX would act on"
    assert not re.search(r"--|''|,,", left.replace("{}", " ") if "{}" in escaped else escaped)


@given(some.text())
def test_any_name_is_one_line_with_balanced_braces(name: str) -> None:
    escaped = escape(name)
    assert escaped and len(escaped.splitlines()) == 1
    bare = re.sub(r"\\[{}]", "", escaped)
    depth = 0
    for each in bare:
        depth += (each == "{") - (each == "}")
        assert depth >= 0
    assert depth == 0


@given(some.text(min_size=1))
def test_names_that_differ_are_typeset_differently(name: str) -> None:
    assert escape(name) != escape(plain(name) + "x")


def test_accents_are_commands_and_other_scripts_have_their_codes_beside() -> None:
    assert escape("é ñ ß") == r"\'{e} \~{n} \ss{}"
    assert escape("猫") == r"\synthsightchar{猫}{U+732B}"
    assert escape("a--b") == "a-{}-b" and escape("") == "(blank)"
    table = Table([], ["Model", "x"], [[escape("猫"), "1"]])
    assert r"\providecommand{\synthsightchar}" in table.text
    assert r"\providecommand" not in made("accuracy")


# Compiled ----------------------------------------------------------------------------------------


def compiled(tables: list[str], folder: Path) -> str:
    """LaTeX's log of a document with these tables; it fails on the first error."""
    inputs = []
    for number, text in enumerate(tables):
        (folder / f"table{number}.tex").write_text(text, encoding="utf-8")
        inputs.append(rf"\noindent\input{{table{number}.tex}}\par")
    document = [r"\documentclass{article}", r"\usepackage{booktabs}", r"\begin{document}"]
    document += [*inputs, r"\end{document}"]
    (folder / "paper.tex").write_text("\n".join(document), encoding="utf-8")
    assert PDFLATEX is not None
    command = [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [*command, "paper.tex"], cwd=folder, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "paper.pdf").read_bytes().startswith(b"%PDF")
    return done.stdout


@needs_latex
@pytest.mark.long
def test_latex_takes_every_table(tmp_path: Path) -> None:
    compiled([made(name) for name in NAMES], tmp_path)


@needs_latex
@pytest.mark.long
def test_latex_takes_every_name(tmp_path: Path) -> None:
    every = "".join(chr(code) for code in range(32, 0x250))
    names = [*HOSTILE, "[option]", "*", "-- '' ,, ``", "مرحبا", "é Ü ț", every]
    rows = [[escape(name), with_interval(0.5, 0.4, 0.6)] for name in names]
    notes = [f"Notes are comments, with names as well: {name}" for name in names]
    text = Table(notes, ["Model", "Top-1"], rows).text
    compiled([text], tmp_path)
    latex = (tmp_path / "paper.log").read_text(errors="replace")
    assert "Undefined" not in latex and "not set up for use" not in latex
