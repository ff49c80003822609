"""The questions in the configuration: what they become, and every mistake with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from synthsight.images.rows import read_kept_rows
from synthsight.plan import asking, specs
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from synthsight.vqa.questions import GROUPS
from tests.plan.test_config import error, errors, images, load, write

QUESTIONS = "image,question,answer\npizza/a.png,Is it hot?,yes\nrabbit/a.JPG,Is it?,no\n"
VQA = "vqa:\n  questions: q.csv\n  models:\n    - OFA-Sys/ofa-base\n"

pytestmark = pytest.mark.usefixtures("workplace", "answered")


@pytest.fixture(name="workplace")
def workplace_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "rabbit/a.JPG")
    Path("resources").mkdir()
    Path("resources/categories.yaml").write_text("{}\n")
    for name in ("q.csv", "told.csv"):
        Path(name).write_text(QUESTIONS)
    for name, kind in (("local", '{"model_type": "ofa"}'), ("bert", '{"model_type": "bert"}')):
        Path(name).mkdir()
        Path(name, "config.json").write_text(kind)
    Path("broken").mkdir()
    Path("broken/config.json").write_text("{")
    Path("page").mkdir()
    Path("page/config.json").write_text("<!DOCTYPE html><html>")
    Path("vqa_base_best.pt").write_bytes(b"")


@pytest.fixture(name="answered")
def answered_(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthsight.plan.config import models as models_module
    from tests.plan.test_config import RESOLVED

    monkeypatch.setattr(
        models_module, "resolve_cached", lambda asked, *_: [{"model": RESOLVED} for _ in asked]
    )


def models(*entries: str) -> str:
    return "vqa:\n  questions: q.csv\n  models:\n" + "".join(f"    - {e}\n" for e in entries)


def test_without_questions_there_are_none() -> None:
    assert load(write()).vqa is None
    assert load(write(vqa="vqa: null")).vqa is None


def test_questions_become_shards_and_models_have_names() -> None:
    found = load(
        write(
            vqa=models(
                "OFA-Sys/ofa-huge-vqa",
                "dandelin/vilt-b32-finetuned-vqa@abc123",
                "{checkpoint: local, prompt: none}",
                "{checkpoint: vqa_base_best.pt, tokenizer: local}",
                "{model: Salesforce/blip-vqa-base, name: blip}",
            )
        )
    )
    assert found.vqa is not None
    names = ["ofa-huge-vqa", "vilt-b32-finetuned-vqa", "local", "vqa_base_best", "blip"]
    assert list(found.vqa.models) == names
    assert found.vqa.models["local"].prompt == "none"
    assert found.vqa.root == "images"
    assert found.vqa.images == 2
    assert set(found.vqa.shards) <= {"1", "2", "3", "4"}
    assert found.warnings == ()


def test_files_that_snakemake_would_look_for_elsewhere_are_refused() -> None:
    Path("local").rename("local <temp>")
    (found,) = errors_of(write(vqa=models("{checkpoint: local <temp>, name: a}")))
    assert "'local <temp>/config.json': '<temp>' in it means a folder" in found


def test_questions_that_are_left_out_are_announced_or_refused() -> None:
    Path("q.csv").write_text(QUESTIONS + "pizza/b.png,Is it?,yes\npizza/a.png,,no\n")
    found = load(write(vqa=VQA))
    assert found.warnings == (
        "q.csv: 2 of 4 questions are left out; tables/excluded_questions.csv will say which and "
        "why",
    )
    path = write(vqa=VQA + "  invalid: refuse")
    lines = errors_of(path)
    assert lines[0].startswith("config.yaml, line 6, vqa.questions: 2 questions of q.csv cannot be")
    assert lines[1].strip() == "line 4: no such image below images; close: pizza/a.png"
    assert lines[2].strip() == "line 5: an empty question"


def test_at_most_twenty_questions_are_spelled_out() -> None:
    Path("q.csv").write_text(QUESTIONS + "pizza/b.png,Is it?,yes\n" * 30)
    lines = errors_of(write(vqa=VQA + "  invalid: refuse"))
    assert len(lines) == 22
    assert lines[-1].strip() == "... and 10 more"


def errors_of(path: Path) -> list[str]:
    """The lines of the one error, which tells of several questions."""
    with pytest.raises(ConfigError, match="has an error") as caught:
        load(path)
    return [line.removeprefix("  ") for line in str(caught.value).splitlines()[1:]]


def test_nothing_to_ask_is_an_error() -> None:
    Path("q.csv").write_text("image,question,answer\npizza/b.png,Is it?,yes\n")
    assert "no question can be asked: 1 questions of q.csv" in errors_of(write(vqa=VQA))[0]


@pytest.mark.parametrize(
    ("vqa", "expected"),
    [
        ("vqa: {questions: q.csv}", "config.yaml, line 5, vqa.models: missing. The VQA models"),
        ("vqa: {models: [a/b]}", "vqa.questions: missing. The file of questions"),
        (models("ofa-base"), 'line 8, vqa.models[0]: found "ofa-base". OWNER/NAME of a'),
        (models("{model: ofa-base}"), 'vqa.models[0].model: found "ofa-base". OWNER/NAME of a'),
        (models("{name: x}"), "line 8, vqa.models[0]: give one of `model` (OWNER/NAME on the hub)"),
        (models("{model: a/b, checkpoint: local}"), "found `model` and `checkpoint`"),
        (
            models("{model: a/b, missing: refuse}"),
            "vqa.models[0].missing: does not go with `model`",
        ),
        (
            models("{answers: told.csv, prompt: none, name: x}"),
            "vqa.models[0].prompt: does not go with `answers`",
        ),
        (models("{answers: told.csv}"), "vqa.models[0].name: missing. Answers are called by"),
        (models("{answers: a.csv, name: x}"), "vqa.models[0].answers: no file 'a.csv'"),
        (
            models("{answers: ./q.csv, name: x}"),
            "vqa.models[0].answers: './q.csv' is the file of the questions, whose answers are the",
        ),
        (
            models("{endpoint: {url: 'localhost:8000', model: m}}"),
            "vqa.models[0].endpoint.url: found 'localhost:8000'; write an address such as",
        ),
        (
            models("{endpoint: {url: 'http://me:secret@host/v1', model: m}}"),
            "vqa.models[0].endpoint.url: an address with a name or a password in it",
        ),
        (
            models("{endpoint: {url: 'http://localhost/v1?key=secret', model: m}}"),
            "vqa.models[0].endpoint.url: an address with `?` or `#` in it",
        ),
        (
            models("{endpoint: {url: 'http://localhost/v1/chat/completions', model: m}}"),
            "write it without /chat/completions, which is added",
        ),
        (
            models("{endpoint: {url: 'http://localhost:port/v1', model: m}}"),
            "vqa.models[0].endpoint.url: this is no address: ",
        ),
        (
            models("{endpoint: {url: 'https://api.example.org/v1', model: m}}"),
            "vqa.models[0].endpoint.allow_upload: the pictures would leave this machine for "
            "api.example.org. Where that is permitted, write `allow_upload: true`",
        ),
        (
            models("{endpoint: {url: 'http://localhost/v1', model: m, key_env: sk-1}}"),
            "vqa.models[0].endpoint.key_env",
        ),
        (
            models("{endpoint: {url: 'http://localhost/v1', model: m}, prompt: question}"),
            "vqa.models[0].prompt: found 'question': write a text with {question} in it once",
        ),
        (models("{checkpoint: nowhere}"), "models[0].checkpoint: no file or folder 'nowhere'"),
        (models("{checkpoint: images}"), "models[0].checkpoint: no config.json in images"),
        (models("{checkpoint: broken}"), "broken/config.json is not a JSON mapping"),
        (models("{checkpoint: bert}"), "has the model_type 'bert'; supported: ofa, vilt, blip"),
        (models("{checkpoint: local, tokenizer: nix}"), "models[0].tokenizer: no folder 'nix'"),
        (models("{checkpoint: local, image_size: 100}"), "image_size: found 100"),
        (
            models("{checkpoint: local, prompt: maybe}"),
            "question or none (OFA), or a text with {question}",
        ),
        (models("a/x", "b/x"), "vqa.models[1]: the name 'x' is also that of vqa.models[0]"),
        (models("a/alexnet.IMAGENET1K_V1"), "is also that of models[0]"),
        (models("{checkpoint: local, name: a/b}"), "the name 'a/b' cannot be used"),
        (VQA + "  root: nowhere", "line 9, vqa.root: no folder 'nowhere'"),
        (
            VQA + "  root: Images",
            "no folder 'Images'; did you mean 'images', which differs in case",
        ),
        (VQA.replace("q.csv", "Q.csv"), "Q.csv cannot be read: No such file or directory; did you"),
        (VQA.replace("q.csv", "~/q.csv"), "`~` is not expanded here: write '"),
        (VQA.replace("q.csv", "https://example.org/q.csv"), "it is a URL: download it by hand"),
        (models("{checkpoint: https://example.org/m}"), "it is a URL: download it by hand"),
        (models("hf-hub:OFA-Sys/ofa-base"), "write OWNER/NAME of the hub's repository alone"),
        (models("{checkpoint: page}"), "page/config.json is not a JSON mapping: it is a web page"),
        (VQA.replace("q.csv", "x.csv"), "vqa.questions: x.csv cannot be read: No such file"),
        (VQA + "  columns: {answer: truth}", "q.csv has no column 'truth'. It has: image,"),
        (VQA + "  columns: {answers: a}", "vqa.columns.answers: unknown key; did you mean"),
        (VQA + "  invalid: drop", "write one of exclude, refuse"),
        (VQA + "  shards: 0", "vqa.shards: found 0; 0 is less than the minimum of 1"),
    ],
)
def test_a_mistake_is_reported_with_its_place_and_remedy(vqa: str, expected: str) -> None:
    assert expected in error(write(vqa=vqa))


def test_mistakes_are_reported_together() -> None:
    path = write(vqa=models("{checkpoint: nowhere}", "{name: x}") + "  root: nowhere")
    assert len(errors(path)) == 3


def test_the_digests_change_with_what_they_are_of() -> None:
    def digests() -> str:
        vqa = load(write(vqa=VQA)).vqa
        assert vqa is not None
        return json.dumps([vqa.shards, vqa.content])

    first = digests()
    assert digests() == first
    Path("q.csv").write_text(QUESTIONS.replace("hot", "cold"))
    assert digests() != first


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "merges.txt", "dict.txt"])
def test_what_is_read_beside_a_single_file_counts_as_the_model_s(name: str) -> None:
    def digest() -> str:
        vqa = load(write(vqa=models("{checkpoint: vqa_base_best.pt}"))).vqa
        assert vqa is not None
        return vqa.files["vqa_base_best"]

    before = digest()
    Path("notes.txt").write_text("read by nobody")
    assert digest() == before
    Path(name).write_text("{}")
    assert digest() != before


def vqa_digests() -> tuple[dict[str, str], str]:
    vqa = load(write(vqa=VQA + "  root: asked\n")).vqa
    assert vqa is not None
    return dict(vqa.shards), vqa.content


def test_the_digests_follow_the_images_below_the_questions_own_root() -> None:
    """Not those of the same names below the classifiers'."""
    images("pizza/a.png", "rabbit/a.JPG", root="asked")
    shards, content = vqa_digests()
    Path("images/pizza/a.png").write_bytes(b"other bytes")
    assert vqa_digests() == (shards, content)
    Path("asked/pizza/a.png").write_bytes(b"other bytes")
    after, _ = vqa_digests()
    assert len({key for key in shards if shards[key] != after[key]}) == 1


def test_a_question_that_is_left_out_counts_for_the_list_of_these_alone() -> None:
    images("pizza/a.png", "rabbit/a.JPG", root="asked")
    shards, content = vqa_digests()
    Path("q.csv").write_text(QUESTIONS + "pizza/none.png,Is it?,yes\n")
    after, listed = vqa_digests()
    assert after == shards
    assert listed != content
    Path("q.csv").write_text(QUESTIONS + "\npizza/none.png,Is it?,yes\n")
    assert vqa_digests()[1] not in (content, listed), "it stands on another line"


def test_generators_that_differ_only_in_how_they_are_written_are_an_error() -> None:
    rows = ["pizza/a.png,Is it hot?,yes,Dream", "rabbit/a.JPG,Is it?,no,dream"]
    Path("q.csv").write_text("\n".join(["image,question,answer,generator", *rows]))
    message = error(write(vqa=models("OFA-Sys/ofa-base")))
    assert "vqa.questions: q.csv: the generators 'Dream' (line 2) and 'dream' (line 3) " in message
    Path("q.csv").write_text(
        "\n".join(["image,question,answer,generator", *rows]).replace("D", "M")
    )
    assert not load(write(vqa=models("OFA-Sys/ofa-base"))).warnings


def test_generators_written_otherwise_than_the_folders_of_images_are_noted() -> None:
    images("DALL-E 2/pizza/a.png", "muse/pizza/a.png", root="drawn")
    rows = ["muse/pizza/a.png,Is it?,yes,muse", "DALL-E 2/pizza/a.png,Is it?,no,dalle 2."]
    Path("q.csv").write_text("\n".join(["image,question,answer,generator", *rows]))
    asked = models("OFA-Sys/ofa-base")
    (note,) = load(write(images="images: {root: drawn}", vqa=asked)).warnings
    assert "in the questions than as folders of images: 'dalle 2.' and 'DALL-E 2'. " in note
    Path("q.csv").write_text(Path("q.csv").read_text().replace("dalle 2.", "DALL-E 2"))
    assert not load(write(images="images: {root: drawn}", vqa=asked)).warnings


GROUPED = """\
image,question,answer,prompt
rabbit/a_1.png,Is it hot?,yes,a
rabbit/a_2.png,Is it?,no,a
rabbit/b_1.png,Is it?,no,
"""


def grouped(keys: str = "", text: str = GROUPED) -> Experiment:
    if not Path("images/rabbit/a_1.png").exists():  # a file that is written again is a new one
        images("rabbit/a_1.png", "rabbit/a_2.png", "rabbit/b_1.png")
    Path("q.csv").write_text(text)
    return load(write(vqa=VQA + keys))


def kept_groups(found: Experiment) -> dict[str, str | None]:
    """What the job that scores answers gets to know."""
    spec = asking.score_vqa(found, "ofa-base")
    rows = read_kept_rows(Path("cache"), spec["groups"], GROUPS)
    return dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))


@pytest.mark.parametrize(
    ("keys", "by", "last"),
    [
        ("  columns: {group: prompt}", "the column 'prompt' of vqa.questions", None),
        (r"  group: rabbit/(.*)_\d", "vqa.group", "b"),
    ],
)
def test_groups_of_images_are_told_by_a_column_or_a_pattern(
    keys: str, by: str, last: str | None
) -> None:
    """They change nothing that is asked."""
    plain = grouped()
    assert plain.vqa is not None and plain.vqa.grouping is None and not plain.warnings
    assert asking.score_vqa(plain, "ofa-base") == {"model": "ofa-base"}
    assert specs.level_and_unit(plain) == {"level": 0.95}
    found = grouped(keys)
    assert found.vqa is not None and found.vqa.grouping == by
    assert kept_groups(found) == {
        "rabbit/a_1.png": "a",
        "rabbit/a_2.png": "a",
        "rabbit/b_1.png": last,
    }
    assert f"q.csv: 3 images in 2 groups ({by})" in found.warnings
    alone = f"q.csv: 1 of 3 images have no text in {by}, and each counts as a group of its own"
    assert any(each.startswith(alone) for each in found.warnings) == (last is None)
    assert specs.level_and_unit(found) == {"level": 0.95, "unit": "group of images"}
    assert specs.report(found)["groups"] == {"questions": by}
    for shard in plain.vqa.shards:
        assert asking.index_questions(found, shard) == asking.index_questions(plain, shard)
    assert asking.list_excluded_questions(found) == asking.list_excluded_questions(plain)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("  group: (.*", "vqa.group: '(.*' is not a regular expression"),
        ("  group: x(.*)", "vqa.group: 'x(.*)' matches no image. It has to match all of an image"),
        ("  group: (.*)\n  columns: {group: prompt}", "remove the key, or the column"),
        ("  columns: {group: prompts}", "q.csv has no column 'prompts'; did you mean 'prompt'?"),
    ],
)
def test_groups_that_cannot_be_told_are_explained(keys: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(expected)):
        grouped(keys)


def test_all_images_in_one_group_is_said() -> None:
    found = grouped("  group: (rabbit)/.*")
    assert "q.csv: all images are one group: does vqa.group capture too little?" in found.warnings


def test_what_decides_how_answers_are_imported_is_in_that_spec_alone() -> None:
    Path("told.csv").write_text("image,question,answer\npizza/a.png,Is it hot?,no\n")
    Path("also.csv").write_text("image,question,answer\npizza/a.png,Is it hot?,yes\n")

    def all_specs(entry: str) -> dict[str, object]:
        found = load(write(vqa=models("{checkpoint: local}", entry)))
        return {
            "import": dict(asking.import_answers(found, "told")),
            "score": dict(asking.score_vqa(found, "told")),
            "ask": dict(asking.ask(found, "local")),
            "other": dict(asking.score_vqa(found, "local")),
        }

    before = all_specs("{name: told, answers: told.csv}")
    for entry in (
        "{name: told, answers: told.csv, missing: unanswered}",
        "{name: told, answers: told.csv, columns: {answer: answer}}",
        "{name: told, answers: told.csv, reference: {yes_no: 0.9, source: me}}",
        "{name: told, answers: also.csv}",
    ):
        now = all_specs(entry)
        assert {key for key in now if now[key] != before[key]} == {"import"}, entry
    Path("told.csv").write_text("image,question,answer\npizza/a.png,Is it hot?,yes\n")
    now = all_specs("{name: told, answers: told.csv}")
    assert {key for key in now if now[key] != before[key]} == {"import"}


def test_answers_made_elsewhere_need_no_network_and_cannot_be_asked_blind() -> None:
    Path("told.csv").write_text("image,question,answer\npizza/a.png,Is it hot?,no\n")
    found = load(write(vqa=models("{name: told, answers: told.csv}") + "  blind: true\n"))
    files = Files(found)
    assert files.vqa_weights == [] and files.blind_answers_of("told") == []
    assert files.answers_of("told") == ["results/test/vqa/answers/told.parquet"]
    assert files.vqa_notes == ["results/test/vqa/answers/told.json"]
    assert "vqa_seeing" not in {figure.name for figure in files.figure_rows}
    both = models("{name: told, answers: told.csv}", "{checkpoint: local}") + "  blind: true\n"
    files = Files(load(write(vqa=both)))
    assert files.blind_answers_of("told") == [] and files.blind_answers_of("local") != []
    assert "vqa_seeing" in {figure.name for figure in files.figure_rows}
