"""What training scripts save is read as the libraries read it, or refused by what it is."""

from __future__ import annotations

import argparse
import pathlib
import pickle
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor

from synthsight.classifiers.architectures import parse_model
from synthsight.classifiers.checkpoints import plain_names, read_state
from synthsight.classifiers.classify import load_model
from synthsight.classifiers.library import Architecture, ModelError, WeightsError
from synthsight.classifiers.weights import fetch_weights
from synthsight.files import FileError

State = dict[str, Tensor]

SMALL = Architecture("timm", "test_resnet", num_classes=6)

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 5003000\n"


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(1)
    return dict(timm.create_model("test_resnet", num_classes=6).state_dict())


def fetch(folder: Path, checkpoint: Path, architecture: Architecture = SMALL) -> State:
    out = folder / "m.safetensors"
    fetch_weights("m", architecture, checkpoint, out, folder / "m.json")
    return load_file(out)


def refusal(folder: Path, checkpoint: Path, architecture: Architecture = SMALL) -> str:
    with pytest.raises(WeightsError) as caught:
        fetch(folder, checkpoint, architecture)
    assert str(checkpoint) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (folder / "m.safetensors").exists()
    return str(caught.value)


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def prefixed(*prefixes: str) -> Callable[[State], Any]:
    return lambda state: {"".join(prefixes) + key: tensor for key, tensor in state.items()}


def averaged(state: State) -> Any:
    return {"n_averaged": torch.tensor(7), **prefixed("module.")(state)}


#: What people save, from a state dict.
SAVED: dict[str, Callable[[State], Any]] = {
    "timm's train.py": lambda state: {
        **{"epoch": 3, "arch": "x", "state_dict": state, "version": 2, "metric": 77.1},
        "args": argparse.Namespace(model="x", lr=0.1, mean=None, output=pathlib.Path("out")),
    },
    "DeiT": lambda state: {"model": state, "epoch": 3, "args": argparse.Namespace(lr=0.1)},
    "MAE": lambda state: {
        **{"model": state, "scaler": {"scale": 65536.0}, "epoch": 3},
        **{"optimizer": {"state": {}, "param_groups": []}, "args": argparse.Namespace(lr=0.1)},
    },
    "PyTorch's tutorial": lambda state: {
        **{"epoch": 3, "model_state_dict": state, "optimizer_state_dict": {}, "loss": 0.1}
    },
    "an accuracy of NumPy": lambda state: {
        **{"state_dict": state, "best": np.float64(0.5), "epoch": np.int64(3)}
    },
    "settings in a plain namespace": lambda state: {
        **{"model": state, "args": types.SimpleNamespace(lr=0.1)}
    },
    "a layer within a layer": lambda state: {"model": {"state_dict": state}, "epoch": 3},
    "DeepSpeed": lambda state: {"module": state, "global_steps": 7},
    "compiled": prefixed("_orig_mod."),
    "compiled and parallel": prefixed("module._orig_mod."),
    "parallel and compiled": prefixed("_orig_mod.module."),
    "compiled in part": lambda state: {
        f"layer1._orig_mod{key[6:]}" if key.startswith("layer1") else key: tensor
        for key, tensor in state.items()
    },
    "Lightning": lambda state: {"state_dict": prefixed("model.")(state), "epoch": 1},
    "a backbone": prefixed("backbone."),
    "averaged by torch": averaged,
    "sharded": prefixed("_fsdp_wrapped_module."),
}


@pytest.mark.parametrize("what", SAVED)
def test_what_training_scripts_save_is_read(tmp_path: Path, state: State, what: str) -> None:
    torch.save(SAVED[what](state), tmp_path / "source.pth")
    assert same(fetch(tmp_path, tmp_path / "source.pth"), state)


def test_wrapped_weights_are_read_for_torchvision_too(tmp_path: Path) -> None:
    state = torchvision.models.squeezenet1_1(num_classes=6).state_dict()
    save_file(prefixed("module._orig_mod.")(state), tmp_path / "source.safetensors")
    architecture = Architecture("torchvision", "squeezenet1_1", num_classes=6)
    assert same(fetch(tmp_path, tmp_path / "source.safetensors", architecture), state)


def test_a_prefix_that_only_some_names_have_stays() -> None:
    zero = torch.zeros(1)
    for names in (["model.a", "loss.b"], ["module.a", "a"], ["_orig_mod.a", "a"], ["n_averaged"]):
        assert list(plain_names(dict.fromkeys(names, zero))) == names


@pytest.mark.parametrize(
    "model",
    ["timm/resnet18", "timm/vit_tiny_patch16_224", "timm/convnext_atto", "torchvision/alexnet"],
)
def test_a_networks_own_names_are_left_alone(model: str) -> None:
    library, _, name = model.partition("/")
    with torch.device("meta"):
        made = timm.create_model(name) if library == "timm" else torchvision.models.get_model(name)
    assert list(plain_names(made.state_dict())) == list(made.state_dict())


@pytest.mark.parametrize("head", ["head.", "fc.", "criterion."])
def test_where_a_prefix_is_ambiguous_both_kinds_of_keys_are_shown(
    tmp_path: Path, state: State, head: str
) -> None:
    torch.save(
        {f"backbone.{key}": value for key, value in state.items()} | {f"{head}w": torch.zeros(2)},
        tmp_path / "source.pth",
    )
    said = refusal(tmp_path, tmp_path / "source.pth")
    assert "Missing key(s) in state_dict: " in said
    assert 'Unexpected key(s) in state_dict: "backbone.' in said
    assert len(said) < 1500


class Payload:
    def __reduce__(self) -> Any:
        return print, ("run",)


class Settings:
    """Of a training script that cannot be imported here."""

    lr = 0.1


def test_any_other_class_stays_refused_and_is_named(
    tmp_path: Path, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, content in enumerate((Settings(), Payload(), argparse.Namespace(a=Settings()))):
        path = tmp_path / f"{number}.pth"
        torch.save({"state_dict": state, "args": content}, path)
        said = refusal(tmp_path, path)
        assert ("print" if number == 1 else "test_checkpoints.Settings") in said
    assert "run" not in capsys.readouterr().out


def test_an_array_of_objects_is_refused(tmp_path: Path, state: State) -> None:
    torch.save({"model": state, "x": np.array([Payload()], dtype=object)}, tmp_path / "a.pth")
    assert "refused" in refusal(tmp_path, tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["file.pth", "file.safetensors", "file.bin", "file"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LFS, "it is a Git LFS pointer: the file itself was not downloaded; run `git lfs pull`"),
        (b"<!DOCTYPE html><html>Sign in</html>", "it is a web page"),
        (b'{"error": "Repository not found"}', "it is JSON"),
        (b"", "it is empty"),
        (bytes(9000), "it is nothing but zero bytes"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "it is an HDF5 file, such as Keras's weights"),
        (b"\x1f\x8b" + bytes(99), "it is a gzip file: unpack it first"),
    ],
)
def test_what_is_no_checkpoint_is_called_what_it_is(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert words in refusal(tmp_path, tmp_path / name)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_whose_end_is_missing_is_said_to_be_cut(
    tmp_path: Path, state: State, zipped: bool
) -> None:
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    content = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(content[: len(content) // 2])
    assert "it ends too early: the copy or download broke off" in refusal(
        tmp_path, tmp_path / "a.pth"
    )


def test_bytes_of_no_kind_are_not_taken_for_code(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(np.random.default_rng(0).bytes(20_000))
    said = refusal(tmp_path, tmp_path / "a.pth")
    assert "it is no file of weights, neither of safetensors nor of torch.save" in said


def test_the_content_and_not_the_ending_tells_how_weights_are_read(
    tmp_path: Path, state: State
) -> None:
    save_file(state, tmp_path / "a.pth", {"license": "MIT"})
    torch.save(state, tmp_path / "b.safetensors")
    torch.save(state, tmp_path / "c.ckpt", _use_new_zipfile_serialization=False)
    for name in ("a.pth", "b.safetensors", "c.ckpt"):
        assert same(fetch(tmp_path, tmp_path / name), state)
    out = tmp_path / "m.json"
    fetch_weights("m", SMALL, tmp_path / "a.pth", tmp_path / "m.safetensors", out)
    assert '"license": "MIT"' in out.read_text()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torchscript_is_called_code(tmp_path: Path, state: State) -> None:
    class Scripted(torch.nn.Module):
        def __init__(self, many: int) -> None:
            super().__init__()
            self.numbers = torch.nn.ParameterList([torch.zeros(2) for _ in range(many)])

        def forward(self, images: Tensor) -> Tensor:
            return images

    for many in (0, 400):  # so many that the first bytes say nothing of code
        path = tmp_path / f"{many}.pt"
        torch.jit.save(torch.jit.script(Scripted(many)), str(path))
        assert "it is a TorchScript archive, which is code" in refusal(tmp_path, path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"teacher": {"a": torch.zeros(1)}, "student": {}}, "found 'teacher', 'student'"),
        ({"state_dict": {}, "epoch": 3}, "found 'state_dict', 'epoch'"),
        ([torch.zeros(1)], "found a list"),
        (torch.zeros(1), "found a Tensor"),
        ({}, "found nothing"),
        ({1: torch.zeros(1)}, "found 1"),
    ],
)
def test_what_holds_no_state_dict_is_said(tmp_path: Path, content: Any, words: str) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="holds no state dict") as caught:
        read_state(tmp_path / "a.pth")
    assert words in str(caught.value)


def test_another_number_of_classes_is_said_in_words_of_the_labels(
    tmp_path: Path, state: State
) -> None:
    torch.save(state, tmp_path / "a.pth")
    said = refusal(tmp_path, tmp_path / "a.pth", Architecture("timm", "test_resnet", num_classes=9))
    assert "The checkpoint has 6 classes, but the model's `labels` name 9" in said
    said = refusal(tmp_path, tmp_path / "a.pth", Architecture("timm", "test_resnet", num_classes=5))
    assert "6 classes (one more is usually a class for the background, in front)" in said
    net = torchvision.models.squeezenet1_1(num_classes=6).state_dict()
    torch.save(net, tmp_path / "b.pth")
    other = Architecture("torchvision", "squeezenet1_1", num_classes=1000)
    assert "has 6 classes, but the model's `labels` name 1,000" in refusal(
        tmp_path, tmp_path / "b.pth", other
    )


def test_no_classifier_is_left_random_when_the_arguments_state_the_classes(
    tmp_path: Path, state: State
) -> None:
    """timm drops a classifier of another size than its own default and goes on without a word."""
    torch.save(state, tmp_path / "a.pth")
    stated = Architecture("timm", "test_resnet", arguments={"num_classes": 6})
    assert same(fetch(tmp_path, tmp_path / "a.pth", stated), state)


def test_names_that_timm_has_given_up_mean_the_same_weights_today() -> None:
    renamed = {
        "vit_base_patch16_224_in21k": "vit_base_patch16_224.augreg_in21k",
        "tf_efficientnet_b0_ns": "tf_efficientnet_b0.ns_jft_in1k",
        "convnext_tiny_in22ft1k": "convnext_tiny.fb_in22k_ft_in1k",
        "efficientnet_b2a": "efficientnet_b2",
    }
    for old, new in renamed.items():
        assert parse_model(f"timm/{old}", local=False).name == new
    with pytest.raises(
        ModelError, match=r"'efficientnet_b2a' any more: it is now 'efficientnet_b2'"
    ):
        parse_model("timm/efficientnet_b2a.ra_in1k", local=False)


@pytest.mark.long
def test_every_name_that_timm_has_given_up_is_mapped_or_named() -> None:
    from timm.models._registry import _deprecated_models

    unmapped = []
    for old, new in _deprecated_models.items():
        try:
            assert parse_model(f"timm/{old}", local=False).name == new
        except ModelError as error:
            if "the half of a CLIP or SigLIP model" in str(error):
                continue
            assert str(new) in str(error)
            assert "did you mean" in str(error)
            unmapped.append(old)
    assert len(_deprecated_models) > 200
    assert len(unmapped) < 5


def test_stored_weights_that_are_damaged_end_in_one_line(tmp_path: Path, state: State) -> None:
    path = tmp_path / "m.safetensors"
    save_file(state, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", LFS, b"\xff" * 64):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"m\.safetensors is damaged.*delete it"):
            load_model(SMALL, path, torch.device("cpu"))


def test_a_raw_pickle_of_tensors_is_read_or_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": 1}))
    assert "a.pkl" in refusal(tmp_path, tmp_path / "a.pkl")
