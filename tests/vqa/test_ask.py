"""VQA models behind one interface, and the loop that asks them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from synthsight.images.reading import open_rgb
from synthsight.vqa import ask as ask_module
from synthsight.vqa.answers import write_answers
from synthsight.vqa.ask import NonFiniteAnswersError
from synthsight.vqa.families.base import VqaModel, load_vqa
from synthsight.vqa.fetch import fetch_vqa
from synthsight.vqa.shards import ShardRow, write_shard
from tests import vqa_assets
from tests.support import assert_close, draw_image, log_odds, run_program

QUESTIONS = ("Is it red?", "Is the dog tall?", "Is there a red, round dog?")

SAVE: dict[str, Callable[[Path], None]] = {
    "ofa": vqa_assets.save_ofa,
    "vilt": vqa_assets.save_vilt,
    "blip": vqa_assets.save_blip,
}

SETTINGS = {
    **dict.fromkeys(("model", "tokenizer", "image_size", "prompt", "interpolate_position")),
    "reference": None,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each family as the hub has it, and as it is after fetching."""
    base = tmp_path_factory.mktemp("models")
    found = {}
    for family, save in SAVE.items():
        save(base / family)
        settings = {**SETTINGS, "name": family, "checkpoint": str(base / family)}
        out = base / f"{family}.fetched"
        fetch_vqa(settings, f"{out}.safetensors", f"{out}.json", out)
        found[family] = out
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(6):  # upright and lying, of two sizes
        draw_image(folder / f"{number}.png", number, size=(90, 70) if number % 2 else (70, 100))
    return folder


def ask(*arguments: Any, **settings: Any) -> npt.NDArray[np.float64]:
    """P(yes) of questions that can all be answered."""
    answers = ask_module.ask(*arguments, **settings)
    assert answers.reasons == [None] * len(answers.p_yes)
    return answers.p_yes


def load(folder: Path) -> VqaModel[Any, Any, Any]:
    note = json.loads(Path(f"{folder}.json").read_text())
    state = load_file(f"{folder}.safetensors")
    return load_vqa(note["family"], folder, state, note["settings"], torch.device("cpu"))


def rows_about(images: int) -> list[ShardRow]:
    return [
        ShardRow(number, f"{image}.png", question, "yes", None, None, None, "ok", None)
        for image in range(images)
        for number, question in enumerate(QUESTIONS, start=1)
    ]


def plain_ofa(folder: Path, image: Any, question: str, prompt: str = "question") -> float:
    """The decoder's two logits by the model's plain forward pass."""
    from synthsight.vqa.ofa.checkpoint import load_checkpoint
    from synthsight.vqa.ofa.model import build
    from synthsight.vqa.ofa.processing import pixel_values, prepare_image, source
    from synthsight.vqa.ofa.tokenizer import OFATokenizer

    config, state = load_checkpoint(folder)
    tokenizer = OFATokenizer.from_folder(folder)
    ids = torch.tensor([source(tokenizer, question)])
    pixels = pixel_values(torch.from_numpy(prepare_image(image, 64))[None])
    begin = ids[:, :-1] if prompt == "question" else ids[:, :1]
    logits = build(config, state)(pixels, ids, begin)[0, -1]
    return float(logits[tokenizer.single(" yes")] - logits[tokenizer.single(" no")])


def plain_vilt(folder: Path, image: Any, question: str) -> float:
    import transformers

    model = transformers.ViltForQuestionAnswering.from_pretrained(folder).eval()
    processor = transformers.ViltImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    logits = model(
        **processor(image, return_tensors="pt"), **tokenizer(question, return_tensors="pt")
    ).logits[0]
    return float(logits[3] - logits[1])


def plain_blip(folder: Path, image: Any, question: str) -> float:
    """The scores of the first token that the model's own generate would choose from."""
    import transformers

    model = transformers.BlipForQuestionAnswering.from_pretrained(folder).eval()
    processor = transformers.BlipImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(question, return_tensors="pt")
    generated = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        pixel_values=processor(image, return_tensors="pt")["pixel_values"],
        output_logits=True,
        return_dict_in_generate=True,
        max_new_tokens=1,
    )
    logits = generated.logits[0][0]
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    return float(logits[yes] - logits[no])


PLAIN = {"ofa": plain_ofa, "vilt": plain_vilt, "blip": plain_blip}


@pytest.mark.long
@pytest.mark.parametrize("family", SAVE)
def test_p_yes_is_that_of_the_models_own_forward_pass(
    family: str, folders: dict[str, Path], root: Path
) -> None:
    rows = rows_about(3)
    p_yes = ask(load(folders[family]), rows, root, batch_size=4)
    original = folders[family].with_suffix("")
    with torch.no_grad():
        margins = [PLAIN[family](original, open_rgb(root, row.image), row.question) for row in rows]
    assert_close(log_odds(p_yes), margins)
    assert len(np.unique(p_yes.round(4))) == len(rows), "answers that do not differ show nothing"


@pytest.mark.parametrize("family", SAVE)
def test_batches_windows_and_order_change_nothing(
    family: str, folders: dict[str, Path], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = load(folders[family]), rows_about(6)
    alone = np.concatenate([ask(model, [row], root, batch_size=1) for row in rows])
    assert_close(log_odds(ask(model, rows, root, batch_size=32)), log_odds(alone))
    monkeypatch.setattr(VqaModel, "window", 2)
    shuffled = [rows[index] for index in np.random.default_rng(0).permutation(len(rows))]
    found = dict(zip(map(id, shuffled), ask(model, shuffled, root, batch_size=3), strict=True))
    assert_close(log_odds([found[id(row)] for row in rows]), log_odds(alone))


@pytest.mark.parametrize("family", SAVE)
def test_asking_twice_gives_the_same_bits(
    family: str, folders: dict[str, Path], root: Path
) -> None:
    model, rows = load(folders[family]), rows_about(4)
    assert ask(model, rows, root, 8).tobytes() == ask(model, rows, root, 8).tobytes()


def test_vilt_answers_the_same_whatever_was_drawn_at_random_before(
    folders: dict[str, Path], root: Path
) -> None:
    """It takes an image's patches in a random order, in which sums round differently."""
    model, rows = load(folders["vilt"]), rows_about(4)
    found = set()
    for seed in range(4):
        torch.manual_seed(seed)
        found.add(ask(model, rows, root, 8).tobytes())
        assert torch.initial_seed() == seed, "nor does it change what is drawn after it"
    assert len(found) == 1


@pytest.mark.long
def test_a_pretrained_ofa_is_asked_without_the_question_as_prompt(
    tmp_path: Path, folders: dict[str, Path], root: Path
) -> None:
    original = folders["ofa"].with_suffix("")
    settings = {**SETTINGS, "name": "m", "checkpoint": str(original), "prompt": "none"}
    fetch_vqa(settings, tmp_path / "m.safetensors", tmp_path / "m.json", tmp_path / "m")
    row = rows_about(1)[0]
    p_yes = ask(load(tmp_path / "m"), [row], root, batch_size=1)
    image = open_rgb(root, row.image)
    with torch.no_grad():
        none, question = (plain_ofa(original, image, row.question, p) for p in ("none", "question"))
    np.testing.assert_allclose(p_yes, [1 / (1 + np.exp(-none))], rtol=0, atol=1e-5)
    assert abs(none - question) > 1e-3, "prompts that make no difference show nothing"


def test_an_image_is_encoded_once_for_all_its_questions(
    folders: dict[str, Path], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(folders["ofa"])
    seen = []
    see = model.see
    monkeypatch.setattr(model, "see", lambda pixels: seen.append(len(pixels)) or see(pixels))
    ask(model, rows_about(5), root, batch_size=2)
    assert sum(seen) == 5


def test_running_out_of_memory_halves_the_batch(
    folders: dict[str, Path],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, rows = load(folders["ofa"]), rows_about(4)
    expected = ask(model, rows, root, batch_size=8)
    margins = model.margins
    sizes = []

    def scarce(features: Any, images: Any, texts: Any) -> Any:
        if len(texts) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(texts))
        return margins(features, images, texts)

    monkeypatch.setattr(model, "margins", scarce)
    assert_close(log_odds(ask(model, rows, root, batch_size=8)), log_odds(expected))
    assert sizes == [2] * 6
    assert "out of memory: continuing with batches of 2" in capsys.readouterr().err


def test_answers_that_are_no_numbers_are_an_error(
    folders: dict[str, Path], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(folders["ofa"])
    monkeypatch.setattr(model, "margins", lambda f, i, texts: torch.full((len(texts),), torch.nan))
    with pytest.raises(NonFiniteAnswersError, match="3 of 3 questions"):
        ask(model, rows_about(1), root, batch_size=8)


def test_progress_is_printed(
    folders: dict[str, Path],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(VqaModel, "window", 4)
    ask(load(folders["ofa"]), rows_about(6), root, batch_size=8)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" questions")[0] for line in lines] == ["12 of 18", "18 of 18"]


def test_nothing_to_ask_gives_an_empty_file(folders: dict[str, Path], tmp_path: Path) -> None:
    answers = ask_module.ask(load(folders["ofa"]), [], tmp_path, batch_size=8)
    write_answers(tmp_path / "1.parquet", [], answers, "{}")
    table = pq.read_table(tmp_path / "1.parquet")
    assert table.num_rows == 0
    assert table.column_names == ["image", "question", "p_yes", "mass", "reason"]


def test_objects_are_told_to_ofa(folders: dict[str, Path], root: Path) -> None:
    from dataclasses import replace

    model, row = load(folders["ofa"]), rows_about(1)[0]
    told = replace(row, objects="dog&&tree")
    plain, with_objects = ask(model, [row], root, 1), ask(model, [told], root, 1)
    assert plain[0] != with_objects[0]


# --- What a model cannot take -----------------------------------------------------------------

#: A question too long for each of the small models, and what is said of it.
TOO_LONG = {
    "ofa": ("Is " + "it tall, " * 15 + "or red?", "tokens, the model takes 128"),
    "vilt": ("is " + "the red dog " * 13 + "?", "the question has 43 tokens, the model takes 40"),
    "blip": ("is " + "the red dog " * 13 + "?", "the question has 43 tokens, the model takes 40"),
}


def row_of(image: str, question: str, objects: str | None = None) -> ShardRow:
    return ShardRow(1, image, question, "yes", None, objects, None, "ok", None)


@pytest.mark.parametrize("family", SAVE)
def test_a_question_longer_than_the_model_stays_unanswered_and_the_others_do_not(
    family: str, folders: dict[str, Path], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question, reason = TOO_LONG[family]
    model, others = load(folders[family]), rows_about(2)
    rows = [*others[:4], row_of("1.png", question), *others[4:]]
    answers = ask_module.ask(model, rows, root, batch_size=4)
    assert [reason in str(found) for found in answers.reasons] == [False] * 4 + [True] + [False] * 2
    assert np.isnan(answers.p_yes[4])
    expected = ask(model, others, root, batch_size=4)
    assert_close(log_odds(np.delete(answers.p_yes, 4)), log_odds(expected))
    said = capsys.readouterr().out
    assert "WARNING: 1 of 7 questions stay unanswered, the first about" in said


@pytest.mark.parametrize("family", ["vilt", "blip"])
def test_a_question_as_long_as_the_model_takes_is_answered_whole(
    family: str, folders: dict[str, Path], root: Path
) -> None:
    """Two that differ in their last word get different answers."""
    start = "is " + "the red dog " * 12
    rows = [row_of("0.png", f"{start}{end}") for end in ("tall", "round")]
    p_yes = ask(load(folders[family]), rows, root, batch_size=2)
    assert p_yes[0] != p_yes[1]


def test_ofa_is_asked_no_question_of_more_words_than_it_was_trained_with(
    folders: dict[str, Path], root: Path
) -> None:
    from synthsight.vqa.families.base import UnansweredError

    model = load(folders["ofa"])
    assert model.read("a " * 50, None)
    with pytest.raises(UnansweredError, match="has 81 words, the model was trained with up to 80"):
        model.read("a " * 81, None)
    with pytest.raises(UnansweredError, match="the question and objects has"):
        model.read("Is it?", "&&".join(["elephant"] * 30))


def test_ofa_is_named_no_more_objects_than_it_was_trained_with(folders: dict[str, Path]) -> None:
    from synthsight.vqa.families.base import UnansweredError

    model = load(folders["ofa"])
    assert model.read("Is it?", "&&".join("a" * 30)) != model.read("Is it?", "&&".join("a" * 29))
    with pytest.raises(UnansweredError, match=r"31 objects are named, .* with up to 30"):
        model.read("Is it?", "&&".join("a" * 31))


def test_a_strip_that_vilt_cannot_see_stays_unanswered_and_the_shard_is_not_lost(
    folders: dict[str, Path], root: Path, tmp_path: Path
) -> None:
    draw_image(tmp_path / "strip.png", 1, size=(200, 3))
    draw_image(tmp_path / "tall.png", 1, size=(3, 200))
    draw_image(tmp_path / "plain.png", 2, size=(70, 90))
    images = ("plain.png", "strip.png", "tall.png")
    rows = [row_of(image, question) for image in images for question in QUESTIONS]
    answers = ask_module.ask(load(folders["vilt"]), rows, tmp_path, batch_size=4)
    assert np.isfinite(answers.p_yes).tolist() == [True] * 3 + [False] * 6
    assert "no image of 200 x 3 pixels" in str(answers.reasons[3])
    assert "no image of 3 x 200 pixels" in str(answers.reasons[8])
    for family in ("ofa", "blip"):
        assert np.isfinite(ask(load(folders[family]), rows, tmp_path, batch_size=4)).all()
    write_answers(tmp_path / "1.parquet", rows, answers, "{}")
    table = pq.read_table(tmp_path / "1.parquet")
    assert table["p_yes"].null_count == 6
    assert table["reason"].to_pylist() == answers.reasons


def test_nothing_but_unanswered_questions_is_no_error(folders: dict[str, Path], root: Path) -> None:
    rows = [row_of("0.png", TOO_LONG["vilt"][0])]
    assert np.isnan(ask_module.ask(load(folders["vilt"]), rows, root, 4).p_yes).all()


def swap_letters(folder: Path) -> None:
    path = folder / "vocab.json"
    vocabulary = json.loads(path.read_text())
    letters = [name for name in vocabulary if len(name) == 1 and name.isalpha()]
    ids = [vocabulary[name] for name in letters]
    vocabulary.update(zip(letters, ids[1:] + ids[:1], strict=True))
    path.write_text(json.dumps(vocabulary))


#: What may have happened to a fetched model's folder, and what is said of it; nothing of the last.
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "exchanged": (swap_letters, "vocab.json is not the file that"),
    "missing": (lambda folder: (folder / "merges.txt").unlink(), "lacks merges.txt, which"),
    "additional": (
        lambda folder: (folder / "added_tokens.json").write_text('{"red": 3}'),
        "added_tokens.json was put there later",
    ),
    "what systems leave": (lambda folder: (folder / ".DS_Store").write_bytes(b"x"), ""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_whose_files_are_not_those_that_were_fetched_is_not_asked(
    folders: dict[str, Path], root: Path, tmp_path: Path, change: str
) -> None:
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(f"{folders['ofa']}{suffix}", tmp_path / f"ofa{suffix}")
    shutil.copytree(folders["ofa"], tmp_path / "ofa")
    spoil, message = CHANGES[change]
    spoil(tmp_path / "ofa")
    write_shard(tmp_path / "shard.parquet", rows_about(1))
    done = run_program(
        "ask",
        *("--spec", json.dumps({"model": "ofa", "root": str(root), "precision": "fp32"})),
        *("--shard", tmp_path / "shard.parquet", "--output", tmp_path / "answers.parquet"),
        *("--weights", tmp_path / "ofa.safetensors", "--note", tmp_path / "ofa.json"),
        *("--folder", tmp_path / "ofa", "--batch-size", "4"),
    )
    assert (done.returncode != 0) == bool(message), done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "answers.parquet").exists() != bool(message)


@pytest.mark.parametrize("family", SAVE)
def test_blind_answers_are_those_to_grey_pictures_of_the_images_sizes(
    family: str, folders: dict[str, Path], root: Path, tmp_path: Path
) -> None:
    model = load(folders[family])
    for number in range(6):
        with Image.open(root / f"{number}.png") as picture:
            Image.new("RGB", picture.size, "#808080").save(tmp_path / f"{number}.png")
    expected = ask(model, rows_about(6), tmp_path, 4)
    blind = ask(model, rows_about(6), root, 4, blind=True)
    assert np.allclose(blind, expected, atol=1e-6)
    assert not np.allclose(blind, ask(model, rows_about(6), root, 4), atol=1e-4)


def test_blind_questions_are_put_without_the_objects_that_were_seen(
    folders: dict[str, Path], root: Path
) -> None:
    from dataclasses import replace

    model, row = load(folders["ofa"]), rows_about(1)[0]
    told = replace(row, objects="dog&&tree")
    assert ask(model, [told], root, 1, blind=True) == ask(model, [row], root, 1, blind=True)
