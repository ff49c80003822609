"""Families as doors: one registry, one more family, and what a family's code decides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file

from synthsight.doors import UnknownNameError
from synthsight.plan.digest import code_digest
from synthsight.plan.experiment import load_experiment
from synthsight.plan.settings import as_dict
from synthsight.vqa.answers import write_answers
from synthsight.vqa.ask import ask
from synthsight.vqa.families.base import VqaModel, load_vqa
from synthsight.vqa.families.registry import CHAT, FAMILIES, FamilyError, doors_of, family_of
from synthsight.vqa.fetch import fetch_vqa
from synthsight.vqa.questions import read_questions
from synthsight.vqa.score import score_vqa
from synthsight.vqa.shards import deal, index_questions, write_shard
from tests.support import REPOSITORY

SCRIPTS = REPOSITORY / "workflow" / "scripts"
SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more family: a file and a line."""
    monkeypatch.setitem(FAMILIES._entries, "toy", "tests.vqa.toy_family:Toy")


@pytest.mark.usefixtures("toy")
def test_a_family_is_a_file_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the configuration to the scores, with nothing else that knows of it."""
    monkeypatch.chdir(tmp_path)
    for red, name in ((250, "red"), (0, "black")):
        path = Path("pictures", "clock", f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32 + red // 10, 32), (red, 0, 0)).save(path)
    rows = [
        ("clock/red.png", "Is it red?", "yes"),
        ("clock/red.png", "Is it not red?", "no"),
        ("clock/black.png", "Is it red?", "no"),
        ("clock/black.png", "Is it not red?", "no"),
    ]
    pd.DataFrame(rows, columns=["image", "question", "answer"]).to_csv("q.csv", index=False)
    Path("toy").mkdir()
    Path("toy/config.json").write_text('{"model_type": "toy"}')
    save_file({"scale": torch.tensor(0.1)}, "toy/model.safetensors")
    Path("resources").mkdir()
    Path("resources/categories.yaml").write_text("{}\n")
    monkeypatch.setattr("synthsight.plan.config.models.resolve_cached", lambda *_: [])
    config = {
        "run": "r",
        "images": {"root": "pictures"},
        "models": [],
        "vqa": {"questions": "q.csv", "models": [{"checkpoint": "toy"}]},
    }
    schema = json.loads(json.dumps(SCHEMA))
    schema["properties"]["models"].pop("minItems", None)
    vqa = load_experiment(config, schema, [], Path("cache")).vqa
    assert vqa is not None
    assert doors_of(vqa.models["toy"].checkpoint) == ("tests.vqa.toy_family",)

    record = fetch_vqa(as_dict(vqa.models["toy"]), "w/toy.safetensors", "w/toy.json", "w/toy")
    assert (record["family"], record["settings"]) == ("toy", {"limit": 128})
    columns = {name: name for name in ("image", "question", "answer", "generator", "objects")}
    questions = deal(read_questions(Path("q.csv"), columns, Path(vqa.root)), 1)["1"]
    shard = index_questions(questions, Path(vqa.root), 10_000)
    write_shard("1.parquet", shard)
    model = load_vqa(
        record["family"],
        "w/toy",
        load_file("w/toy.safetensors"),
        record["settings"],
        torch.device("cpu"),
    )
    answers = ask(model, shard, Path(vqa.root), batch_size=3)
    write_answers("answers.parquet", shard, answers, "{}")
    score_vqa(["1.parquet"], ["answers.parquet"], "toy", "scores.parquet")
    scores = pd.read_parquet("scores.parquet").set_index(["image", "question"])
    assert scores["predicted"].to_dict() == {
        ("clock/red.png", "Is it red?"): "yes",
        ("clock/red.png", "Is it not red?"): "no",
        ("clock/black.png", "Is it red?"): "no",
        ("clock/black.png", "Is it not red?"): "yes",
    }
    assert scores["correct"].sum() == 3
    expected = 1 / (1 + np.exp(-0.1 * (250 - 128)))
    assert scores.loc[("clock/red.png", "Is it red?"), "p_yes"] == pytest.approx(expected)


def test_an_unknown_family_is_an_error_with_close_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown VQA family 'blipp'; did you mean 'blip'"):
        load_vqa("blipp", tmp_path, {}, {}, torch.device("cpu"))
    (tmp_path / "config.json").write_text('{"model_type": "vlit"}')
    with pytest.raises(FamilyError, match=r"'vlit'; supported: .*; did you mean 'vilt'\?"):
        family_of(tmp_path)


@pytest.mark.parametrize("found", ["null", "3", '["ofa"]', "{}"])
def test_a_model_type_that_is_no_name_is_refused(tmp_path: Path, found: str) -> None:
    (tmp_path / "config.json").write_text(f'{{"model_type": {found}}}')
    with pytest.raises(FamilyError, match="supported: ofa, vilt, blip"):
        family_of(tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_name_leads_to_a_family(family: str) -> None:
    assert issubclass(FAMILIES.load(family), VqaModel)
    assert FAMILIES.module(family) == f"synthsight.vqa.families.{family}"


def test_a_local_model_depends_on_its_family_alone(tmp_path: Path) -> None:
    """So an edit of one family reruns no other one's models."""
    for family in FAMILIES:
        (tmp_path / family).mkdir()
        kind = "qwen3_vl" if family == CHAT else family
        (tmp_path / family / "config.json").write_text(f'{{"model_type": "{kind}"}}')
        assert doors_of(str(tmp_path / family)) == (f"synthsight.vqa.families.{family}",)
    (tmp_path / "vqa.pt").touch()
    assert doors_of(str(tmp_path / "vqa.pt")) == ("synthsight.vqa.families.ofa",)


def test_a_model_of_a_hub_may_be_of_any_family() -> None:
    assert doors_of(None) == tuple(FAMILIES.module(family) for family in FAMILIES)


@pytest.mark.long
@pytest.mark.parametrize("program", ["ask", "fetch_vqa"])
def test_the_programs_reach_a_family_through_its_door_only(program: str) -> None:
    path = SCRIPTS / f"{program}.py"
    doors = [FAMILIES.module(family) for family in FAMILIES]
    digests = {code_digest(path), *(code_digest(path, [door]) for door in doors)}
    assert len(digests) == 1 + len(doors)
    code = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_path({str(path)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith(('synthsight.vqa.families.',"
        " 'synthsight.vqa.ofa', 'transformers'))])"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = set(eval(completed.stdout.splitlines()[-1]))
    assert loaded <= {"synthsight.vqa.families.base", "synthsight.vqa.families.registry"}


def test_the_names_of_families_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from synthsight.vqa.families.registry import FAMILIES, doors_of\n"
        "from synthsight.inference import folders\n"
        "print(*doors_of(None))"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.split() == list(doors_of(None))


def spec_run(program: str, tmp_path: Path, spec: dict[str, Any], *arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, SCRIPTS / program, "--spec", json.dumps(spec), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )


def test_the_bound_on_images_holds_for_questions_and_they_are_listed(tmp_path: Path) -> None:
    """Through the programs: what one leaves out for its image, the other lists with its line."""
    for name, side in (("small", 8), ("large", 40)):
        Image.new("RGB", (side, side)).save(tmp_path / f"{name}.png")
    text = "image,question,answer\nlarge.png,Is it?,yes\nsmall.png,Is it?,no\nno.png,Is it?,no\n"
    (tmp_path / "q.csv").write_text(text)
    columns = {name: name for name in ("image", "question", "answer", "generator", "objects")}
    spec = {"questions": "q.csv", "columns": columns, "root": "."}
    index = {**spec, "max_pixels": 1000, "shards": 1, "shard": "1", "content": ""}
    completed = spec_run("index_questions.py", tmp_path, index, "--output", "1.parquet")
    assert completed.returncode == 0, completed.stderr
    shard = pd.read_parquet(tmp_path / "1.parquet").set_index("image")
    assert shard["status"].to_dict() == {"large.png": "excluded", "small.png": "ok"}
    listed = {**spec, "invalid": "exclude", "content": ""}
    options = ("--shards", "1.parquet", "--csv", "excluded.csv", "--parquet", "excluded.parquet")
    completed = spec_run("list_excluded_questions.py", tmp_path, listed, *options)
    assert completed.returncode == 0, completed.stderr
    table = pd.read_csv(tmp_path / "excluded.csv")
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "excluded.parquet"))
    assert table[["line", "image"]].to_numpy().tolist() == [[2, "large.png"], [4, "no.png"]]
    assert table["reason"].tolist()[0] == shard.loc["large.png", "reason"]
    refused = spec_run(
        "list_excluded_questions.py", tmp_path, {**listed, "invalid": "refuse"}, *options
    )
    assert refused.returncode == 1
