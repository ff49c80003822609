"""Checkpoints of OFA in every published format give the same weights, or a clear refusal."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from synthsight.vqa.ofa.checkpoint import BUCKETS, load_checkpoint
from synthsight.vqa.ofa.config import OFAConfig, OFAError
from synthsight.vqa.ofa.model import EMBEDDING, EMBEDDING_COPIES, build
from synthsight.vqa.ofa.positions import image_buckets, token_buckets
from tests.vqa.ofa.test_model import SMALL, small_model

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    """What every format must give: the embedding once, no tables of buckets."""
    weights = small_model().state_dict()
    return {name: value for name, value in weights.items() if name not in EMBEDDING_COPIES}


def published(state: State) -> State:
    """With all that published files hold beside the weights."""
    steps, ids = torch.arange(40), torch.arange(37)
    tables = {"token": token_buckets(steps, steps, 8, 40), "image": image_buckets(ids, ids, 6)}
    full = dict(state)
    full |= {name: state[EMBEDDING].clone() for name in EMBEDDING_COPIES}
    full |= {name: tables["token" if "token" in name else "image"].clone() for name in BUCKETS}
    return full | {"decoder.image_position_idx": torch.arange(1025)}


def in_fairseq(state: State) -> State:
    """Under fairseq's names."""
    renamed = {}
    for name, value in published(state).items():
        stack = name.partition(".")[0]
        middle = "attn_ln" if stack == "encoder" else "self_attn_ln"
        for ours, theirs in (
            (".self_attn_mid_layer_norm.", f".{middle}."),
            (".cross_attn_mid_layer_norm.", ".cross_attn_ln."),
            (".cross_attn_layer_norm.", ".encoder_attn_layer_norm."),
            (".cross_attn.", ".encoder_attn."),
            (".ffn_layer_norm.", ".ffn_layernorm."),
        ):
            name = name.replace(ours, theirs)
        renamed[name] = value
    return renamed | {"encoder.version": torch.tensor([3.0]), "decoder.version": torch.tensor([3])}


def in_mmpretrain(state: State) -> State:
    """Under mmpretrain's names."""
    renamed = {}
    for name, value in published(state).items():
        in_layer = ".layers." in name
        for ours, theirs in (
            (".type_embedding.", ".embed_type."),
            (".patch_layernorm_embedding.", ".image_embedding_ln."),
            (".code_layernorm_embedding.", ".code_embedding_ln."),
            (".layernorm_embedding.", ".embedding_ln."),
            (".self_attn.", ".attn." if name.startswith("encoder") else ".self_attn."),
            (
                ".self_attn_mid_layer_norm.",
                ".attn_mid_ln." if name.startswith("encoder") else ".self_attn_mid_ln.",
            ),
            (
                ".self_attn_layer_norm.",
                ".attn_ln." if name.startswith("encoder") else ".self_attn_ln.",
            ),
            (".cross_attn_mid_layer_norm.", ".cross_attn_mid_ln."),
            (".cross_attn_layer_norm.", ".cross_attn_ln."),
            (".ffn_layer_norm.", ".ffn_mid_ln."),
            (".final_layer_norm.", ".ffn_ln."),
            *(() if in_layer else ((".layer_norm.", ".final_ln."),)),
        ):
            name = name.replace(ours, theirs)
        renamed["model." + name] = value
    return renamed


def write_config(folder: Path, **changes: Any) -> None:
    content = SMALL.as_dict() | changes
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")


def check(path: Path, state: State, config: OFAConfig = SMALL) -> None:
    read, loaded = load_checkpoint(path)
    assert read == config
    assert set(loaded) == set(state)
    for name, value in loaded.items():
        assert value.dtype == state[name].dtype
        assert torch.equal(value, state[name]), name
    build(read, loaded)


def test_a_hub_folder_with_safetensors(tmp_path: Path, state: State) -> None:
    write_config(tmp_path, prompt_type="none")
    save_file(state, tmp_path / "model.safetensors")
    torch.save({}, tmp_path / "pytorch_model.bin")  # the other comes first
    config = OFAConfig.from_dict(SMALL.as_dict() | {"prompt_type": "none"})
    check(tmp_path, state, config)
    check(tmp_path / "model.safetensors", state, config)


def test_a_hub_folder_with_a_pickle(tmp_path: Path, state: State) -> None:
    write_config(tmp_path)
    torch.save(published(state), tmp_path / "pytorch_model.bin")
    check(tmp_path, state)


@pytest.mark.parametrize("kept", [EMBEDDING, *EMBEDDING_COPIES])
def test_any_copy_of_the_embedding_is_enough(tmp_path: Path, state: State, kept: str) -> None:
    rest = {name: value for name, value in state.items() if name != EMBEDDING}
    save_file(rest | {kept: state[EMBEDDING]}, tmp_path / "any.safetensors")
    check(tmp_path / "any.safetensors", state)


def test_half_precision_is_widened(tmp_path: Path, state: State) -> None:
    half = {name: v.half() if v.is_floating_point() else v for name, v in state.items()}
    save_file(half, tmp_path / "half.safetensors")
    wide = {name: v.float() if v.is_floating_point() else v for name, v in half.items()}
    check(tmp_path / "half.safetensors", wide)


def test_fairseq_with_averaged_weights_and_settings(tmp_path: Path, state: State) -> None:
    last = {name: value * 0 for name, value in state.items()}
    settings = argparse.Namespace(
        arch="ofa_tiny", prompt_type="prev_output", patch_image_size=64, interpolate_position=True
    )
    content = {
        "args": None,
        "cfg": {"model": settings, "task": {"orig_patch_image_size": 32}},
        "model": in_fairseq(last),
        "extra_state": {"ema": in_fairseq(state), "epoch": 3},
        "last_optimizer_state": {"state": {0: torch.ones(2)}},
    }
    torch.save(content, tmp_path / "vqa.pt")
    extra = {"prompt_type": "prev_output", "patch_image_size": 64, "interpolate_position": True}
    config = OFAConfig.from_dict(SMALL.as_dict() | extra | {"orig_patch_image_size": 32})
    check(tmp_path / "vqa.pt", state, config)


def test_fairseq_without_average_or_settings(tmp_path: Path, state: State) -> None:
    torch.save({"model": in_fairseq(state)}, tmp_path / "ofa.pt")
    check(tmp_path / "ofa.pt", state)
    content = {"model": in_fairseq(state), "extra_state": {"epoch": 1}}
    torch.save(content, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    check(tmp_path / "old.pt", state)


def test_fairseq_with_entangled_positions_is_refused(tmp_path: Path, state: State) -> None:
    settings = argparse.Namespace(entangle_position_embedding=True, disable_entangle=False)
    torch.save({"model": in_fairseq(state), "args": settings}, tmp_path / "ofa.pt")
    with pytest.raises(OFAError, match=r"ofa.pt.*without `disable_entangle`"):
        load_checkpoint(tmp_path / "ofa.pt")


def test_mmpretrain(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": in_mmpretrain(state), "meta": {}}, tmp_path / "ofa.pth")
    check(tmp_path / "ofa.pth", state)


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path: Path, state: State) -> None:
    trace = tmp_path / "executed"
    for number, content in enumerate(
        (Malicious(trace), {"model": state, "args": argparse.Namespace(x=Malicious(trace))})
    ):
        path = tmp_path / f"{number}.pt"
        torch.save(content, path)
        with pytest.raises(OFAError, match=f"{number}.pt: refused.*run code"):
            load_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("encoder.pos_ln.bias"), "missing: encoder.pos_ln.bias"),
        (lambda s: s.pop("decoder.image_pos_ln.bias"), "missing: decoder.image_pos_ln.bias"),
        (lambda s: s.update({"decoder.w": torch.ones(1)}), "unexpected: decoder.w"),
        (
            lambda s: s.update({"encoder.pos_ln.bias": torch.ones(3)}),
            r"encoder.pos_ln.bias \(3,\) instead of \(16,\)",
        ),
        (lambda s: s["decoder.output_projection.weight"].add_(1), "output_projection.* differs"),
        (lambda s: s["encoder.token_rp_bucket"].add_(1), "token_rp_bucket has other buckets"),
        (lambda s: s["decoder.image_rp_bucket"].add_(1), "image_rp_bucket has other buckets"),
        (lambda s: [s.pop(n) for n in (EMBEDDING, *EMBEDDING_COPIES)], "not a checkpoint of OFA"),
        (lambda s: s.update({"note": "x"}), "note are not tensors"),
        (
            lambda s: [s.pop(n) for n in list(s) if ".fc2." in n],
            r"missing: (encoder\S+ ){4}decoder\S+ decoder\S+ and 2 more",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, state: State, change: Any, message: str
) -> None:
    weights = published(state)
    change(weights)
    write_config(tmp_path)
    torch.save(weights, tmp_path / "pytorch_model.bin")
    with pytest.raises(OFAError, match=f"pytorch_model.bin: .*{message}"):
        load_checkpoint(tmp_path)


def test_two_weights_of_one_name_are_refused(tmp_path: Path, state: State) -> None:
    both = in_fairseq(state) | state
    torch.save({"model": both}, tmp_path / "ofa.pt")
    with pytest.raises(OFAError, match="two weights have the name"):
        load_checkpoint(tmp_path / "ofa.pt")


def test_what_is_no_checkpoint_is_refused(tmp_path: Path, state: State) -> None:
    with pytest.raises(OFAError, match="no file or folder"):
        load_checkpoint(tmp_path / "absent")
    with pytest.raises(OFAError, match=r"has no weights: expected model.safetensors or"):
        load_checkpoint(tmp_path)
    for name in ("junk.pt", "junk.safetensors"):
        (tmp_path / name).write_bytes(b"junk that is no checkpoint")
        with pytest.raises(OFAError, match=name):
            load_checkpoint(tmp_path / name)
    torch.save([1], tmp_path / "list.pt")
    with pytest.raises(OFAError, match=r"list.pt: not a state dict"):
        load_checkpoint(tmp_path / "list.pt")
    save_file(state, tmp_path / "model.safetensors")


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "Expecting property name"),
        ("[1]", "it is not a JSON mapping"),
        (LFS, "it is a Git LFS pointer"),
        ('{"normformer": false}', "`normformer` is False; only True"),
        ('{"model_type": "blip"}', "`model_type` is 'blip'; only 'ofa'"),
        ('{"d_model": "512"}', "`d_model` is '512'; it must be of type int"),
        ('{"encoder_layers": 1000000000}', "no OFA has more than 1000"),
        ('{"max_position_embeddings": 99999999}', "no OFA has more than 16384"),
    ],
)
def test_a_damaged_or_foreign_configuration_is_named_itself(
    tmp_path: Path, state: State, content: str, what: str
) -> None:
    """Not the weights beside it; and where these can do without one, that is said."""
    save_file(state, tmp_path / "model.safetensors")
    config = tmp_path / "config.json"
    config.write_text(content, encoding="utf-8")
    for path, alone in ((tmp_path, False), (tmp_path / "model.safetensors", True)):
        with pytest.raises(OFAError) as caught:
            load_checkpoint(path)
        said = str(caught.value)
        assert said.startswith(f"{config}: ") and what in said and "\n" not in said
        assert "Put the config.json there that was published with the weights" in said
        assert said.endswith("the sizes are read off the weights") == alone
