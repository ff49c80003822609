"""Question files, configurations and what they name: anything is read, or refused in words.

``FUZZ=100`` makes a hundred times as many examples, and others each time.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from synthsight.classifiers.checkpoints import read_state
from synthsight.classifiers.library import WeightsError
from synthsight.labels.definitions import DefinitionError, read_definitions
from synthsight.labels.matching import admit_rules
from synthsight.labels.spaces import LabelError, load_labels
from synthsight.plan.config import models as models_module
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.experiment import Experiment, load_experiment
from synthsight.tabular import TableError
from synthsight.vqa.question import Question
from synthsight.vqa.questions import read_questions
from synthsight.vqa.shards import deal, index_questions, shard_digest, write_shard
from tests import hostile

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[2]
SCHEMA = admit_rules(
    yaml.safe_load(
        (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
    )
)
TIMES = int(os.environ.get("FUZZ", "1"))


def fuzz(examples: int) -> Any:
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


# --- Questions --------------------------------------------------------------------------------

COLUMNS = {name: name for name in ("image", "question", "answer", "generator", "objects")}

#: What an image's path may be in a file that means no good.
PATHS = [
    *(
        "a.png",
        "b/c.png",
        "./a.png",
        "a.png/",
        "../outside.png",
        "b/../../outside.png",
        "/etc/passwd",
    ),
    *("", ".", "..", "b", "out.png", "away/secret.png", "away", "loop.png", "pipe.png", "a.png\0"),
    *(
        "x" * 300 + ".png",
        "x/" * 3_000 + "a.png",
        "\ud800.png",
        "A.PNG",
        "~/a.png",
        "$(touch pwned).png",
    ),
    *("/proc/self/environ", "file:///etc/passwd", "a.png%00", "..\\outside.png", "notes.txt"),
]

texts = st.text(max_size=30) | st.sampled_from(["", " ", "\0", "\ud800", "\ufeff", "x" * 200_000])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
rows = st.fixed_dictionaries(
    {
        "image": st.sampled_from(PATHS) | values,
        "question": st.just("Is it?") | values,
        "answer": st.sampled_from(["yes", "no"]) | values,
    },
    optional={"generator": values, "objects": values},
) | st.dictionaries(st.sampled_from([*COLUMNS, "other"]) | texts, values, max_size=6)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures, and things that are none."""
    folder = tmp_path_factory.mktemp("questions")
    root = folder / "pictures"
    (root / "b").mkdir(parents=True)
    for seed, path in enumerate((root / "a.png", root / "b" / "c.png", folder / "outside.png")):
        path.write_bytes(hostile.encoded(seed, "plain.png"))
    (folder / "elsewhere").mkdir()
    for name in ("secret.png", "secret.png.neighbour.png"):
        (folder / "elsewhere" / name).write_bytes(hostile.encoded(9, "plain.png"))
    (root / "out.png").symlink_to(folder / "outside.png")
    (root / "away").symlink_to(folder / "elsewhere")
    (root / "loop.png").symlink_to("loop.png")
    (root / "notes.txt").touch()
    os.mkfifo(root / "pipe.png")
    return root


def read_or_refuse(path: Path, root: Path) -> list[Question]:
    """Every outcome that a file of questions may have; the way on, if it is read."""
    try:
        questions = read_questions(path, COLUMNS, root)
    except TableError as error:
        assert len(str(error)) < 5_000
        return []
    sound = [question for question in questions if question.reason is None]
    for question in sound:
        assert question.answer in ("yes", "no")
        assert (root / question.image).resolve().is_relative_to(root)
    for part in deal(questions, 2).values():
        assert shard_digest(part, root)
    write_shard(root.parent / "shard.parquet", index_questions(sound, root, 10_000))
    # What lies outside is not named, however much a path is like it.
    assert all("neighbour" not in str(question.reason) for question in questions)
    return questions


@fuzz(60)
@given(content=st.lists(rows, max_size=5))
def test_json_of_any_content(pictures: Path, content: list[dict[str, Any]]) -> None:
    path = pictures.parent / "q.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    found = read_or_refuse(path, pictures)
    assert len(found) in (0, len(content))
    lines = "\n".join(map(json.dumps, content))
    (pictures.parent / "q.jsonl").write_text(lines, encoding="utf-8")
    assert len(read_or_refuse(pictures.parent / "q.jsonl", pictures)) in (0, len(content))


@fuzz(60)
@given(
    table=st.lists(st.lists(st.sampled_from([*PATHS, "yes", "no", "Is it?"]) | texts, max_size=5)),
    head=st.sampled_from([["image", "question", "answer"], [*COLUMNS], []]),
    ending=st.sampled_from([",", "\t"]),
)
def test_tables_of_any_cells(
    pictures: Path, table: list[list[str]], head: list[str], ending: str
) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=ending, escapechar="\\").writerows([head, *table])
    path = pictures.parent / ("q.csv" if ending == "," else "q.tsv")
    path.write_bytes(buffer.getvalue().encode("utf-8", "replace"))
    read_or_refuse(path, pictures)


def good_files() -> dict[str, bytes]:
    """The same questions in every kind of file, in several encodings."""
    content = [
        {"image": "a.png", "question": 'Is "it"\nthere?', "answer": "yes", "objects": "a&&b"},
        {"image": "b/c.png", "question": "Is it red, or not?", "answer": "no", "objects": ""},
        {"image": "b/c.png", "question": "Schön?", "answer": "no", "objects": "x"},
    ]
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerows([list(content[0]), *(list(row.values()) for row in content)])
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(content), parquet)
    plain = io.BytesIO()
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.Table.from_pylist(content), plain, **options)
    return {
        "q.csv": text.getvalue().encode(),
        "bom.csv": text.getvalue().encode("utf-8-sig"),
        "wide.csv": text.getvalue().encode("utf-16"),
        "q.tsv": text.getvalue().replace(",", "\t").encode(),
        "q.json": json.dumps(content, indent=1).encode(),
        "wide.json": json.dumps(content).encode("utf-16"),
        "q.jsonl": "\n".join(map(json.dumps, content)).encode(),
        "q.parquet": parquet.getvalue(),
        "plain.parquet": plain.getvalue(),
    }


FILES = good_files()


@fuzz(250)
@given(name=st.sampled_from(sorted(FILES)), seed=st.integers(0, 2**32), how=st.integers(0, 4))
def test_damaged_files(pictures: Path, name: str, seed: int, how: int) -> None:
    rng = random.Random(seed)
    content = bytearray(FILES[name])
    place = rng.randrange(len(content))
    if how == 0:
        del content[place:]
    elif how == 1:
        for _ in range(rng.choice([1, 1, 2, 8])):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif how == 2:
        content[place:place] = rng.choice([b"\0", b'"', b"\n", b"\r", b"[" * 5_000, b"9" * 5_000])
    elif how == 3:
        other = FILES[rng.choice(sorted(FILES))]
        content[place:] = other[rng.randrange(len(other)) :]
    else:
        content[place : place + rng.randrange(20)] = rng.randbytes(rng.randrange(20))
    path = pictures.parent / f"damaged-{name}"
    path.write_bytes(content)
    read_or_refuse(path, pictures)


def parquet(path: Path, **columns: Any) -> Path:
    row = {"image": ["a.png"], "question": ["Is it?"], "answer": ["yes"]}
    pq.write_table(pa.table({**row, **columns}), path)
    return path


@pytest.mark.parametrize(
    "odd",
    [
        pa.array([{"a": 1}]),
        pa.array([[["x"]]]),
        pa.array([b"\xff\xfe"]),
        pa.array([2**62], pa.timestamp("us")),
        pa.array([2**62], pa.time64("ns")),
        pa.array([-(2**62)], pa.duration("s")),
        pa.array([float("nan")]),
        pa.array([float("inf")]),
        pa.array([None]),
        pa.array(["yes"]).dictionary_encode(),
        pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
        pa.array([1], pa.uint64()),
        pa.array(["x"], pa.large_string()),
    ],
    ids=str,
)
@pytest.mark.parametrize("column", ["image", "question", "answer", "objects", "other"])
def test_parquet_of_any_type(pictures: Path, odd: pa.Array, column: str) -> None:
    path = parquet(pictures.parent / "odd.parquet", **{column: odd})
    found = read_or_refuse(path, pictures)
    if column == "other":
        assert [question.reason for question in found] == [None]


def test_parquet_with_two_columns_of_a_name(pictures: Path) -> None:
    path = pictures.parent / "twice.parquet"
    table = pa.Table.from_arrays([pa.array(["x"])] * 4, ["image", "image", "question", "answer"])
    pq.write_table(table, path)
    with pytest.raises(TableError, match="two columns 'image'"):
        read_questions(path, COLUMNS, pictures)


def test_parquet_that_unpacks_to_billions_of_rows(pictures: Path) -> None:
    path = pictures.parent / "bomb.parquet"
    column = pa.DictionaryArray.from_arrays(np.zeros(11_000_000, np.int8), ["a.png"])
    pq.write_table(pa.table(dict.fromkeys(("image", "question", "answer"), column)), path)
    assert path.stat().st_size < 100_000
    with pytest.raises(TableError, match="11,000,000 rows, the limit is 10,000,000"):
        read_questions(path, COLUMNS, pictures)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "q.csv",
            b'image,question,answer\n"' + b"x" * 200_000 + b'",b,yes\n',
            "line 2: field larger",
        ),
        (
            "q.csv",
            "image,question,answer\na.png,b,yes\n".encode("utf-16")[:-1],
            "text in UTF-16, and is damaged: save it as UTF-8",
        ),
        ("q.json", b"[" * 100_000, "line 1: "),
        ("q.json", b'[{"a":' * 100_000, "nested too deeply"),
        ("q.jsonl", b'{"a":' * 100_000, "line 1: nested too deeply"),
        ("q.json", b'[{"image": ' + b"9" * 5_000 + b"}]", "line 1: Exceeds the limit"),
        ("q.jsonl", b'\n{"image": ' + b"9" * 5_000 + b"}", "line 2: Exceeds the limit"),
        ("q.json", b'[\n{"image": 1, "image": 2}]', "line 2: the key 'image' occurs twice"),
        ("q.jsonl", b'{"image": 1, "image": 2}', "line 1: the key 'image' occurs twice"),
        (
            "q.csv",
            b"c" + b",".join(b"c%d" % n for n in range(50_000)) + b"\nx" + b"," * 49_999,
            "and 49970 more",
        ),
    ],
)
def test_what_was_found_once(pictures: Path, name: str, content: bytes, message: str) -> None:
    path = pictures.parent / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=message):
        read_questions(path, COLUMNS, pictures)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("x" * 300 + ".png", "cannot be looked up: File name too long"),
        ("loop.png", "loop of links|Too many levels|no such image"),
        ("away/secret.png", "a link that leads out"),
        ("away/secrt.png", "a link that leads out"),
        ("\ud800.png", "half a character"),
        (["a.png"], "the image must be text; found list"),
        ({"a": 1}, "the image must be text; found dict"),
    ],
)
def test_an_image_s_path_that_was_found_once(pictures: Path, image: Any, reason: str) -> None:
    path = pictures.parent / "q.json"
    path.write_text(json.dumps([{"image": image, "question": "Is it?", "answer": "yes"}]))
    (question,) = read_questions(path, COLUMNS, pictures)
    assert question.reason is not None
    assert any(each in question.reason for each in reason.split("|")), question.reason
    assert "secret.png" not in question.reason


def test_questions_from_a_pipe_are_not_waited_for(pictures: Path) -> None:
    os.mkfifo(pictures.parent / "pipe.csv")
    with pytest.raises(TableError, match="not a regular file"):
        read_questions(pictures.parent / "pipe.csv", COLUMNS, pictures)


def test_many_missing_images_take_no_time_each(pictures: Path) -> None:
    folder = pictures / "many"
    folder.mkdir(exist_ok=True)
    for number in range(1_000):
        (folder / f"{number:06}.png").touch()
    path = pictures.parent / "many.csv"
    lines = [f"many/x{number:05}.png,Is it?,yes" for number in range(1_000)]
    path.write_text("image,question,answer\n" + "\n".join(lines))
    reasons = [question.reason for question in read_questions(path, COLUMNS, pictures)]
    assert sum("close: " in str(reason) for reason in reasons) == 100
    assert all("no such image" in str(reason) for reason in reasons)


# --- The configuration ------------------------------------------------------------------------

RESOLVED = {
    "architecture": {"library": "torchvision", "name": "alexnet", "weights": "IMAGENET1K_V1"},
    "geometry": {"resize": 256, "crop": [224, 224], "interpolation": "bilinear"},
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the repository's; what models are is answered without asking libraries."""
    monkeypatch.chdir(tmp_path)
    for name in ("pizza/a.png", "rabbit/b.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"not looked into")
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "categories.yaml").write_text("rabbit:\n  also: [hare]\n")
    (tmp_path / "q.csv").write_text("image,question,answer\npizza/a.png,Is it?,yes\n")
    (tmp_path / "labels.txt").write_text("pizza\nrabbit\n")
    (tmp_path / "model.bin").touch()

    def answer(asked: Sequence[dict[str, Any]], *_: object) -> list[dict[str, Any]]:
        return [{"model": RESOLVED} for _ in asked]

    monkeypatch.setattr(models_module, "resolve_cached", answer)
    return tmp_path


def load_or_refuse(config: Any, text: str = "") -> Experiment | None:
    """Every outcome that a configuration may have."""
    Path("config.yaml").write_text(text, encoding="utf-8", errors="replace")
    try:
        return load_experiment(config, SCHEMA, [Path("config.yaml")], Path("cache"))
    except ConfigError as error:
        assert len(str(error)) < 20_000
        assert "error" in str(error)
        return None


#: What stands in a sound configuration, and close to it.
words = st.sampled_from(
    [
        *("images", "pizza", "rabbit", "q.csv", "labels.txt", "model.bin", "timm/resnet50", "x/y"),
        *("resources/categories.yaml", "nowhere", "a/b", "{x}", "*", "", " ", "\0", "a\nb"),
        *(
            "\ud800",
            "x" * 300,
            "x/" * 3_000,
            "$(touch pwned)",
            "imagenet-1k",
            "words/simple",
            "model",
        ),
        *("demo", "exclude", "refuse", "bilinear", "OFA-Sys/ofa-huge-vqa", "fp32", "1", "~"),
    ]
)
leaves = scalars | words | st.dates() | st.binary(max_size=5)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(leaves, inner, max_size=3),
    max_leaves=6,
)


def like(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that mostly satisfy a part of the schema."""
    options: list[st.SearchStrategy[Any]] = []
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "object":
            inner = {key: like(each) for key, each in schema.get("properties", {}).items()}
            required = {key: inner[key] for key in schema.get("required", []) if key in inner}
            others = {key: each for key, each in inner.items() if key not in required}
            options.append(st.fixed_dictionaries(required, optional=others))
        elif kind == "array":
            items = like(schema.get("items", {"type": "string"}))
            most = schema.get("maxItems", 3)
            options.append(st.lists(items, min_size=schema.get("minItems", 0), max_size=most))
        elif kind == "integer":
            options.append(st.integers(schema.get("minimum", 0), schema.get("maximum", 10**6)))
        elif kind == "number":
            options.append(st.floats(0.01, 0.99))
        elif kind == "boolean":
            options.append(st.booleans())
        elif kind == "null":
            options.append(st.none())
        else:
            options.append(words)
    if "enum" in schema:
        options.append(st.sampled_from(schema["enum"]))
    usual = st.one_of(options) if options else anything
    return st.integers(0, 30).flatmap(lambda chance: anything if chance == 0 else usual)


configs = like(SCHEMA)

SOUND = {
    "run": "test",
    "images": {"root": "images"},
    "models": ["timm/resnet50", {"model": "timm/x", "checkpoint": "model.bin", "mean": [0, 0, 0]}],
    "vqa": {"questions": "q.csv", "models": ["OFA-Sys/ofa-base"]},
}


def places(value: Any, key: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = []
    if isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            found += [(*key, name), *places(each, (*key, name))]
    return found


def test_the_sound_configuration_is_one(workplace: Path) -> None:
    assert load_or_refuse(SOUND) is not None


@fuzz(150)
@given(config=configs)
def test_configurations_of_nearly_the_right_form(workplace: Path, config: Any) -> None:
    if isinstance(config, dict):  # Snakemake takes no others
        load_or_refuse(config)


@fuzz(150)
@given(place=st.sampled_from(places(SOUND)), value=anything, name=leaves)
def test_one_value_that_is_anything(
    workplace: Path, place: tuple[Any, ...], value: Any, name: Any
) -> None:
    config = json.loads(json.dumps(SOUND))
    inner = config
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    load_or_refuse(config)
    if isinstance(inner, dict):
        inner[name] = value
        load_or_refuse(config)


TEXT = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")


@fuzz(60)
@given(seed=st.integers(0, 2**32))
def test_damaged_text(workplace: Path, seed: int) -> None:
    """What YAML makes of a file that is nearly the default one."""
    rng = random.Random(seed)
    text = TEXT
    for _ in range(rng.choice([1, 2, 5])):
        place = rng.randrange(len(text))
        new = rng.choice(
            [
                *string.punctuation,
                " ",
                "\n",
                "\t",
                "  - ",
                ": ",
                "&a ",
                "*a",
                "!!set ",
                "!!binary ",
                "<<: ",
                "0x" + "f" * 20,
                ".nan",
                "1e999",
                "2001-01-01",
                "~",
                "? ",
                '"\\ud800"',
                "|\n",
                "\u2028",
                "{a: [",
                "!!python/object:os.system ",
            ]
        )
        text = text[:place] + new + text[place + rng.randrange(3) :]
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    if isinstance(config, dict):
        load_or_refuse(config, text)


def laughs() -> Any:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    return yaml.safe_load(text)["a11"]


def loop() -> Any:
    return yaml.safe_load("a: &a {b: [*a]}")["a"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": laughs()}, "more than 100,000 elements"),
        (
            {"models": [{"model": "timm/x", "arguments": {"a": laughs()}}]},
            "more than 100,000 elements",
        ),
        ({"images": loop()}, "holds itself"),
        ({"models": [{"model": "timm/x", "arguments": loop()}]}, "holds itself"),
        ({"batch_size": 10**5_000}, "batch_size: beyond 9007199254740992"),
        ({"images": {"root": "images", "max_pixels": 2**70}}, "images.max_pixels: beyond"),
        ({"images": {"root": "x" * 5_000}}, "images.root: has more than 4,096 characters"),
        ({"images": {"root": "x" * 300}}, "images.root: no folder"),
        ({"images": {"root": "a\0"}}, "images.root: holds a zero character"),
        ({"images": {"root": "\ud800"}}, "images.root: holds half a character"),
        ({"images": {1: 2, "root": "images"}}, "images.1: unknown key"),
        ({"images": {None: 2, (1, 2): 3}}, "images.None: unknown key"),
        ({"categories": [{1: 2, (3, 4): 5}]}, "categories[0]: found"),
        (
            {"models": [{"model": "timm/x", "checkpoint": "x" * 300}]},
            "models[0].checkpoint: no file",
        ),
        ({"models": [{"model": "timm/x", "labels": "x" * 300}]}, "models[0].labels: no label file"),
        ({"models": [{"x": 1}] * 1_000}, "... and 950 more"),
        ({"category_definitions": "x" * 300}, "category_definitions: "),
        ({"models": [{"model": "timm/x", "name": "x" * 4_000}]}, "is too long for a name"),
        (
            {"vqa": {"questions": "q.csv", "root": "x" * 300, "models": ["x/y"]}},
            "vqa.root: no folder",
        ),
        ({"vqa": {"questions": "x" * 300 + ".csv", "models": ["x/y"]}}, "vqa.questions: "),
        (
            {"vqa": {"questions": "q.csv", "models": [{"checkpoint": "x" * 300}]}},
            "no file or folder",
        ),
    ],
)
def test_a_configuration_that_was_found_once(
    workplace: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_experiment({**SOUND, **change}, SCHEMA, [], Path("cache"))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 20_000


def test_links_that_lead_nowhere_beside_the_categories(workplace: Path) -> None:
    (workplace / "images" / "loop.png").symlink_to("loop.png")
    (workplace / "images" / "loop").symlink_to("loop")
    (workplace / "images" / "none").symlink_to("nowhere")
    assert load_or_refuse(SOUND) is not None


SAFETENSORS = save({"weight": torch.ones(4, 3), "bias": torch.zeros(4)}, {"reference": "{}"})

# --- What a configuration names ---------------------------------------------------------------


@fuzz(100)
@given(
    content=st.binary(max_size=100)
    | anything.map(lambda v: yaml.dump(v).encode("utf-8", "replace"))
)
def test_category_definitions_of_any_content(workplace: Path, content: bytes) -> None:
    Path("definitions.yaml").write_bytes(content)
    try:
        read_definitions(Path("definitions.yaml"))
    except DefinitionError as error:
        assert str(error).startswith("definitions.yaml") or "definitions.yaml" in str(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"rabbit: 2001-99-99", "is not YAML"),
        (b"[" * 5_000, "nested too deeply"),
        (b"rabbit: &a {also: *a}", "holds itself"),
        (b"rabbit: {also: [" + b"9" * 5_000 + b"]}", "is not YAML"),
    ],
)
def test_category_definitions_that_were_found_once(
    workplace: Path, content: bytes, message: str
) -> None:
    Path("definitions.yaml").write_bytes(content)
    with pytest.raises(DefinitionError, match=message):
        read_definitions(Path("definitions.yaml"))


@fuzz(60)
@given(
    content=st.binary(max_size=100)
    | st.text(max_size=100).map(lambda t: t.encode("utf-8", "replace"))
)
def test_label_files_of_any_content(workplace: Path, content: bytes) -> None:
    Path("any.txt").write_bytes(content)
    try:
        space = load_labels("any.txt")
    except LabelError as error:
        assert str(error).startswith("any.txt")
    else:
        assert len(space) == len(space.simple) == len(space.lemmas) > 0


@fuzz(60)
@given(
    seed=st.integers(0, 2**32),
    header=st.none() | anything.map(lambda value: json.dumps(value, default=str, skipkeys=True)),
)
def test_safetensors_of_any_header(workplace: Path, seed: int, header: str | None) -> None:
    rng = random.Random(seed)
    whole = bytearray(SAFETENSORS)
    if header is None:
        for _ in range(rng.choice([1, 2, 8])):
            whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        content = bytes(whole[: rng.choice([len(whole), rng.randrange(len(whole))])])
    else:
        text = header.encode("utf-8", "replace")
        length = rng.choice([len(text), len(text) + 1, 0, 2**63, 2**40])
        content = length.to_bytes(8, "little") + text + bytes(rng.randrange(40))
    Path("any.safetensors").write_bytes(content)
    try:
        state = read_state(Path("any.safetensors"))
    except WeightsError as error:
        assert "any.safetensors" in str(error)
    else:
        assert all(tensor.numel() < 10_000 for tensor in state.values())


def test_a_checkpoint_s_config_that_is_nested_too_deeply(workplace: Path) -> None:
    Path("vqa").mkdir()
    Path("vqa/config.json").write_text("[" * 100_000)
    vqa = {"questions": "q.csv", "models": [{"checkpoint": "vqa"}]}
    with pytest.raises(ConfigError, match="is not a JSON mapping"):
        load_experiment({**SOUND, "vqa": vqa}, SCHEMA, [], Path("cache"))
