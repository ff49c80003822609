"""Weights are brought safely, checked, and noted with their source."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import os
import pickle
import runpy
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file

from synthsight.classifiers import weights as weights_module
from synthsight.classifiers.library import Architecture, Fetched, Wanted, WeightsError
from synthsight.classifiers.registry import LIBRARIES
from synthsight.classifiers.weights import fetch_weights
from synthsight.inference.hub import ChecksumError
from tests import warm
from tests.loopback_hub import Hub
from tests.support import REPOSITORY, save_random_weights

SMALL = Architecture("timm", "test_resnet", num_classes=6)


def fetch(folder: Path, checkpoint: Path | None, architecture: Architecture = SMALL, **more: Any):
    return fetch_weights(
        "m", architecture, checkpoint, folder / "m.safetensors", folder / "m.json", **more
    )


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "source.safetensors"
    save_random_weights(path, "test_resnet", 6, seed=1)
    return path


def test_a_local_checkpoint_is_stored_with_a_note_of_its_source(
    tmp_path: Path, checkpoint: Path
) -> None:
    fetch(tmp_path, checkpoint)
    note = json.loads((tmp_path / "m.json").read_text())
    assert note["source"] == str(checkpoint)
    assert note["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    stored = (tmp_path / "m.safetensors").read_bytes()
    assert note["safetensors_sha256"] == hashlib.sha256(stored).hexdigest()
    assert note["reference"] is None
    source = load_file(checkpoint)
    assert {k: v.tolist() for k, v in load_file(tmp_path / "m.safetensors").items()} == {
        k: v.tolist() for k, v in source.items()
    }


@pytest.mark.parametrize("wrap", ["plain", "state_dict", "model", "state_dict_ema", "module"])
def test_the_common_containers_of_torch_save_are_read(
    tmp_path: Path, checkpoint: Path, wrap: str
) -> None:
    state: dict[str, Any] = dict(load_file(checkpoint))
    other = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    content: dict[str, Any] = {
        "plain": state,
        "state_dict": {"epoch": 3, "state_dict": state},
        "model": {"model": state},
        "state_dict_ema": {"state_dict": other, "state_dict_ema": state},
        "module": {f"module.{key}": tensor for key, tensor in state.items()},
    }[wrap]
    torch.save(content, tmp_path / "source.pth")
    fetch(tmp_path, tmp_path / "source.pth")
    stored = load_file(tmp_path / "m.safetensors")
    assert all(torch.equal(stored[key], state[key]) for key in state)


def test_half_precision_is_widened(tmp_path: Path, checkpoint: Path) -> None:
    half = {
        key: v.half() if v.is_floating_point() else v for key, v in load_file(checkpoint).items()
    }
    save_file(half, tmp_path / "half.safetensors")
    fetch(tmp_path, tmp_path / "half.safetensors")
    stored = load_file(tmp_path / "m.safetensors")
    kinds = {tensor.dtype for tensor in stored.values() if tensor.is_floating_point()}
    assert kinds == {torch.float32}


def test_accuracy_that_a_checkpoint_carries_is_noted_and_the_users_goes_first(
    tmp_path: Path, checkpoint: Path
) -> None:
    own = {"top1": 0.8, "top5": 0.9, "source": "held out"}
    metadata = {"reference": json.dumps(own), "license": "MIT"}
    save_file(load_file(checkpoint), tmp_path / "own.safetensors", metadata)
    note = fetch(tmp_path, tmp_path / "own.safetensors")
    assert note["reference"] == own
    assert note["license"] == "MIT"
    given = {"top1": 0.1, "top5": 0.2, "source": "the user"}
    assert fetch(tmp_path, tmp_path / "own.safetensors", reference=given)["reference"] == given


@pytest.mark.parametrize(
    "stated",
    [
        *("no JSON", "[1]", '{"top1": 81.2}', '{"source": 1}', "[" * 9999),
        '{"top1": 0.9, "top5": 0.8}',
    ],
)
def test_what_a_checkpoint_says_of_itself_in_another_form_is_refused(
    tmp_path: Path, checkpoint: Path, stated: str
) -> None:
    save_file(load_file(checkpoint), tmp_path / "own.safetensors", {"reference": stated})
    with pytest.raises(WeightsError, match=r"own\.safetensors"):
        fetch(tmp_path, tmp_path / "own.safetensors")


class Payload:
    """What a hostile pickle does when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


class Scripted(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def save_payload(path: Path, container: str, target: Path) -> None:
    """Write a checkpoint that makes a folder if what it holds is ever run."""
    content = {"state_dict": {"weight": torch.zeros(1)}, "extra": Payload(target)}
    if container in ("torch", "old torch"):
        torch.save(content, path, _use_new_zipfile_serialization=container == "torch")
    elif container == "pickle":
        path.write_bytes(pickle.dumps(content))
    elif container == "gzip":
        path.write_bytes(gzip.compress(pickle.dumps(content), mtime=0))
    elif container == "tar":  # of the oldest torch: pickles beside each other
        with tarfile.open(path, "w") as archive:
            for name in ("sys_info", "pickle", "storages", "tensors"):
                data = pickle.dumps(content)
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    elif container == "numpy":
        with open(path, "wb") as handle:
            np.savez(handle, weight=np.array([Payload(target)], dtype=object))
    else:  # a TorchScript archive, whose data is exchanged
        torch.jit.script(Scripted()).save(str(path))
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, pickle.dumps(content) if name.endswith(".pkl") else data)


CONTAINERS = ["torch", "old torch", "pickle", "gzip", "tar", "numpy", "torchscript"]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ["evil.pth", "evil.safetensors", "evil.npz"])
def test_code_in_a_checkpoint_is_refused_and_not_run(
    tmp_path: Path, container: str, name: str
) -> None:
    save_payload(tmp_path / name, container, tmp_path / "pwned")
    with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
        fetch(tmp_path, tmp_path / name)
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / "m.safetensors").exists()


def test_the_payload_would_run(tmp_path: Path) -> None:
    for container in ("torch", "old torch", "pickle"):
        save_payload(tmp_path / container, container, tmp_path / f"pwned by {container}")
        if container == "pickle":
            pickle.loads((tmp_path / container).read_bytes())
        else:
            torch.load(tmp_path / container, weights_only=False)
        assert (tmp_path / f"pwned by {container}").is_dir()


@pytest.mark.long
@pytest.mark.parametrize("container", ["torch", "old torch", "pickle"])
def test_code_in_a_library_s_download_is_refused_and_not_run(
    tmp_path: Path, container: str, hub: tuple[str, type[Hub]], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_payload(tmp_path / "evil", container, tmp_path / "pwned")
    content = (tmp_path / "evil").read_bytes()
    url, handler = hub
    handler.files["/timm/test_resnet.r160_in1k/resolve/main/pytorch_model.bin"] = content
    architecture = Architecture("timm", "test_resnet.r160_in1k").as_dict()
    completed = warm.run(
        [
            REPOSITORY / "workflow" / "scripts" / "fetch_weights.py",
            *("--spec", json.dumps({"name": "m", "architecture": architecture, "reference": None})),
            *("--weights", tmp_path / "m.safetensors", "--note", tmp_path / "m.json"),
        ],
        environment={
            **{"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"},
            "OMP_NUM_THREADS": "1",
        },
        kind="networks",
    )
    assert completed.returncode == 1
    assert "/timm/test_resnet.r160_in1k/resolve/main/pytorch_model.bin" in handler.requested
    assert "hf-hub:timm/test_resnet.r160_in1k could not be fetched" in completed.stderr

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cached = tmp_path / "torch" / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    with pytest.raises(WeightsError, match=r"squeezenet1_1-b8a52dc0\.pth"):
        fetch(tmp_path, None, Architecture("torchvision", "squeezenet1_1", "IMAGENET1K_V1"))
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.pth"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, checkpoint: Path, name: str) -> None:
    if name.endswith(".pth"):
        torch.save(load_file(checkpoint), tmp_path / "whole")
    else:
        (tmp_path / "whole").write_bytes(checkpoint.read_bytes())
    content = (tmp_path / "whole").read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 1):
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(WeightsError, match=name):
            fetch(tmp_path, tmp_path / name)


def test_weights_of_another_architecture_are_refused(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match="does not fit timm/test_convnext"):
        fetch(tmp_path, checkpoint, Architecture("timm", "test_convnext", num_classes=6))
    with pytest.raises(WeightsError, match=r"does not fit.*torchvision/resnet18"):
        fetch(tmp_path, checkpoint, Architecture("torchvision", "resnet18", num_classes=6))


def test_another_number_of_classes_is_refused_and_no_layer_left_random(
    tmp_path: Path, checkpoint: Path
) -> None:
    with pytest.raises(WeightsError, match="size mismatch"):
        fetch(tmp_path, checkpoint, Architecture("timm", "test_resnet", num_classes=9))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, checkpoint: Path) -> None:
    state = load_file(checkpoint)
    name = next(key for key, tensor in state.items() if tensor.ndim == 4)
    state[name][0, 0, 0, 0] = float("nan")
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(WeightsError, match=f"{name} holds NaN"):
        fetch(tmp_path, tmp_path / "nan.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_last_value_of_a_large_tensor_is_looked_at_too(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    monkeypatch.setattr(weights_module, "_PART", 5)
    state = load_file(checkpoint)
    name = next(key for key, tensor in state.items() if tensor.ndim == 4 and tensor.numel() % 5)
    state[name].view(-1)[-1] = value
    save_file(state, tmp_path / "spoilt.safetensors")
    with pytest.raises(WeightsError, match=f"{name} holds NaN or infinite values"):
        fetch(tmp_path, tmp_path / "spoilt.safetensors")


@pytest.mark.long
def test_without_internet_the_message_says_which_file_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    architecture = Architecture("torchvision", "alexnet", "IMAGENET1K_V1")
    expected = tmp_path / "torch" / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    with pytest.raises(WeightsError) as caught:
        fetch(tmp_path, None, architecture)
    assert str(expected) in str(caught.value)
    assert "checkpoint" in str(caught.value)


@pytest.mark.long
def test_a_download_that_breaks_off_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    weights = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    calls = []

    def download(url: str, target: str, *_: Any, **__: Any) -> None:
        calls.append(url)
        if len(calls) < 3:
            raise ConnectionResetError("broken off")
        torch.save(torchvision.models.squeezenet1_1().state_dict(), target)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(ChecksumError):  # what torch would have found when it downloaded
        fetch(tmp_path, None, Architecture("torchvision", "squeezenet1_1", "IMAGENET1K_V1"))
    assert calls == [weights.url] * 3


@pytest.mark.parametrize(
    ("library", "name", "tag", "file"),
    [
        ("torchvision", "squeezenet1_1", "IMAGENET1K_V1", "squeezenet1_1-b8a52dc0.pth"),
        ("timm", "legacy_seresnet18.in1k", None, "seresnet18-4bb0ce65.pth"),
    ],
)
def test_a_file_in_the_cache_with_another_checksum_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    name: str,
    tag: str | None,
    file: str,
) -> None:
    """As torchvision downloads them; timm fetches some from an address, and compares nothing."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cached = tmp_path / "torch" / "hub" / "checkpoints" / file
    cached.parent.mkdir(parents=True)
    model = timm.create_model(name) if library == "timm" else torchvision.models.get_model(name)
    torch.save(model.state_dict(), cached)
    with pytest.raises(ChecksumError) as caught:
        fetch(tmp_path, None, Architecture(library, name, tag))
    message = str(caught.value)
    assert file in message and hashlib.sha256(cached.read_bytes()).hexdigest() in message
    assert f"Delete {cached} and run again" in message
    assert not list(tmp_path.glob("*.json"))


def test_a_file_in_the_cache_with_the_stated_checksum_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(torchvision.models.squeezenet1_1().state_dict(), folder / "new.pth")
    digest = hashlib.sha256((folder / "new.pth").read_bytes()).hexdigest()
    (folder / "new.pth").rename(folder / f"squeezenet1_1-{digest[:8]}.pth")
    published = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.value
    monkeypatch.setattr(published, "url", f"https://example.org/squeezenet1_1-{digest[:8]}.pth")
    note = fetch(tmp_path, None, Architecture("torchvision", "squeezenet1_1", "IMAGENET1K_V1"))
    assert (note["sha256"], note["checksum"]) == (digest, "verified")
    assert note["reference"]["top1"] == pytest.approx(0.58178)


def test_tensors_that_share_memory_are_stored(tmp_path: Path) -> None:
    model = timm.create_model("test_resnet", num_classes=6)
    state = dict(model.state_dict())
    same = [
        key for key, tensor in state.items() if tensor.ndim == 1 and tensor.dtype.is_floating_point
    ]
    first, second = next(
        (a, b) for a in same for b in same if a != b and state[a].shape == state[b].shape
    )
    state[second] = state[first]
    torch.save(state, tmp_path / "tied.pth")
    fetch(tmp_path, tmp_path / "tied.pth")
    stored = load_file(tmp_path / "m.safetensors")
    assert torch.equal(stored[first], stored[second])


def test_only_tensors_that_share_memory_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = torchvision.models.squeezenet1_1()
    state = dict(model.state_dict())
    state["classifier.1.bias"] = state["classifier.1.weight"].view(-1)[:1000]
    places: dict[str, int] = {}

    def fetch_state(wanted: Wanted) -> Fetched:
        return Fetched(dict(state), "a test", None, "none stated")

    def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
        places.update({key: tensor.data_ptr() for key, tensor in tensors.items()})
        save_file(tensors, path)

    library = dataclasses.replace(LIBRARIES.load("torchvision"), fetch=fetch_state)
    monkeypatch.setattr(weights_module.LIBRARIES, "load", lambda _: library)
    monkeypatch.setattr(weights_module, "save_file", save)
    fetch(tmp_path, None, Architecture("torchvision", "squeezenet1_1", "IMAGENET1K_V1"))
    copied = {key for key, tensor in state.items() if places[key] != tensor.data_ptr()}
    assert copied == {"classifier.1.bias"}


def test_the_program_passes_what_the_user_states(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"top1": 0.1, "top5": 0.2, "source": "the user"}
    spec = {"name": "mine", "architecture": SMALL.as_dict(), "reference": given}
    program = REPOSITORY / "workflow" / "scripts" / "fetch_weights.py"
    arguments = [
        *("--spec", json.dumps(spec), "--checkpoint", str(checkpoint)),
        *("--weights", str(tmp_path / "m.safetensors"), "--note", str(tmp_path / "m.json")),
    ]
    monkeypatch.setattr(sys, "argv", [str(program), *arguments])
    runpy.run_path(str(program), run_name="__main__")
    note = json.loads((tmp_path / "m.json").read_text())
    assert (note["name"], note["reference"]) == ("mine", given)
    assert note["source"] == str(checkpoint)
