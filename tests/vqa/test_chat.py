"""Models that converse: P(yes) is transformers' own, in any batch, whatever pads it."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from synthsight.inference.folders import WeightsError
from synthsight.vqa.ask import ask
from synthsight.vqa.families.base import Published, UnansweredError
from synthsight.vqa.families.chat import Chat, answer_tokens
from synthsight.vqa.families.prefix import KINDS, kept_once
from synthsight.vqa.families.registry import (
    CHAT,
    CONVERSING,
    FAMILIES,
    OTHERWISE,
    FamilyError,
    family_of,
)
from synthsight.vqa.shards import ShardRow
from tests.support import draw_image
from tests.vqa import chat_assets

QUESTIONS = (
    "Is it red?",
    "Is the dog tall?",
    "Is there a red, round dog on the table, and is what stands beside it a cat or a bird?",
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family's small model; each is made when it is first asked for."""
    base = tmp_path_factory.mktemp("chat")

    def folder(kind: str) -> Path:
        if not (base / kind).exists():
            chat_assets.save(base / kind, kind)
        return base / kind

    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of three sizes, one of them grey."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, size in enumerate(((90, 70), (70, 100), (90, 70), (50, 50))):
        draw_image(folder / f"{number}.png", number, size=size)
    Image.open(folder / "3.png").convert("L").save(folder / "3.png")
    return folder


def collect(source: Path, folder: Path, prompt: str | None = None) -> Chat:
    """A family's small model as it is asked."""
    folder.mkdir(exist_ok=True)
    found = Chat.collect(source, {"prompt": prompt}, Published(), folder)
    return Chat(folder, found.state, found.settings, torch.device("cpu"))


def rows() -> list[ShardRow]:
    return [
        ShardRow(number, f"{image}.png", question, "yes", None, None, None, "ok", None)
        for image in range(4)
        for number, question in enumerate(QUESTIONS, start=1)
    ]


def plain(folder: Path, kind: str, picture: Image.Image, question: str) -> tuple[float, float]:
    """The log-odds of yes and the mass, by transformers alone and one question at a time."""
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    processor.image_processor = transformers.AutoImageProcessor.from_pretrained(
        folder, backend="pil"
    )
    if kind == "paligemma":
        text = f"<image>answer en {question}"
    else:
        mark = chat_assets.MARKS[kind][0]
        text = f"<|user|>{mark}{question} Answer yes or no.<|end|><|assistant|>"
    inputs = dict(processor(text=[text], images=[[picture]], return_tensors="pt"))
    inputs.pop("labels", None)
    with torch.inference_mode():
        chances = model(**inputs).logits[0, -1].double().softmax(0)
    vocabulary = processor.tokenizer.get_vocab()
    yes, no = (
        sum(
            float(chances[number])
            for token, number in vocabulary.items()
            if processor.tokenizer.convert_tokens_to_string([token]).strip().lower() == word
        )
        for word in ("yes", "no")
    )
    return float(np.log(yes / no)), yes + no


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind == "llava" else pytest.param(kind, marks=pytest.mark.long)
        for kind in chat_assets.FAMILIES
    ],
)
def test_answers_are_transformers_own_in_any_order_and_batch(
    kind: str, folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    model = collect(folders(kind), tmp_path / "out")
    asked = rows()
    found = ask(model, asked, root, batch_size=5)
    assert found.reasons == [None] * len(asked)
    assert model.batched is True
    assert model.shared is (kind in KINDS)
    odds = np.log(found.p_yes / (1 - found.p_yes))
    assert odds.std() > 1e-3
    for index in (0, 2, 4, len(asked) - 1):
        picture = Image.open(root / asked[index].image).convert("RGB")
        margin, mass = plain(folders(kind), kind, picture, asked[index].question)
        assert odds[index] == pytest.approx(margin, abs=1e-5)
        assert found.mass[index] == pytest.approx(mass, abs=1e-5)
    for batch_size, order in ((1, 1), (16, -1)):
        again = ask(model, asked[::order], root, batch_size=batch_size)
        assert np.allclose(again.p_yes[::order], found.p_yes, atol=1e-5)
        assert np.allclose(again.mass[::order], found.mass, atol=1e-5)


def test_questions_of_two_lengths_are_never_put_at_once(
    folders: Callable[[str], Path], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers could depend on padding, as they do by up to 0.4 where it stands behind."""
    model = collect(folders("llava"), tmp_path / "out")
    model.shared = False
    passes = watched(model, monkeypatch)
    ask(model, rows(), root, batch_size=6)
    assert all(bool(each["attention_mask"].all()) for each in passes)
    shapes = [tuple(each["input_ids"].shape) for each in passes]
    assert sum(number for number, _ in shapes) == len(rows())
    assert len(shapes) < len(rows())
    assert len({length for _, length in shapes}) == len(QUESTIONS)


def watched(model: Chat, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the network is given from now on, pass by pass."""
    passes: list[dict[str, Any]] = []
    forward = model.model.forward

    def watch(**inputs: Any) -> Any:
        passes.append(dict(inputs))
        return forward(**inputs)

    monkeypatch.setattr(model.model, "forward", watch)
    return passes


def test_an_image_is_prepared_and_seen_once_for_all_its_questions(
    folders: Callable[[str], Path], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = collect(folders("llava"), tmp_path / "out")
    assert model.shared is True
    prepared = []
    images = model.processor.image_processor
    monkeypatch.setattr(
        images,
        "preprocess",
        kept_once(lambda *a, **k: prepared.append(a) or type(images).preprocess(images, *a, **k)),
    )
    passes = watched(model, monkeypatch)
    asked = rows()
    found = ask(model, asked, root, batch_size=16)
    assert len(prepared) == 4
    assert sum("pixel_values" in each for each in passes) == 4
    assert all(len(each["pixel_values"]) == 1 for each in passes if "pixel_values" in each)
    model.shared = False
    assert np.allclose(ask(model, asked, root, batch_size=16).p_yes, found.p_yes, atol=1e-5)


def test_an_image_behind_the_question_is_seen_with_each(
    folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    """What the texts begin with does not hold the image then."""
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    template = source / "chat_template.jinja"
    written = template.read_text()
    template.write_text(
        "{% for part in messages[0].content if part.type == 'text' %}{{ part.text }}{% endfor %}"
        "<image><|assistant|>"
    )
    assert template.read_text() != written
    model = collect(source, tmp_path / "out")
    found = ask(model, rows(), root, batch_size=16)
    assert np.allclose(ask(model, rows(), root, batch_size=1).p_yes, found.p_yes, atol=1e-5)


def test_a_model_that_mixes_up_the_images_of_a_batch_is_asked_one_by_one(
    folders: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = transformers.LlavaForConditionalGeneration.forward

    def mixed(self: Any, *args: Any, pixel_values: Any = None, **inputs: Any) -> Any:
        """Every question gets the first picture."""
        if pixel_values is not None:
            pixel_values = pixel_values[:1].expand_as(pixel_values)
        return seen(self, *args, pixel_values=pixel_values, **inputs)

    functools.update_wrapper(mixed, seen)
    monkeypatch.setattr(transformers.LlavaForConditionalGeneration, "forward", mixed)
    model = collect(folders("llava"), tmp_path / "out")
    assert model.batched is False
    assert model.shared is True


def test_a_model_runs_in_the_dtype_of_most_of_its_weights(
    folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    """A few weights in float32 do not double the memory of a model in half precision."""
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    state = load_file(source / "model.safetensors")
    mixed = {
        name: value if "norm" in name else value.to(torch.bfloat16) for name, value in state.items()
    }
    save_file(mixed, source / "model.safetensors", {"format": "pt"})
    model = collect(source, tmp_path / "out")
    assert model.model.dtype == torch.bfloat16
    assert np.isfinite(ask(model, rows(), root, batch_size=4).p_yes).all()


def test_the_prompt_is_the_user_s_with_the_question_in_it(
    folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    model = collect(folders("llava"), tmp_path / "out", "Say yes or no: {question}")
    assert " ".join(model.read("Is it red?", None)) == "Say yes or no: Is it red?"
    for wrong in ("Answer yes or no.", "{question} {question}"):
        with pytest.raises(WeightsError, match=r"write \{question\} once"):
            collect(folders("llava"), tmp_path / "other", wrong)


def test_a_question_longer_than_the_context_is_left_out_with_its_image_s_tokens(
    folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    model = collect(folders("llava"), tmp_path / "out")
    asked = rows()[:3]
    inputs = model._inputs(Image.open(root / "0.png"), " ".join(model.read(QUESTIONS[2], None)))
    tokens = inputs["input_ids"].shape[1]
    for limit, reason in (
        (tokens, None),
        (tokens - 1, f"image and question have {tokens} tokens, the model takes {tokens - 1}"),
    ):
        model.limit = limit
        found = ask(model, asked, root, batch_size=3)
        assert found.reasons == [None, None, reason]
        assert np.isnan(found.p_yes[2]) == (reason is not None)
        assert np.isfinite(found.p_yes[:2]).all()


def test_a_template_that_knows_of_thinking_is_told_not_to(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    template = source / "chat_template.jinja"
    written = template.read_text()
    template.write_text(
        written + "{% if enable_thinking is defined and not enable_thinking %}no{% endif %}"
    )
    model = collect(source, tmp_path / "out")
    ids = model._inputs(Image.new("RGB", (40, 40)), "yes")["input_ids"][0]
    assert model.processor.tokenizer.decode(ids).endswith("<|assistant|>no")


def test_words_count_in_all_their_spellings_and_must_be_tokens(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    processor = transformers.AutoProcessor.from_pretrained(folders("llava"))
    found = answer_tokens(processor, tmp_path)
    assert {"yes", "\u0120yes", "\u0120Yes", "\u0120YES"} <= set(found["yes"])
    vocabulary = processor.tokenizer.get_vocab()
    assert set(found["no"]) <= vocabulary.keys()

    class Without:
        def get_vocab(self) -> dict[str, int]:
            return {"yes": 0, "n": 1, "o": 2}

    processor.tokenizer = Without()  # type: ignore[assignment]
    with pytest.raises(WeightsError, match="'no' is not a single token"):
        answer_tokens(processor, tmp_path)


def test_a_model_without_a_template_is_refused(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    (source / "chat_template.jinja").unlink()
    with pytest.raises(WeightsError, match="has no chat template"):
        collect(source, tmp_path / "out")


def test_weights_in_half_precision_run_in_it(
    folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    model = transformers.AutoModelForImageTextToText.from_pretrained(source)
    model.to(torch.bfloat16).save_pretrained(source)
    half = collect(source, tmp_path / "out")
    assert half.model.dtype == torch.bfloat16
    full = collect(folders("llava"), tmp_path / "full")
    found, expected = (ask(each, rows(), root, batch_size=4).p_yes for each in (half, full))
    assert np.abs(found - expected).max() < 0.1


def test_an_image_that_the_processor_cannot_take_has_a_reason(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    model = collect(folders("llava"), tmp_path / "out")

    def refuse(*_: Any, **__: Any) -> Any:
        raise ValueError("absolute aspect ratio must be smaller than 200")

    model.processor.apply_chat_template = refuse
    with pytest.raises(UnansweredError, match=r"no image of 2 x 900 pixels .*aspect ratio"):
        model.margins([Image.new("RGB", (2, 900))], [0], [["Is"]])


def test_the_kinds_are_those_that_transformers_has(tmp_path: Path) -> None:
    kinds = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.keys() - FAMILIES.keys()
    assert sorted((*CONVERSING, *OTHERWISE)) == sorted(kinds)
    config = tmp_path / "config.json"
    for kind, family in (("qwen3_vl", CHAT), ("blip", "blip")):
        config.write_text(json.dumps({"model_type": kind}))
        assert family_of(tmp_path) == family
    for kind in ("qwen3_vv", "chat"):
        config.write_text(json.dumps({"model_type": kind}))
        with pytest.raises(FamilyError, match="supported: ofa, vilt, blip and those"):
            family_of(tmp_path)
    config.write_text(json.dumps({"model_type": "florence2", "is_encoder_decoder": True}))
    with pytest.raises(WeightsError, match="does not continue a conversation"):
        Chat.collect(tmp_path, {"prompt": None}, Published(), tmp_path)


# What would make answers other ones --------------------------------------------------------------


def test_a_template_in_the_tokenizer_s_file_is_used(
    folders: Callable[[str], Path], root: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    about = json.loads((source / "tokenizer_config.json").read_text())
    about["chat_template"] = (source / "chat_template.jinja").read_text()
    (source / "chat_template.jinja").unlink()
    (source / "tokenizer_config.json").write_text(json.dumps(about))
    found, expected = (
        ask(collect(each, tmp_path / name), rows(), root, batch_size=4).p_yes
        for each, name in ((source, "moved"), (folders("llava"), "whole"))
    )
    assert np.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["llava", "paligemma"])
def test_a_question_with_a_mark_of_the_model_is_left_out_with_that_reason(
    kind: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    model = collect(folders(kind), tmp_path / "out")
    for question, mark in (("Is the word <image> in it?", "<image>"), ("Is </s> red?", "</s>")):
        with pytest.raises(UnansweredError, match=f"the question holds '{mark}'"):
            model.read(question, None)
    assert model.read("Is 3 < 4 > 2?", None)


def test_the_day_changes_no_answer(folders: Callable[[str], Path], tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    template = source / "chat_template.jinja"
    template.write_text("{{ strftime_now('%d %B %Y') }}" + template.read_text())
    model = collect(source, tmp_path / "out")
    ids = model._inputs(Image.new("RGB", (40, 40)), "yes")["input_ids"][0]
    assert "01 January 2026" in model.processor.tokenizer.decode(ids)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("{{ messages[0]['content'] + 1 }}", "cannot be asked about an image"),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_when_it_is_fetched(
    change: str, said: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    (source / "chat_template.jinja").write_text(change)
    with pytest.raises(WeightsError, match=said):
        collect(source, tmp_path / "out")


def test_a_tokenizer_that_ends_every_text_is_refused(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folders("llava"), source)
    about = json.loads((source / "tokenizer.json").read_text())
    ids = {each["content"]: each["id"] for each in about["added_tokens"]}
    about["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"</s>": {"id": "</s>", "ids": [ids["</s>"]], "tokens": ["</s>"]}},
    }
    (source / "tokenizer.json").write_text(json.dumps(about))
    with pytest.raises(WeightsError, match="its tokenizer ends every text"):
        collect(source, tmp_path / "out")
