"""OFA against numbers of the published code, on random weights."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from synthsight.vqa.ofa.answers import beam_search, score_candidates, yes_no_logits
from synthsight.vqa.ofa.checkpoint import expected_shapes, load_checkpoint, rename
from synthsight.vqa.ofa.config import OFAConfig
from synthsight.vqa.ofa.encoder import ImageFeatures
from synthsight.vqa.ofa.model import OFA, build
from synthsight.vqa.ofa.positions import image_buckets, token_buckets
from synthsight.vqa.ofa.processing import (
    clean_question,
    decoder_prompt,
    pixel_values,
    prepare_image,
    source,
)
from synthsight.vqa.ofa.tokenizer import OFATokenizer
from tests.support import REPOSITORY, assert_close, log_odds

REFERENCE = REPOSITORY.parent / "shared" / "ofa"

pytestmark = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="needs reference numbers beside the checkout"
)

YES, NO = 442, 117


class Case:
    """A configuration with its weights, inputs and outputs; images are embedded once."""

    def __init__(self, name: str) -> None:
        self.folder = REFERENCE / name
        self.model = build(*load_checkpoint(self.folder))
        self.inputs = self.arrays("inputs")
        self.outputs = self.arrays("outputs")
        self.sources = [
            row[:length].tolist()
            for row, length in zip(
                self.inputs["input_ids"], self.inputs["input_lengths"], strict=True
            )
        ]
        with torch.no_grad():
            self.features = self.model.embed_images(self.inputs["pixel_values"])

    def arrays(self, name: str) -> dict[str, torch.Tensor]:
        with np.load(self.folder / f"{name}.npz") as file:
            return {key: torch.from_numpy(file[key]) for key in file.files if file[key].ndim}

    def json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["A", "C"])
def case(request: pytest.FixtureRequest) -> Case:
    """A is small; C has large images and interpolated positions."""
    return Case(request.param)


def compare(
    model: OFA,
    features: ImageFeatures,
    inputs: dict[str, torch.Tensor],
    outputs: dict[str, torch.Tensor],
    encoder_share: float,
    logits_share: float,
) -> None:
    rows = len(features.patches)
    with torch.no_grad():
        encoded = model.encode(inputs["input_ids"][:rows], features)
        start = model.decoder.start(encoded)
        hidden, _ = model.decoder(inputs["decoder_input_ids"][:rows], start)
        padded, _ = model.decoder(inputs["decoder_input_ids_padded"][:rows], start)
        logits, logits_padded = model.logits(hidden), model.logits(padded)
    hidden_reference = outputs["encoder_last_hidden_state"][:rows]
    assert_close(encoded.hidden, hidden_reference, encoder_share)
    assert_close(logits, outputs["logits"][:rows], logits_share)
    for row in range(rows):
        real = int(inputs["decoder_lengths_padded"][row])
        reference = outputs["logits_padded"][row, :real]
        assert_close(logits_padded[row, :real], reference, logits_share)
    if "position_embedding" in outputs:
        assert_close(encoded.positions, outputs["position_embedding"][0])
        assert encoded.padding is not None
        assert torch.equal(encoded.padding, outputs["encoder_padding_mask"][:rows])


@pytest.mark.long
def test_states_and_logits_in_single_precision(case: Case) -> None:
    compare(case.model, case.features, case.inputs, case.outputs, 1e-4, 5e-5)


@pytest.mark.long
def test_states_and_logits_in_double_precision(case: Case) -> None:
    model = build(*load_checkpoint(case.folder)).double()
    rows = 3 if case.folder.name == "A" else 1  # the images of C are large
    with torch.no_grad():
        features = model.embed_images(case.inputs["pixel_values"][:rows].double())
    texts = dict(case.inputs)
    compare(model, features, texts, case.arrays("outputs_fp64"), 2e-10, 2e-10)


def test_without_interpolation_as_in_the_hubs_code(case: Case) -> None:
    if not case.model.config.interpolate_position:
        pytest.skip("has no interpolation")
    settings = case.model.config.as_dict() | {"interpolate_position": False}
    model = build(OFAConfig.from_dict(settings), case.model.state_dict())
    outputs = case.arrays("outputs_interpolate_off")
    compare(model, case.features, case.inputs, outputs, 1e-4, 5e-5)


def test_long_texts(case: Case) -> None:
    """Far positions share buckets."""
    if case.folder.name != "A":
        pytest.skip("no long texts")
    with np.load(case.folder / "long.npz") as file:
        long = {key: torch.from_numpy(file[key]) for key in file.files if file[key].ndim}
    with torch.no_grad():
        encoded = case.model.encode(long["input_ids"], case.features, torch.tensor([0, 1]))
        hidden, _ = case.model.decoder(long["decoder_input_ids"], case.model.decoder.start(encoded))
        logits = case.model.logits(hidden[:, long["logits_positions"]])
    assert_close(encoded.hidden, long["encoder_last_hidden_state"], 1e-4)
    assert_close(logits, long["logits"])


def test_the_probability_of_yes(case: Case) -> None:
    logits = yes_no_logits(
        case.model, case.features, [0, 1, 2], case.sources, YES, NO, "prev_output"
    )
    assert_close(logits, log_odds(case.outputs["p_yes_prompt"]), 1e-4)


@pytest.mark.parametrize("kind", ["ten", "yesno"])
def test_scores_of_candidates(case: Case, kind: str) -> None:
    expected = case.json("scoring")[kind]
    scores = score_candidates(
        case.model,
        case.features,
        [0, 1, 2],
        case.sources,
        expected["candidates"],
        "prev_output",
    )
    assert_close(scores, expected["scores"])
    best = [expected["candidates"][number] for number in scores.argmax(1).tolist()]
    assert best == expected["predicted"]


def test_beams(case: Case) -> None:
    expected = case.json("scoring")["ten"]
    found = beam_search(
        case.model,
        case.features,
        [0, 1, 2],
        case.sources,
        "prev_output",
        expected["candidates"],
    )
    for answers, hypotheses in zip(found, expected["beam5"], strict=True):
        assert [[*answer.tokens, 2] for answer in answers] == [h["answer"] for h in hypotheses]
        scores = [h["answer_score"] for h in hypotheses]
        assert_close([answer.score for answer in answers], scores)


@pytest.mark.parametrize(("name", "resnet"), [("A", "resnet50"), ("B", "resnet101")])
def test_names_and_shapes_of_the_weights(name: str, resnet: str) -> None:
    keys = json.loads((REFERENCE / "keys.json").read_text(encoding="utf-8"))[name]
    hf = {key: tuple(shape) for key, (shape, _) in keys["hf"].items()}
    settings = json.loads((REFERENCE / "A" / "config.json").read_text(encoding="utf-8"))
    if name == "B":
        sizes = {"d_model": 96, "encoder_layers": 3, "resnet_type": resnet}
        sizes |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 192)
        sizes |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 6)
        settings |= sizes
    shapes = expected_shapes(OFAConfig.from_dict(settings))
    computed = {key for key in hf if key.endswith(("_bucket", "image_position_idx"))}
    copies = {"decoder.embed_tokens.weight", "decoder.output_projection.weight"}
    assert shapes == {k: shape for k, shape in hf.items() if k not in computed | copies}
    fairseq = {key: torch.empty(0) for key in keys["fairseq_to_hf"]}
    dropped = "decoder.image_position_idx"
    assert set(rename(fairseq)) == {v for v in keys["fairseq_to_hf"].values() if v} - {dropped}


def test_position_buckets() -> None:
    expected = json.loads((REFERENCE / "buckets.json").read_text(encoding="utf-8"))
    steps, ids = torch.arange(1024), torch.arange(1765)
    for name, table in (
        ("token_rp_bucket", token_buckets(steps, steps)),
        ("image_rp_bucket", image_buckets(ids, ids)),
    ):
        content = table.numpy().astype("<i8").tobytes()
        assert hashlib.sha256(content).hexdigest() == expected[name]["sha256"]


@pytest.fixture(scope="module")
def tokenizer() -> OFATokenizer:
    return OFATokenizer.from_folder(REFERENCE / "bpe")


def test_token_ids(tokenizer: OFATokenizer) -> None:
    expected = json.loads((REFERENCE / "tokens.json").read_text(encoding="utf-8"))
    groups = ("questions", "answers_and_short_texts", "no_leading_space")
    items = [each for group in groups for each in expected[group]]
    items += expected["edge_cases"]["items"]
    assert len(items) > 80
    for item in items:
        assert tokenizer.encode(item["text"]) == item["ids"]
        assert tokenizer.decode(item["ids"]) == item["text"]
    assert (tokenizer.single(" yes"), tokenizer.single(" no")) == (4420, 117)


def test_questions(tokenizer: OFATokenizer) -> None:
    expected = json.loads((REFERENCE / "questions.json").read_text(encoding="utf-8"))
    for item in expected["questions"]:
        assert clean_question(item["raw"]) == item["clean_80"]
        assert clean_question(item["raw"], 128) == item["clean_128"]
        assert source(tokenizer, item["raw"]) == item["input_ids"]
    for item in expected["dataset_items"]:
        ids = source(tokenizer, item["question"], item["objects"])
        assert ids == item["source"]
        for prompt_type in ("none", "prev_output"):
            assert decoder_prompt(ids, prompt_type) == item[prompt_type]["decoder_prompt"]


@pytest.mark.parametrize(
    ("file", "side"), [("256", 256), ("384", 384), ("480", 480), ("modes_256", 256)]
)
def test_pixels_bit_for_bit(file: str, side: int) -> None:
    with np.load(REFERENCE / "images" / f"pixel_values_{file}.npz") as expected:
        assert expected.files
        for name in expected.files:
            with Image.open(REFERENCE / "images" / f"{name}.png") as image:
                pixels: npt.NDArray[np.uint8] = prepare_image(image, side)
            values = pixel_values(torch.from_numpy(pixels)[None])[0].numpy()
            assert np.array_equal(values, expected[name])
