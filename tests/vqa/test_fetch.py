"""Bringing VQA models: from a hub, from local files, and what is refused."""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from synthsight.vqa.fetch import KNOWN, VqaModelError, fetch_vqa
from tests import vqa_assets
from tests.loopback_hub import COMMIT, Hub
from tests.support import REPOSITORY

SETTINGS: dict[str, Any] = {
    "name": "m",
    **dict.fromkeys(("model", "checkpoint", "tokenizer", "image_size", "prompt")),
    **dict.fromkeys(("interpolate_position", "reference")),
}


@pytest.fixture
def ofa(tmp_path: Path) -> Path:
    vqa_assets.save_ofa(tmp_path / "ofa")
    return tmp_path / "ofa"


def fetch(tmp_path: Path, **settings: Any) -> dict[str, Any]:
    out = tmp_path / "out"
    return fetch_vqa({**SETTINGS, **settings}, out / "m.safetensors", out / "m.json", out / "m")


def run(tmp_path: Path, url: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """The real program, with the hub at an address."""
    return subprocess.run(
        [
            *(sys.executable, REPOSITORY / "workflow" / "scripts" / "fetch_vqa.py"),
            *("--spec", json.dumps({**SETTINGS, **settings})),
            *("--weights", tmp_path / "out" / "m.safetensors"),
            *("--note", tmp_path / "out" / "m.json", "--folder", tmp_path / "out" / "m"),
        ],
        env={
            **{"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"},
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
    )


def test_a_local_folder_becomes_weights_a_folder_and_a_note(tmp_path: Path, ofa: Path) -> None:
    record = fetch(tmp_path, checkpoint=str(ofa))
    assert json.loads((tmp_path / "out" / "m.json").read_text()) == record
    assert record["family"] == "ofa"
    assert record["source"] == str(ofa)
    assert record["settings"] == {
        "image_size": 64,
        "prompt": "question",
        "interpolate_position": False,
    }
    original = load_file(ofa / "model.safetensors")
    stored = load_file(tmp_path / "out" / "m.safetensors")
    assert stored.keys() == original.keys()
    assert all(torch.equal(stored[name], original[name]) for name in original)
    names = {path.name for path in (tmp_path / "out" / "m").iterdir()}
    assert names == {"config.json", "vocab.json", "merges.txt"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"m", "m.json", "m.safetensors"}


def test_settings_of_the_user_go_before_those_of_the_checkpoint(tmp_path: Path, ofa: Path) -> None:
    reference = {"yes_no": 0.9, "overall": None, "source": "a test"}
    record = fetch(
        tmp_path,
        checkpoint=str(ofa),
        image_size=32,
        prompt="none",
        interpolate_position=True,
        reference=reference,
    )
    assert record["settings"] == {
        "image_size": 32,
        "prompt": "none",
        "interpolate_position": True,
    }
    assert record["reference"] == reference


def test_a_file_may_state_its_licence_and_its_reference(tmp_path: Path, ofa: Path) -> None:
    reference = {"yes_no": 0.88, "overall": None, "source": "held-out drawings"}
    metadata = {"format": "pt", "license": "MIT", "reference": json.dumps({**reference, "n": 3})}
    save_file(load_file(ofa / "model.safetensors"), ofa / "model.safetensors", metadata=metadata)
    record = fetch(tmp_path, checkpoint=str(ofa))
    assert (record["license"], record["reference"]) == ("MIT", reference)
    stated = {"yes_no": 0.5, "overall": None, "source": "the user"}
    assert fetch(tmp_path, checkpoint=str(ofa), reference=stated)["reference"] == stated


def test_fetching_again_replaces_what_is_there(tmp_path: Path, ofa: Path) -> None:
    fetch(tmp_path, checkpoint=str(ofa))
    (tmp_path / "out" / "m" / "stale.txt").write_text("of another model")
    fetch(tmp_path, checkpoint=str(ofa))
    assert not (tmp_path / "out" / "m" / "stale.txt").exists()


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_a_repository_is_brought_from_a_hub(
    tmp_path: Path, ofa: Path, hub: tuple[str, type[Hub]], weights: str
) -> None:
    url, handler = hub
    if weights == "pytorch_model.bin":
        state = load_file(ofa / "model.safetensors")
        (ofa / "model.safetensors").unlink()
        torch.save(state, ofa / weights)
    (ofa / "README.md").write_text("---\nlicense: apache-2.0\n---\nA model.\n")
    handler.serve("OFA-Sys/ofa-huge-vqa", ofa)
    completed = run(tmp_path, url, model="OFA-Sys/ofa-huge-vqa", image_size=64)
    assert completed.returncode == 0, completed.stderr
    note = json.loads((tmp_path / "out" / "m.json").read_text())
    assert note["source"] == "hf-hub:OFA-Sys/ofa-huge-vqa"
    assert (note["revision"], note["checksum"]) == (COMMIT, "verified")
    assert note["license"] == "apache-2.0"
    assert note["reference"]["yes_no"] == pytest.approx(0.9466)
    assert note["settings"] == {
        "image_size": 64,
        "prompt": "question",
        "interpolate_position": True,
    }


@pytest.mark.slow
def test_a_hub_without_the_model_ends_in_a_message_on_what_to_do(
    tmp_path: Path, hub: tuple[str, type[Hub]]
) -> None:
    completed = run(tmp_path, hub[0], model="nobody/nothing")
    assert completed.returncode == 1
    assert "hf-hub:nobody/nothing could not be brought" in completed.stderr
    assert "without internet" in completed.stderr
    assert not (tmp_path / "out" / "m.safetensors").exists()


def test_a_fairseq_file_needs_a_vocabulary_and_a_prompt(tmp_path: Path, ofa: Path) -> None:
    """Its weights are told apart by shape, and averaged ones go before the last ones."""
    import json as json_module

    state = load_file(ofa / "model.safetensors")
    wrong = {name: tensor + 1 for name, tensor in state.items()}
    folder = tmp_path / "fairseq"
    folder.mkdir()
    torch.save(
        {"model": wrong, "extra_state": {"ema": state}, "args": argparse.Namespace(arch="ofa")},
        folder / "vqa.pt",
    )
    (folder / "config.json").write_text((ofa / "config.json").read_text())
    with pytest.raises(VqaModelError, match="`tokenizer`"):
        fetch(tmp_path, checkpoint=str(folder / "vqa.pt"))
    config = json_module.loads((ofa / "config.json").read_text())
    del config["prompt_type"]
    (folder / "config.json").write_text(json_module.dumps(config))
    with pytest.raises(VqaModelError, match="`prompt`"):
        fetch(tmp_path, checkpoint=str(folder / "vqa.pt"), tokenizer=str(ofa))
    record = fetch(
        tmp_path, checkpoint=str(folder / "vqa.pt"), tokenizer=str(ofa), prompt="question"
    )
    assert record["settings"]["prompt"] == "question"
    stored = load_file(tmp_path / "out" / "m.safetensors")
    assert all(torch.equal(stored[name], state[name]) for name in state)


class Payload:
    """A pickle that would write a file if it were ever run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "pwned"))


@pytest.mark.parametrize("family", ["ofa", "blip"])
def test_a_pickle_with_code_is_refused_and_never_run(tmp_path: Path, family: str) -> None:
    folder = tmp_path / family
    (vqa_assets.save_ofa if family == "ofa" else vqa_assets.save_blip)(folder)
    (folder / "model.safetensors").unlink()
    with open(folder / "pytorch_model.bin", "wb") as handle:
        pickle.dump({"weight": Payload(tmp_path / "pwned")}, handle)
    with pytest.raises(VqaModelError):
        fetch(tmp_path, checkpoint=str(folder))
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / "out" / "m.json").exists()
    assert not list((tmp_path / "out").iterdir())


def spoil(folder: Path, kind: str) -> None:
    state = load_file(folder / "model.safetensors")
    name = sorted(state)[0]
    if kind == "missing":
        del state[name]
    elif kind == "unexpected":
        state["decoder.something.weight"] = torch.zeros(3)
    elif kind == "NaN":
        state[name][...] = torch.nan
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("family", ["ofa", "vilt"])
@pytest.mark.parametrize("kind", ["missing", "unexpected", "NaN"])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, family: str, kind: str) -> None:
    folder = tmp_path / family
    (vqa_assets.save_ofa if family == "ofa" else vqa_assets.save_vilt)(folder)
    spoil(folder, kind)
    with pytest.raises(VqaModelError, match=kind):
        fetch(tmp_path, checkpoint=str(folder))


def test_a_model_of_another_kind_is_refused(tmp_path: Path, ofa: Path) -> None:
    (ofa / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(VqaModelError, match="'bert'; supported: ofa, vilt, blip"):
        fetch(tmp_path, checkpoint=str(ofa))


def test_what_is_published_of_known_models_is_complete() -> None:
    for repository, known in KNOWN.items():
        assert (known.image_size is not None) == repository.startswith("OFA-Sys/")
        assert (known.prompt is not None) == repository.startswith("OFA-Sys/")
