"""Questions, prompts and pixels as OFA was trained on them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synthsight.vqa.ofa.config import OFAError
from synthsight.vqa.ofa.processing import (
    clean_question,
    decoder_prompt,
    pad,
    pixel_values,
    prepare_image,
    source,
)
from synthsight.vqa.ofa.tokenizer import OFATokenizer
from tests.vqa.ofa.test_model import SMALL

MERGES = [("Ġ", "y"), ("e", "s"), ("Ġy", "es"), ("Ġ", "n"), ("Ġn", "o")]
TEXT = ["Ġ", *"abcdeijnorsty<>?/:", "Ġy", "es", "Ġyes", "Ġn", "Ġno"]
VOCAB = {token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *TEXT])}


def write_vocabulary(folder: Path) -> None:
    (folder / "vocab.json").write_text(json.dumps(VOCAB), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def tokenizer(tmp_path: Path) -> OFATokenizer:
    write_vocabulary(tmp_path)
    return OFATokenizer.from_folder(tmp_path)


def ids(*tokens: str) -> list[int]:
    return [VOCAB[token] for token in tokens]


def test_words_behind_a_blank_are_tokens(tokenizer: OFATokenizer) -> None:
    assert tokenizer.encode(" yes no") == ids("Ġyes", "Ġno")
    assert tokenizer.encode("yes") == ids("y", "es")
    assert tokenizer.encode("") == []
    assert tokenizer.decode(ids("Ġyes", "Ġ", "es")) == " yes es"
    assert len(tokenizer) == len(VOCAB)


def test_special_tokens_in_a_text_are_text(tokenizer: OFATokenizer) -> None:
    assert tokenizer.encode(" </s>") == ids("Ġ", "<", "/", "s", ">")
    assert tokenizer.decode([0, *ids("Ġyes"), 2, 1, 999]) == " yes"


def test_unknown_bytes_are_marked(tokenizer: OFATokenizer) -> None:
    assert tokenizer.encode("aZb") == [*ids("a"), 3, *ids("b")]


def test_answers_to_score_in_one_step_are_single_tokens(tokenizer: OFATokenizer) -> None:
    assert tokenizer.single(" yes") == VOCAB["Ġyes"]
    with pytest.raises(OFAError, match="'yes' is not a single token"):
        tokenizer.single("yes")
    with pytest.raises(OFAError, match="'Z' is not a single token"):
        tokenizer.single("Z")


def test_a_vocabulary_larger_than_the_model_is_refused(tokenizer: OFATokenizer) -> None:
    tokenizer.check(SMALL)
    tokenizer.check(replace(SMALL, vocab_size=len(VOCAB)))
    with pytest.raises(OFAError, match="do not belong together"):
        tokenizer.check(replace(SMALL, vocab_size=len(VOCAB) - 1))


def test_fairseqs_files_give_the_same_ids_in_their_order(tmp_path: Path) -> None:
    write_vocabulary(tmp_path)
    plain = OFATokenizer.from_folder(tmp_path)
    folder = tmp_path / "fairseq"
    folder.mkdir()
    numbers = {token: 100 - number for number, token in enumerate(TEXT)}
    (folder / "encoder.json").write_text(json.dumps(numbers), encoding="utf-8")
    (folder / "vocab.bpe").write_bytes((tmp_path / "merges.txt").read_bytes())
    lines = [f"{numbers[token]} 7" for token in TEXT]
    (folder / "dict.txt").write_text("\n".join([*lines, "madeupword0000 0", ""]), encoding="utf-8")
    fairseq = OFATokenizer.from_folder(folder)
    for text in (" yes no", " </s>", "aZb", " a yes/no?"):
        assert fairseq.encode(text) == plain.encode(text)
    assert len(fairseq) == len(plain) + 2  # the filler and <mask>


def test_a_missing_or_foreign_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OFAError, match=r"put vocab.json and merges.txt there"):
        OFATokenizer.from_folder(tmp_path)
    write_vocabulary(tmp_path)
    (tmp_path / "merges.txt").write_text("one two three\n", encoding="utf-8")
    with pytest.raises(OFAError, match=r"merges.txt must have two tokens per line"):
        OFATokenizer.from_folder(tmp_path)
    (tmp_path / "merges.txt").write_text("q q\n", encoding="utf-8")
    with pytest.raises(OFAError, match="do not fit together"):
        OFATokenizer.from_folder(tmp_path)
    (tmp_path / "vocab.json").write_text(json.dumps({"<pad>": 0, "<s>": 1}), encoding="utf-8")
    with pytest.raises(OFAError, match=r"1 as the id of <s>; OFA has 0"):
        OFATokenizer.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Is there a dog?", "is there a dog?"),
        ("IS-it/ok", "is it ok?"),
        ("...What?", "what?"),
        ("  ...What?  ", "...what?"),
        ("Is it\training", "is it\training?"),
        ("Is it \t\n raining", "is it raining?"),
        ("Is it raining\n", "is it raining?"),
        ("- -", "?"),
        ("", "?"),
    ],
)
def test_questions_are_cleaned_in_the_published_order(raw: str, clean: str) -> None:
    assert clean_question(raw) == clean


def test_long_questions_are_cut() -> None:
    assert clean_question("a " * 100) == " ".join("a" * 80) + "?"
    assert clean_question("a b c d", max_words=3) == "a b c?"


def test_sources_and_prompts(tokenizer: OFATokenizer) -> None:
    plain = source(tokenizer, "Yes")
    assert plain == [0, *ids("Ġyes", "?"), 2]
    objects = "&&".join(["a"] * 40)
    assert source(tokenizer, "Yes", objects) == [
        *plain[:-1],
        *tokenizer.encode(" object: " + " ".join("a" * 30)),
        2,
    ]
    assert decoder_prompt(plain, "none") == [0]
    assert decoder_prompt(plain, "prev_output") == plain[:-1]
    with pytest.raises(OFAError, match="`prompt_type` is 'src'"):
        decoder_prompt(plain, "src")


def test_texts_are_padded_on_the_right() -> None:
    padded = pad([[0, 5, 2], [0, 2]])
    assert padded.dtype == torch.int64
    assert padded.tolist() == [[0, 5, 2], [0, 2, 1]]


def test_images_are_squeezed_by_pillow_and_scaled() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    pixels = prepare_image(image, 32)
    assert np.array_equal(pixels, np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC)))
    values = pixel_values(torch.from_numpy(pixels)[None])
    expected = (pixels.transpose(2, 0, 1).astype(np.float32) / 255 - 0.5) / 0.5
    assert values.dtype == torch.float32
    assert np.array_equal(values[0].numpy(), expected)
    assert prepare_image(image.convert("L"), 8).shape == (8, 8, 3)
