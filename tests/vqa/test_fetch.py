"""Bringing VQA models: from a hub, from local files, and what is refused."""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from synthsight.files import FileError, check_sha256, sha256_of
from synthsight.inference.checkpoints import read_stored
from synthsight.inference.folders import check_contents, digest_of, local_files, weight_files
from synthsight.inference.weights import read_state, store, store_files
from synthsight.vqa import fetch as fetch_module
from synthsight.vqa.families.base import load_vqa
from synthsight.vqa.families.pretrained import fit
from synthsight.vqa.families.registry import FAMILIES
from synthsight.vqa.fetch import VqaModelError, fetch_vqa
from tests import vqa_assets, warm
from tests.loopback_hub import COMMIT, Hub
from tests.support import REPOSITORY, run_program
from tests.vqa import chat_assets

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
    return warm.run(
        [
            REPOSITORY / "workflow" / "scripts" / "fetch_vqa.py",
            *("--spec", json.dumps({**SETTINGS, **settings})),
            *("--weights", tmp_path / "out" / "m.safetensors"),
            *("--note", tmp_path / "out" / "m.json", "--folder", tmp_path / "out" / "m"),
        ],
        environment={
            **{"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"},
            "OMP_NUM_THREADS": "1",
        },
        kind="networks",
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
    assert names == {"config.json", "vocab.json", "merges.txt"} == record["folder"].keys()
    assert record["folder"]["vocab.json"] == sha256_of(ofa / "vocab.json")
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


def test_local_files_that_change_while_a_run_is_under_way_are_refused(
    tmp_path: Path, ofa: Path
) -> None:
    settings = {**SETTINGS, "checkpoint": str(ofa), "content": "0" * 64}
    out = tmp_path / "out" / "m"
    places = ("--weights", f"{out}.safetensors", "--note", f"{out}.json", "--folder", out)
    done = run_program("fetch_vqa", "--spec", json.dumps(settings), *places)
    assert done.returncode == 1 and not out.exists()
    assert "model 'm': its local files have changed since the run began" in done.stderr
    content = digest_of(local_files(str(ofa), None))
    done = run_program("fetch_vqa", "--spec", json.dumps({**settings, "content": content}), *places)
    assert done.returncode == 0, done.stderr


def test_fetching_again_replaces_what_is_there(tmp_path: Path, ofa: Path) -> None:
    fetch(tmp_path, checkpoint=str(ofa))
    (tmp_path / "out" / "m" / "stale.txt").write_text("of another model")
    fetch(tmp_path, checkpoint=str(ofa))
    assert not (tmp_path / "out" / "m" / "stale.txt").exists()


@pytest.mark.parametrize("parts", [1, 2])
def test_weights_of_a_hub_that_are_used_as_they_are_take_space_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    chat_assets.save(tmp_path / "hub", "llava")
    if parts > 1:
        model = transformers.AutoModelForImageTextToText.from_pretrained(tmp_path / "hub")
        (tmp_path / "hub" / "model.safetensors").unlink()
        model.save_pretrained(tmp_path / "hub", max_shard_size="250KB")
    monkeypatch.setattr(fetch_module, "download", lambda *_: tmp_path / "hub")
    monkeypatch.setattr(fetch_module, "download_weights", lambda *_: None)
    record = fetch(tmp_path, model="a/b")
    files = weight_files(tmp_path / "hub")
    out = tmp_path / "out"
    stored = [out / "m.safetensors"] if parts == 1 else [out / "m" / each.name for each in files]
    assert len(files) == parts
    assert [each.stat().st_ino for each in stored] == [each.stat().st_ino for each in files]
    check_sha256(out / "m.safetensors", record["safetensors_sha256"], "m.json")
    check_contents(out / "m", record["folder"], "m.json")
    state, expected = read_stored(out / "m.safetensors"), read_state(files)
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)
    load_vqa(record["family"], out / "m", state, record["settings"], torch.device("cpu"))
    if parts > 1:
        other = dict.fromkeys(files, "0" * 64)
        store_files(other, out / "other.safetensors", tmp_path)
        assert sha256_of(out / "other.safetensors") != record["safetensors_sha256"]
        stored[0].unlink()
        with pytest.raises(FileError, match=r"m\.safetensors is damaged"):
            read_stored(out / "m.safetensors")


def test_weights_that_cannot_be_linked_are_copied_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    chat_assets.save(tmp_path / "hub", "llava")
    monkeypatch.setattr(fetch_module, "download", lambda *_: tmp_path / "hub")
    monkeypatch.setattr(fetch_module, "download_weights", lambda *_: None)

    def refuse(*_: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    record = fetch(tmp_path, model="a/b")
    assert record["safetensors_sha256"] == sha256_of(tmp_path / "hub" / "model.safetensors")
    assert "take space once" in capfd.readouterr().out


def test_local_weights_are_copied_since_they_may_be_written_again_in_their_place(
    tmp_path: Path,
) -> None:
    chat_assets.save(tmp_path / "local", "llava")
    fetch(tmp_path, checkpoint=str(tmp_path / "local"))
    here, there = (tmp_path / each for each in ("out/m.safetensors", "local/model.safetensors"))
    assert here.stat().st_ino != there.stat().st_ino


@pytest.mark.long
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


@pytest.mark.long
def test_a_hub_without_the_model_ends_in_a_message_on_what_to_do(
    tmp_path: Path, hub: tuple[str, type[Hub]]
) -> None:
    completed = run(tmp_path, hub[0], model="nobody/nothing")
    assert completed.returncode == 1
    assert "hf-hub:nobody/nothing could not be fetched" in completed.stderr
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
        pickle.dump({"weight": Payload(tmp_path / "pwned")}, handle, protocol=2)
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
    for family in FAMILIES:
        for repository, known in FAMILIES.load(family).published.items():
            assert (family == "ofa") == repository.startswith("OFA-Sys/")
            named = {"image_size", "prompt"} <= set(known.settings)
            assert named if family == "ofa" else known.reference is not None


#: Kinds of weights in several files: the ending, and the name of the index.
KINDS = {
    "safetensors": "model.safetensors.index.json",
    "bin": "pytorch_model.bin.index.json",
}


def shard(folder: Path, kind: str, dtype: torch.dtype | None = None) -> dict[str, torch.Tensor]:
    """Put a folder's weights into three files and an index; what they are."""
    state = load_file(folder / "model.safetensors")
    if dtype is not None:
        state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
    (folder / "model.safetensors").unlink()
    stem = "model" if kind == "safetensors" else "pytorch_model"
    files = [f"{stem}-{number:05}-of-00003.{kind}" for number in (1, 2, 3)]
    placed = {name: files[number % 3] for number, name in enumerate(sorted(state))}
    for file in files:
        part = {name: state[name] for name in state if placed[name] == file}
        if kind == "safetensors":
            save_file(part, folder / file, metadata={"format": "pt"})
        else:
            torch.save(part, folder / file)
    index = {"metadata": {}, "weight_map": placed}
    (folder / KINDS[kind]).write_text(json.dumps(index))
    return state


def save(family: str, folder: Path) -> Path:
    {"ofa": vqa_assets.save_ofa, "vilt": vqa_assets.save_vilt, "blip": vqa_assets.save_blip}[
        family
    ](folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["ofa", "vilt", "blip"])
def test_weights_in_several_files_are_those_in_one(tmp_path: Path, family: str, kind: str) -> None:
    folder = save(family, tmp_path / family)
    one = fetch(tmp_path, checkpoint=str(folder))
    expected = (tmp_path / "out" / "m.safetensors").read_bytes()
    shard(folder, kind)
    record = fetch(tmp_path, checkpoint=str(folder))
    assert (tmp_path / "out" / "m.safetensors").read_bytes() == expected
    assert record["safetensors_sha256"] == one["safetensors_sha256"]
    assert len(record["files"]) == 3
    assert record["sha256"] not in {one["sha256"], *record["files"].values()}
    names = {path.name for path in (tmp_path / "out" / "m").iterdir()}
    assert not {name for name in names if "model" in name}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_each_of_several_files_is_brought_from_a_hub_and_verified(
    tmp_path: Path, hub: tuple[str, type[Hub]], kind: str
) -> None:
    url, handler = hub
    folder = save("ofa", tmp_path / "ofa")
    shard(folder, kind)
    handler.serve("OFA-Sys/ofa-huge-vqa", folder)
    completed = run(tmp_path, url, model="OFA-Sys/ofa-huge-vqa", image_size=64)
    assert completed.returncode == 0, completed.stderr
    note = json.loads((tmp_path / "out" / "m.json").read_text())
    assert (note["checksum"], len(note["files"])) == ("verified", 3)
    # One byte of one of them, in the hub's cache.
    snapshot = next((tmp_path / "hub").rglob(f"*-00002-of-00003.{kind}"))
    blob = snapshot.resolve()
    sound = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    completed = run(tmp_path, url, model="OFA-Sys/ofa-huge-vqa", image_size=64)
    assert completed.returncode == 1
    assert f"{snapshot.name} in the hub's cache does not have the checksum" in completed.stderr
    # Or of the vocabulary.
    blob.write_bytes(sound)
    vocabulary = next((tmp_path / "hub").rglob("merges.txt"))
    vocabulary.write_bytes(vocabulary.read_bytes() + b"\n")
    completed = run(tmp_path, url, model="OFA-Sys/ofa-huge-vqa", image_size=64)
    assert completed.returncode == 1
    assert "merges.txt in the hub's cache does not have the checksum" in completed.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": "../other.safetensors"}, "only .safetensors files in the same folder"),
        ({"x": "/etc/passwd"}, "only .safetensors files in the same folder"),
        ({"x": "code.bin"}, "only .safetensors files in the same folder"),
        ({"x": 3}, "is not an index of weights|only .safetensors files in the same folder"),
        ({"x": "model-00009.safetensors"}, r"lacks model-00009.safetensors \(1 of the 4"),
        ([], "is not an index of weights"),
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(
    tmp_path: Path, change: Any, message: str
) -> None:
    folder = save("vilt", tmp_path / "vilt")
    shard(folder, "safetensors")
    index = folder / KINDS["safetensors"]
    content = json.loads(index.read_text())
    content["weight_map"] = {**content["weight_map"], **change} if change else change
    index.write_text(json.dumps(content))
    with pytest.raises(VqaModelError, match=message):
        fetch(tmp_path, checkpoint=str(folder))


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    folder = save("vilt", tmp_path / "vilt")
    shard(folder, "safetensors")
    first, second = sorted(folder.glob("model-*.safetensors"))[:2]
    save_file({**load_file(first), **load_file(second)}, second)
    with pytest.raises(VqaModelError, match="is also in another of the files"):
        fetch(tmp_path, checkpoint=str(folder))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("family", ["ofa", "vilt", "blip"])
def test_weights_are_stored_in_the_dtype_they_came_in_and_used_in_float32(
    tmp_path: Path, family: str, dtype: torch.dtype
) -> None:
    folder = save(family, tmp_path / family)
    shard(folder, "safetensors", dtype)
    record = fetch(tmp_path, checkpoint=str(folder))
    stored = load_file(tmp_path / "out" / "m.safetensors")
    assert {v.dtype for v in stored.values() if v.is_floating_point()} == {dtype}
    model = load_vqa(
        family, tmp_path / "out" / "m", stored, record["settings"], torch.device("cpu")
    )
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_weights_of_two_dtypes_lose_nothing(tmp_path: Path) -> None:
    folder = save("vilt", tmp_path / "vilt")
    state = load_file(folder / "model.safetensors")
    name = "classifier.0.weight"
    mixed = {k: v if k == name else v.half() for k, v in state.items()}
    save_file(mixed, folder / "model.safetensors", metadata={"format": "pt"})
    fetch(tmp_path, checkpoint=str(folder))
    stored = load_file(tmp_path / "out" / "m.safetensors")
    assert torch.equal(stored[name], state[name])


def test_weights_are_mapped_and_not_copied(tmp_path: Path) -> None:
    folder = save("vilt", tmp_path / "vilt")
    state = read_state(weight_files(folder))
    mapped = Path("/proc/self/maps").read_text()
    assert str(folder / "model.safetensors") in mapped
    model = fit("ViltForQuestionAnswering", folder, state, torch.float32)
    places = {tensor.data_ptr() for tensor in state.values()}
    assert all(tensor.data_ptr() in places for tensor in model.state_dict().values())


def test_tensors_that_share_memory_are_stored_whole(tmp_path: Path) -> None:
    whole = torch.arange(12.0)
    state = {"whole": whole, "same": whole, "part": whole[3:6], "turned": whole.view(3, 4).T}
    store(state, tmp_path / "w.safetensors")
    stored = load_file(tmp_path / "w.safetensors")
    assert all(torch.equal(stored[name], state[name]) for name in state)


#: What processors of all kinds are read from, and what is left where it is.
BROUGHT = {
    *("chat_template.jinja", "additional_chat_templates/tools.jinja", "preprocessor_config.json"),
    *("spiece.model", "merges.txt", "qwen.tiktoken", "processor_config.json"),
}
LEFT = {"modeling.py", "flax_model.msgpack", "picture.png", "other/template.jinja"}


def furnish(folder: Path) -> None:
    for name in BROUGHT | LEFT:
        (folder / name).parent.mkdir(exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_text("x")


@pytest.mark.long
@pytest.mark.parametrize("where", ["folder", "hub"])
def test_all_that_a_processor_needs_is_brought_along(
    tmp_path: Path, hub: tuple[str, type[Hub]], where: str
) -> None:
    folder = save("blip", tmp_path / "blip")
    (folder / "processor_config.json").write_text("{}")
    furnish(folder)
    if where == "hub":
        hub[1].serve("a/blip", folder)
        completed = run(tmp_path, hub[0], model="a/blip")
        assert completed.returncode == 0, completed.stderr
        asked = {path.rpartition("/")[2] for path in hub[1].requested if "/resolve/" in path}
        assert not asked & {"modeling.py", "flax_model.msgpack", "picture.png"}
    else:
        fetch(tmp_path, checkpoint=str(folder))
    out = tmp_path / "out" / "m"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names >= BROUGHT | {"config.json"}
    assert not names & LEFT
    assert not [name for name in names if name.endswith(("safetensors", "bin"))]


def test_a_model_of_another_kind_is_refused_before_its_weights_are_brought(
    tmp_path: Path, ofa: Path, hub: tuple[str, type[Hub]]
) -> None:
    (ofa / "config.json").write_text('{"model_type": "clip"}')
    hub[1].serve("a/other", ofa)
    completed = run(tmp_path, hub[0], model="a/other")
    assert completed.returncode == 1
    assert "has the model_type 'clip'; supported: ofa, vilt, blip" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert not [path for path in hub[1].requested if path.endswith("model.safetensors")]
