"""OFA's architecture: sizes, positions, and what must not depend on what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from synthsight.vqa.ofa.checkpoint import BUCKETS
from synthsight.vqa.ofa.config import SIZES, OFAConfig, OFAError, infer_config
from synthsight.vqa.ofa.model import EMBEDDING_COPIES, OFA, build
from synthsight.vqa.ofa.positions import grid_ids, image_buckets, token_buckets
from tests.support import assert_close, settle

SMALL = OFAConfig(
    vocab_size=60,
    max_position_embeddings=40,
    d_model=16,
    encoder_layers=2,
    decoder_layers=2,
    encoder_ffn_dim=24,
    decoder_ffn_dim=32,
    encoder_attention_heads=2,
    decoder_attention_heads=4,
    resnet_type="resnet18",
    resnet_width=4,
    token_bucket_size=8,
    image_bucket_size=6,
)


def small_model(seed: int = 0, **changes: Any) -> OFA:
    """A random model in which every weight has a say."""
    torch.manual_seed(seed)
    model = OFA(replace(SMALL, **changes))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embed_images" not in name:
                centre = 1.0 if name.endswith(("norm.weight", "ln.weight", "c_attn")) else 0.0
                weight.copy_(centre + 0.4 * torch.randn_like(weight))
    settle(model.encoder.embed_images, images(4))
    return model


def images(number: int, side: int = 64) -> torch.Tensor:
    return torch.rand(number, 3, side, side) * 2 - 1


@pytest.mark.long
def test_published_sizes_have_the_published_numbers_of_weights() -> None:
    parameters = {
        "tiny": 33_488_336,
        "medium": 92_892_000,
        "base": 182_238_536,
        "large": 472_977_152,
        "huge": 929_486_848,
    }
    # With the tables that are computed here: position buckets, ids for image generation.
    entries = {"tiny": 541, "medium": 847, "base": 965, "large": 1625, "huge": 1901}
    for size, config in SIZES.items():
        with torch.device("meta"):
            model = OFA(config)
        assert sum(weight.numel() for weight in model.parameters()) == parameters[size]
        assert len(model.state_dict()) + len(BUCKETS) + 1 == entries[size]


def test_buckets_of_relative_text_positions() -> None:
    golden = {0: 255, 1: 256, -1: 254, 127: 382, 128: 383, 129: 384, 130: 384, 131: 385, 140: 389}
    golden |= {200: 411, 256: 426, 300: 436, 512: 468, 1000: 509, 1022: 510, 1023: 510}
    golden |= {-127: 128, -128: 127, -129: 126, -200: 99, -512: 42, -1023: 0}
    steps = torch.arange(1024)
    buckets = token_buckets(steps, steps)
    for relative, bucket in golden.items():
        query = max(relative, 0)
        assert buckets[query, query - relative] == bucket
    assert torch.equal(buckets + buckets.T, torch.full_like(buckets, 510))


def test_buckets_of_relative_patch_positions() -> None:
    golden = {(1, 1): 3444, (1, 2): 3443, (2, 1): 3445, (1, 43): 3361, (43, 1): 3527}
    golden |= {(0, 5): 6889, (5, 0): 6890, (0, 0): 6891, (1, 1764): 0, (1764, 1): 6888}
    ids = torch.arange(1765)
    buckets = image_buckets(ids, ids)
    assert {pair: int(buckets[pair]) for pair in golden} == golden
    assert grid_ids(2, 3).tolist() == [1, 2, 3, 43, 44, 45]


def test_a_question_does_not_depend_on_the_padding_behind_it_nor_on_its_neighbours() -> None:
    model = small_model()
    pixels = images(2)
    texts = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 2, 1, 1, 1]])
    answers = torch.tensor([[0, 7, 20, 21], [0, 11, 1, 1]])
    with torch.inference_mode():
        both = model(pixels, texts, answers)
        first = model(pixels[:1], texts[:1], answers[:1])
        second = model(pixels[1:], texts[1:, :3], answers[1:, :2])
    assert_close(both[0], first[0])
    assert_close(both[1, :2], second[0])
    assert not torch.allclose(both[0, :2], both[1, :2], atol=1e-2)


def test_the_stem_runs_once_for_all_questions_on_an_image() -> None:
    model = small_model()
    pixels = images(2)
    texts = torch.randint(3, 60, (3, 5))
    which = torch.tensor([1, 0, 1])
    with torch.inference_mode():
        features = model.embed_images(pixels)
        assert features.patches.shape == (2, 16, 16)
        assert features.grid == (4, 4)
        encoded = model.encode(texts, features, which)
        plain = model.encode(texts, model.embed_images(pixels[which]))
    assert_close(encoded.hidden, plain.hidden)


@pytest.mark.parametrize("parts", [(1, 1, 1, 1, 1), (3, 2), (2, 1, 2)])
def test_tokens_may_come_in_parts(parts: tuple[int, ...]) -> None:
    """Decoding with the kept keys and values gives what decoding everything at once does."""
    model = small_model()
    tokens = torch.randint(3, 60, (2, 5))
    with torch.inference_mode():
        texts = torch.tensor([[0, 7, 8, 2], [0, 7, 2, 1]])
        start = model.decoder.start(model.encode(texts, model.embed_images(images(2))))
        whole, _ = model.decoder(tokens, start)
        past, pieces = start, []
        for part in tokens.split(parts, dim=1):
            hidden, past = model.decoder(part, past)
            pieces.append(hidden)
    assert past.length == 5
    assert start.length == 0
    assert_close(torch.cat(pieces, 1), whole)


def test_kept_biases_serve_shorter_texts_and_follow_the_weights() -> None:
    model = small_model()
    texts = torch.randint(3, 60, (1, 40))
    with torch.no_grad():
        features = model.embed_images(images(1))
        for length in (7, 30, 40, 5):
            encoded = model.encode(texts[:, :length], features).hidden
            with torch.enable_grad():  # nothing is kept
                fresh = model.encode(texts[:, :length], features).hidden
            assert_close(encoded, fresh)
        for weight in (
            model.encoder.image_rel_pos_table_list[1].weight,
            model.encoder.pos_ln.weight,
        ):
            before = model.encode(texts, features).hidden
            weight.mul_(-2)
            after = model.encode(texts, features).hidden
            assert not torch.allclose(before, after, atol=1e-2)
        double = model.double().encode(texts, model.embed_images(images(1).double()))
        assert double.hidden.dtype == torch.float64


def test_repeated_questions_compute_the_biases_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    calls = []
    compute = model.encoder.attention_biases
    monkeypatch.setattr(
        model.encoder, "attention_biases", lambda *args: calls.append(1) or compute(*args)
    )
    with torch.inference_mode():
        features = model.embed_images(images(1))
        for length in (9, 5, 12, 16):
            model.encode(torch.randint(3, 60, (1, length)), features)
    assert len(calls) == 1


def test_gradients_reach_every_weight_but_those_of_image_generation() -> None:
    model = small_model()
    model(images(1), torch.tensor([[0, 7, 8, 2]]), torch.tensor([[0, 9]])).square().sum().backward()
    unused = {name for name, weight in model.named_parameters() if weight.grad is None}
    assert {name.split(".")[1] for name in unused} == {
        "embed_image_positions",
        "image_pos_ln",
        "code_layernorm_embedding",
        "image_rel_pos_table_list",
    }
    assert all(name.startswith("decoder.") for name in unused)
    types = model.encoder.type_embedding.weight.grad  # of tokens and of patches
    assert types is not None
    assert types.abs().sum(1).min() > 0


def test_positions_of_large_grids_are_interpolated_on_demand() -> None:
    model = small_model(interpolate_position=True, orig_patch_image_size=32)
    encoder = model.encoder
    encoder.image_pos_ln = torch.nn.Identity()
    rows = (torch.arange(len(encoder.embed_image_positions.weight)) - 1) // 6
    with torch.no_grad():
        encoder.embed_image_positions.weight.copy_(rows[:, None].expand(-1, 16))
        stretched = encoder.position_embedding((4, 4), 0)[:, 0]
        original = encoder.position_embedding((2, 2), 0)[:, 0]
    assert stretched[::4].tolist() == [0, 0.25, 0.75, 1]
    assert original.tolist() == [0, 0, 1, 1]


def test_logits_of_some_tokens_are_those_among_all() -> None:
    model = small_model()
    hidden = torch.randn(3, 16)
    some = torch.tensor([5, 2])
    assert_close(model.logits(hidden, some).detach(), model.logits(hidden)[:, some].detach())


def test_what_the_model_has_no_positions_for_is_refused() -> None:
    model = small_model()
    with torch.inference_mode():
        features = model.embed_images(images(1))
        with pytest.raises(
            OFAError, match=r"7 x 7 patches.*6 x 6, that is, for images of at most 96 pixels"
        ):
            model.embed_images(images(1, side=100))
        with pytest.raises(OFAError, match="41 tokens; the model takes 40"):
            model.encode(torch.zeros(1, 41, dtype=torch.int64), features)
        with pytest.raises(OFAError, match="2 texts with 1 images"):
            model.encode(torch.zeros(2, 4, dtype=torch.int64), features)
        past = model.decoder.start(model.encode(torch.tensor([[0, 2]]), features))
        _, past = model.decoder(torch.zeros(1, 40, dtype=torch.int64), past)
        with pytest.raises(OFAError, match="41 tokens for the decoder; the model takes 40"):
            model.decoder(torch.zeros(1, 1, dtype=torch.int64), past)


def test_a_model_is_built_from_its_weights_with_one_embedding() -> None:
    model = small_model()
    state = model.state_dict()
    compact = {name: value for name, value in state.items() if name not in EMBEDDING_COPIES}
    for given in (state, compact):
        built = build(SMALL, given)
        assert not built.training
        assert built.decoder.output_projection.weight is built.encoder.embed_tokens.weight
        assert built.decoder.embed_tokens is built.encoder.embed_tokens
        assert all(torch.equal(value, state[name]) for name, value in built.state_dict().items())
    del compact["encoder.pos_ln.bias"]
    with pytest.raises(OFAError, match=r"Missing key.*encoder\.pos_ln\.bias"):
        build(SMALL, compact)


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, resnet_type="resnet50"), SIZES["huge"]])
def test_sizes_are_told_from_the_weights(config: OFAConfig) -> None:
    with torch.device("meta"):
        state = OFA(config).state_dict()
    settings = {"patch_image_size": config.patch_image_size}
    assert infer_config(state, **settings) == config
    with pytest.raises(OFAError, match=r"not an OFA model.*embed_tokens"):
        infer_config({})
    state = {name: value for name, value in state.items() if "layer3.1." not in name}
    with pytest.raises(OFAError, match="image stem has"):
        infer_config(state)


def test_a_published_configuration_is_read_and_written() -> None:
    published = {
        "architectures": ["OFAModel"],
        "model_type": "ofa",
        "d_model": 256,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 1024,
        "decoder_ffn_dim": 1024,
        "resnet_type": "resnet50",
        "normformer": True,
        "dropout": 0.1,
        "attn_scale_factor": 2.0,
        "entangle_position_embedding": True,
        "disable_entangle": True,
        "use_cache": False,
    }
    config = OFAConfig.from_dict(published)
    assert config == replace(SIZES["tiny"], patch_image_size=None)
    assert config.image_side == 256
    assert replace(config, patch_image_size=480).image_side == 480
    assert OFAConfig.from_dict(config.as_dict()) == config
    with pytest.raises(OFAError, match="set `patch_image_size`"):
        _ = SMALL.image_side


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"normformer": False}, "`normformer` is False; only True"),
        ({"encoder_normalize_before": False}, "`encoder_normalize_before` is False"),
        ({"activation_function": "relu"}, "`activation_function` is 'relu'; only 'gelu'"),
        ({"scale_embedding": True}, "`scale_embedding` is True"),
        ({"attn_scale_factor": 1.0}, "`attn_scale_factor` is 1.0"),
        ({"entangle_position_embedding": True}, "without `disable_entangle`"),
        ({"model_type": "clip"}, "`model_type` is 'clip'"),
        ({"decoder_start_token_id": 2}, "`decoder_start_token_id` is 2; only 0"),
        ({"pad_token_id": 5}, "`pad_token_id` is 5; only 1"),
        ({"d_model": "512"}, "`d_model` is '512'; it must be of type int"),
        ({"d_model": True}, "`d_model` is True; it must be of type int"),
        ({"encoder_layers": 0}, "`encoder_layers` is 0; it must be positive"),
        ({"encoder_attention_heads": 7}, r"`encoder_attention_heads` \(7\) must divide"),
        ({"resnet_type": "resnet34"}, "`resnet_type` is 'resnet34'; choose among resnet18"),
        ({"prompt_type": "src"}, "`prompt_type` is 'src'; choose among none, prev_output"),
        ({"interpolate_position": 1}, "`interpolate_position` is 1; it must be of type bool"),
        ({"token_bucket_size": 1}, "`token_bucket_size` is 1"),
    ],
)
def test_a_configuration_of_another_network_is_refused(
    setting: dict[str, Any], message: str
) -> None:
    with pytest.raises(OFAError, match=message):
        OFAConfig.from_dict(setting)
