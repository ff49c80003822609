"""A zero-shot classifier is a linear classifier with the logits of the model it was made from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import tokenizers
import torch
import transformers
from PIL import Image

from synthsight.classifiers.classify import load_model
from synthsight.classifiers.heads import Source, linear_head, reading
from synthsight.classifiers.library import Architecture, ModelError, WeightsError
from synthsight.classifiers.repositories import read_repository
from synthsight.classifiers.resolve import resolve
from synthsight.classifiers.weights import fetch_weights
from synthsight.images.geometry import Geometry
from synthsight.inference.normalise import normalise
from synthsight.labels.matching import RULES, Target, accepted_classes
from synthsight.labels.prompts import (
    PromptError,
    digest_of_names,
    names_put,
    shared,
    templates_of,
)
from synthsight.labels.spaces import are_of_run, load_labels
from synthsight.plan.config.repositories import with_categories
from synthsight.plan.settings import ModelSettings, PredictionColumnSettings
from tests.support import assert_close

WORDS = (
    *("a", "photo", "of", "drawing", "cat", "dog", "hen", "cow", "pig", "fox", "owl", "."),
    *("[UNK]", "[PAD]", "[BOS]", "[EOS]"),
)
NAMES = ("cat", "dog", "hen", "cow", "pig fox", "owl")

VISION = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"intermediate_size": 64, "image_size": 32, "patch_size": 8},
}
TEXT = {
    **{"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"intermediate_size": 48, "vocab_size": len(WORDS), "max_position_embeddings": 16},
    **{"bos_token_id": 14, "eos_token_id": 15, "pad_token_id": 13},
}


def config_of(kind: str) -> Any:
    if kind == "siglip":
        text = {**TEXT, "hidden_size": 32, "projection_size": 32, "max_position_embeddings": 64}
        return transformers.SiglipConfig(text_config=text, vision_config=VISION)
    if kind == "align":
        text = {**TEXT, "pooler_fn": "cls", "type_vocab_size": 1}
        seeing = {
            **{"image_size": 32, "hidden_dim": 32, "width_coefficient": 0.1},
            **{"depth_coefficient": 0.1, "depth_divisor": 4, "num_block_repeats": [1] * 7},
        }
        seeing["num_hidden_layers"] = 7
        return transformers.AlignConfig(text_config=text, vision_config=seeing, projection_dim=32)
    if kind in ("altclip", "chinese_clip"):
        text = {**TEXT, "type_vocab_size": 1, "project_dim": 20, "projection_dim": 20}
        text["max_position_embeddings"] = 24
        wide = {"vision_config": {**VISION, "projection_dim": 20}, "projection_dim": 20}
        kinds = {
            "altclip": transformers.AltCLIPConfig,
            "chinese_clip": transformers.ChineseCLIPConfig,
        }
        return kinds[kind](text_config=text, **wide)
    ends = {"vision_config": {**VISION, "projection_dim": 20}, "projection_dim": 20}
    text = {**TEXT, "projection_dim": 20}
    config = transformers.MetaClip2Config if kind == "metaclip_2" else transformers.CLIPConfig
    return config(text_config=text, **ends)


def save(folder: Path, kind: str) -> Any:
    """Write a random encoder as a repository's folder, with a vocabulary of words."""
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(config_of(kind)).eval()
    if kind == "siglip":
        model.logit_scale.data.fill_(2.0)
        model.logit_bias.data.fill_(-3.0)
    if kind == "align":  # its convolutions begin so small that nothing is left of an image
        for parameter in model.vision_model.parameters():
            parameter.data *= 30 if parameter.ndim == 4 else 1
        model.temperature.data.fill_(0.05)
    model.save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    marks = [("[BOS]", vocabulary["[BOS]"]), ("[EOS]", vocabulary["[EOS]"])]
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=marks
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        **{"unk_token": "[UNK]", "pad_token": "[PAD]"},
        **{"bos_token": "[BOS]", "eos_token": "[EOS]", "model_max_length": 64},
        model_input_names=["input_ids"] if kind == "siglip" else ["input_ids", "attention_mask"],
    ).save_pretrained(folder)
    processor = "SiglipImageProcessor" if kind == "siglip" else "CLIPImageProcessor"
    size = {"height": 32, "width": 32} if kind == "siglip" else {"shortest_edge": 32}
    about = {"image_processor_type": processor, "size": size, "crop_size": 32}
    (folder / "preprocessor_config.json").write_text(json.dumps(about))
    return model


def asked(
    folder: Path, names: str = "simple", templates: Any = ("a photo of {}",), **more: Any
) -> Any:
    """What a configuration's zero-shot classifier resolves to."""
    labels = folder / "labels.txt"
    labels.write_text("\n".join(NAMES))
    put = names_put(load_labels(str(labels)), names)
    text = {"labels": str(labels), "names": names, "templates": templates_of(templates)}
    files = read_repository("x", str(folder)).as_dict()
    files["text"] = {**text, "digest": digest_of_names(put), "classes": len(NAMES)}
    keys = ("resize", "crop", "interpolation", "mean", "std")
    settings = {"model": "zeroshot/x", "labels": str(labels), "local": True, "arguments": {}}
    entry = {**dict.fromkeys(keys), **settings, "classes": 6, "files": files, **more}
    return resolve(entry, "model")


def fetch(folder: Path, resolved: Any) -> tuple[Any, dict[str, Any]]:
    """The classifier as it runs, and the note."""
    architecture = Architecture(**resolved["architecture"])
    weights = folder / "out.safetensors"
    note = fetch_weights("m", architecture, folder, weights, folder / "out.json")
    return load_model(architecture, weights, torch.device("cpu")), note


@pytest.mark.parametrize(
    "kind",
    [
        *("clip", "siglip"),
        *(
            pytest.param(kind, marks=pytest.mark.long)
            for kind in ("metaclip_2", "align", "altclip", "chinese_clip")
        ),
    ],
)
def test_the_logits_are_the_model_s_own_and_the_pipeline_s(kind: str, tmp_path: Path) -> None:
    model = save(tmp_path, kind)
    resolved = asked(tmp_path)
    network, note = fetch(tmp_path, resolved)
    assert not [name for name, _ in network.named_parameters() if "text" in name]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    rng = np.random.default_rng(0)
    pictures = [
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        for height, width in ((50, 37), (33, 64))
    ]
    geometry = Geometry.from_dict(resolved["geometry"])
    pixels = torch.from_numpy(np.stack([geometry.apply(each) for each in pictures]))
    padding = "max_length" if kind == "siglip" else True
    prompts = [f"a photo of {name}" for name in NAMES]
    tokens = tokenizer(
        prompts, padding=padding, max_length=64, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        ours = network(normalise(pixels, resolved["mean"], resolved["std"]))
        values = processor(pictures, return_tensors="pt")["pixel_values"]
        theirs = model(pixel_values=values, **tokens).logits_per_image
    assert theirs.std(1).min() > 1e-3
    assert torch.allclose(ours, theirs, atol=1e-5)
    pipe = transformers.pipeline(
        "zero-shot-image-classification",
        **{"model": model, "tokenizer": tokenizer, "image_processor": processor},
    )
    for picture, row in zip(pictures, ours, strict=True):
        answers = pipe(picture, candidate_labels=list(NAMES), hypothesis_template="a photo of {}")
        found = {answer["label"]: answer["score"] for answer in answers}
        wanted = row.sigmoid() if kind == "siglip" else row.softmax(0)
        assert [found[name] for name in NAMES] == pytest.approx(wanted.tolist(), abs=1e-5)
    assert (note["text"]["prompts"], note["text"]["cut_off"]) == (6, 0)


@pytest.mark.parametrize(
    "kind",
    [
        *("clip", "siglip"),
        *(
            pytest.param(kind, marks=pytest.mark.long)
            for kind in ("metaclip_2", "align", "altclip", "chinese_clip")
        ),
    ],
)
def test_features_are_the_model_s_normalised_embeddings_of_images(
    kind: str, tmp_path: Path
) -> None:
    model = save(tmp_path, kind)
    resolved = asked(tmp_path, features=True)
    assert resolved["layers"] == ["head"]
    network, _ = fetch(tmp_path, resolved)
    source = Source(tuple(resolved["layers"]), resolved["length"])
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    tokens = transformers.AutoTokenizer.from_pretrained(tmp_path)(["cat"], return_tensors="pt")
    with torch.inference_mode(), reading(network, source) as reader:
        features, logits = reader(images), network(images)
        theirs = model(pixel_values=images, **tokens)
    expected = torch.nn.functional.normalize(theirs.image_embeds, dim=1)
    assert_close(features, expected, share=1e-5)
    weight, bias = linear_head(network, source)
    assert_close(features @ weight.T + bias, logits, share=1e-5)


def test_several_templates_are_averaged_as_clip_s_authors_do(tmp_path: Path) -> None:
    model = save(tmp_path, "clip")
    both = ("a photo of {}", "a drawing of {} .")
    network, note = fetch(tmp_path, asked(tmp_path, templates=both))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    rows = []
    with torch.inference_mode():
        for name in NAMES:
            tokens = tokenizer([t.format(name) for t in both], padding=True, return_tensors="pt")
            seen = model.get_text_features(**tokens).pooler_output
            mean = torch.nn.functional.normalize(seen, dim=1).mean(0)
            rows.append(mean / mean.norm() * model.logit_scale.exp())
    assert torch.allclose(network.head.weight, torch.stack(rows), atol=1e-5)
    assert note["text"]["templates"] == tuple(sorted(both))
    turned = asked(tmp_path, templates=both[::-1])
    assert turned == asked(tmp_path, templates=both) != asked(tmp_path)


def test_a_vocabulary_that_ends_texts_otherwise_than_the_model_looks_for_is_refused(
    tmp_path: Path,
) -> None:
    """CLIP would read the embedding of another token of each text, without a word."""
    save(tmp_path, "clip")
    config = json.loads((tmp_path / "config.json").read_text())
    config["text_config"]["eos_token_id"] = 10
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="looks for the token 10 at the end of a text"):
        fetch(tmp_path, asked(tmp_path))


def test_names_that_change_while_a_run_goes_on_are_refused(tmp_path: Path) -> None:
    save(tmp_path, "clip")
    resolved = asked(tmp_path)
    (tmp_path / "labels.txt").write_text("\n".join(reversed(NAMES)))
    with pytest.raises(WeightsError, match="have changed since the run began"):
        fetch(tmp_path, resolved)


@pytest.mark.parametrize("lowers", [True, False])
def test_siglip_reads_lower_case_whoever_sees_to_it(lowers: bool, tmp_path: Path) -> None:
    """Its own tokenizer, of SentencePiece's vocabulary; SigLIP 2's leaves letters as they are."""
    model = save(tmp_path, "siglip")
    for each in (*tmp_path.glob("tokenizer*"), *tmp_path.glob("special_tokens*")):
        each.unlink()
    sentences = [f"A photo of {name}. a Photo of {name.upper()}" for name in NAMES]
    with (tmp_path / "spiece.model").open("wb") as vocabulary:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences * 20),
            **{"model_writer": vocabulary, "vocab_size": 40, "hard_vocab_limit": False},
            **{"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "minloglevel": 2},
        )
    transformers.SiglipTokenizer(
        vocab_file=str(tmp_path / "spiece.model"), do_lower_case=lowers
    ).save_pretrained(tmp_path)
    model.resize_token_embeddings(64)
    model.save_pretrained(tmp_path)
    one, note = fetch(tmp_path, asked(tmp_path, templates=["a photo of {}"]))
    assert note["text"]["lowercase"] is True
    other, _ = fetch(tmp_path, asked(tmp_path, templates=["A PHOTO of {}"]))
    assert torch.equal(one.head.weight, other.head.weight)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    prompts = [f"a photo of {name}" for name in NAMES]
    tokens = tokenizer(prompts, padding="max_length", max_length=64, return_tensors="pt")
    with torch.inference_mode():
        pixels = torch.rand(2, 3, 32, 32)
        theirs = model(pixel_values=pixels, **tokens).logits_per_image
        assert torch.allclose(one(pixels), theirs, atol=1e-5)


def test_prompts_that_are_cut_off_are_counted(tmp_path: Path) -> None:
    save(tmp_path, "clip")
    _, note = fetch(tmp_path, asked(tmp_path, templates=["{} " + "cat " * 30]))
    assert note["text"]["cut_off"] == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "siglip2"}, "NaFlex"),
        ({"model_type": "vit"}, "supported: align"),
        ({"architectures": ["CLIPVisionModel"]}, "not a CLIPModel"),
    ],
)
def test_what_is_no_encoder_of_images_and_texts_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    save(tmp_path, "clip")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(ModelError, match=message):
        asked(tmp_path)


# Names and templates -----------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["a photo", "{} {}", "{0}", "{} {x}"])
def test_a_template_has_one_place_for_the_name(template: str) -> None:
    with pytest.raises(PromptError, match="once, in the place of the name"):
        templates_of([template])


def test_which_names_of_imagenet_are_put() -> None:
    space = load_labels("imagenet-1k")
    kite = space.simple.index("kite")
    assert names_put(space, "simple")[kite] == ("kite",)
    assert names_put(space, "gloss")[kite][0].startswith("kite, any of several small graceful")
    assert len(names_put(space, "lemmas")[space.simple.index("teddy")]) > 1
    assert not shared(names_put(space, "simple"))
    assert "crane" in shared(names_put(space, "lemmas"))
    assert all(len(each) == 1 for each in names_put(space, "gloss"))


def test_glosses_need_synsets(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog")
    with pytest.raises(PromptError, match="have no synsets"):
        names_put(load_labels(str(tmp_path / "labels.txt")), "gloss")


# The run's categories ----------------------------------------------------------------------------

ENTRY = ModelSettings(
    **{"model": "zeroshot/x", "name": "x", "arguments": {}, "labels": "categories"},
    **dict.fromkeys(("resize", "crop", "interpolation", "mean", "std", "reference")),
    **{"names": None, "templates": None, "checkpoint": None},
    **{"predictions": None, "missing": "refuse", "features": False},
    columns=PredictionColumnSettings(*[None] * 6),
)


def test_the_categories_are_classes_that_every_rule_accepts_for_them_alone(tmp_path: Path) -> None:
    targets = [
        Target("toilet_seat"),
        Target("sunglass", classes=("n04356056",)),  # the class *sunglasses, dark glasses, shades*
        Target("kite"),
    ]
    problems: list[Any] = []
    notes: list[str] = []
    (model,) = with_categories([ENTRY], targets, tmp_path, problems, notes)
    assert are_of_run(model.labels) and not are_of_run("classes/mine.txt")
    assert not problems and "chooses among this run's 3 categories" in notes[0]
    space = load_labels(model.labels)
    assert space.simple == ("kite", "sunglass", "toilet seat")
    for place, name in enumerate(("kite", "sunglass", "toilet_seat")):
        target = next(each for each in targets if each.name == name)
        for rule in RULES:
            assert np.flatnonzero(accepted_classes(target, space, rule)).tolist() == [place], rule
    (again,) = with_categories([ENTRY], targets[::-1], tmp_path, [], [])
    assert again.labels == model.labels


def test_categories_that_cannot_be_classes_are_refused(tmp_path: Path) -> None:
    problems: list[Any] = []
    other = dataclasses.replace(ENTRY, model="timm/resnet50")
    with_categories([other], [Target("a"), Target("b")], tmp_path, problems, [])
    with_categories([ENTRY], [Target("a")], tmp_path, problems, [])
    with_categories([ENTRY], [], tmp_path, problems, [])
    said = [problem.message for problem in problems]
    assert "zeroshot/OWNER/NAME" in said[0]
    assert "found 1 categories; a choice needs two" in said[1]
    assert "not known before the images are unpacked" in said[2]
