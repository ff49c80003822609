"""What the rules' programs hand on: every setting of their specs; and how they end on bad files.

The commands are those of a dry run of the small project. Each program runs in this process, with
the functions of the library that it calls recorded; those that do the work are replaced.
"""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight import origin
from synthsight.archives.archive import URL_VARIABLE
from synthsight.doors import load
from synthsight.figures import failures, style
from synthsight.files import sha256_of
from synthsight.images.manifest import read_manifest, write_manifest
from synthsight.tables import Outputs, write_vectors
from synthsight.vqa.answers import write_answers
from synthsight.vqa.endpoint.asking import Known, answers_from
from synthsight.vqa.endpoint.facts import facts_of
from synthsight.vqa.endpoint.request import asking_of
from tests.support import REPOSITORY, Project, add_people

SCRIPTS = REPOSITORY / "workflow" / "scripts"

#: All but the one that runs others.
PROGRAMS = sorted(path.stem for path in SCRIPTS.glob("*.py") if path.stem != "with_worker")

#: What only decides when a program runs again: what it reads itself, or what comes with its inputs.
OF_FILES = {
    "index_images": {"listing"},
    "index_questions": {"content"},
    "list_excluded": {"duplicates"},
    "list_excluded_questions": {"content"},
}

#: What a program only writes down with its results, for the stages that follow.
TOLD = {"classify": {"geometry", "label_space", "preprocess"}, "embed": {"geometry"}}

#: What writes all settings down, which says nothing of whether the work is done by them.
NOTED = ("write_logits(", "write_features(", "write_answers(")

#: Another value of a setting that is one of a few.
CHOICES = {"exclude": "refuse", "refuse": "exclude"}

#: Functions that are recorded but do run: they read, or choose.
REAL = re.compile(
    r"read_.*|metadata_of|load_labels|canonical_json|file_identity|sample|stratified_sample|deal|"
    r"choose_.*|may_be_shown|places_of|asking_of|"
    r"describe_preprocessing|without_nulls|image_data|question_data|atomic|report_speed|about|about_weights"
)

#: What the replaced ones return where a program looks into it.
RETURNS: dict[str, Any] = {
    "ask": np.zeros(0),
    "classify": ([], np.zeros((0, 1))),
    "compare": ("comparisons", "ranking"),
    "embed": ([], np.zeros((0, 1))),
    "facts_of": {},
    "fetch_vqa": {},
    "fetch_weights": {},
    "index_images": [MagicMock(status="ok")],
    "index_questions": [],
    "messages": [],
    "render": "page",
    "write_pictures": 0,
    "exclude_duplicates": ({}, []),
    "marked": ({}, []),
    "find_duplicates": ("table", []),
    "train_heads": (pd.DataFrame({"top1": [1.0]}), pd.DataFrame({"top1": [1.0]}), []),
    "measure_distances": (pd.DataFrame({"kid": [0.0]}), []),
    "map_images": (pd.DataFrame(), []),
    "export_split": (pd.DataFrame(), []),
    "join_folds": MagicMock(settings={}),
    "join_manifests": pa.table({"image": [""], "status": ["ok"], "reason": [""]}),
    "state_of": {},
}

#: Programs that learn from features and pixels.
LEARNING = ("train_heads", "measure_distances", "map_images", "export_split")
LEARNING += ("fit_linear", "finetune", "join_folds")

#: An image of the small project.
PROBE = "dream/bagel/0.png"


class Trace:
    """The calls of library functions that a program made, each as text, and their arguments."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.end = ""
        self.probe = PROBE

    def record(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any, **named: Any) -> Any:
            if args and isinstance(args[0], list) and args[0] and str(args[0][0]).endswith(".png"):
                self.probe = args[0][0]
            said = [] if name == "report_speed" else [*args, *named.items()]
            text = f"{name}({', '.join(map(self.describe, said))})"
            self.calls.append(text)
            if REAL.fullmatch(name):
                return function(*args, **named)
            return RETURNS.get(name, MagicMock())

        return recorded

    def describe(self, value: Any) -> str:
        """A value as text that is equal for equal values, by its contents."""
        if isinstance(value, pd.DataFrame):
            return str(value.to_csv())
        if isinstance(value, pa.Table):
            return str(value.to_pydict())
        if isinstance(value, MagicMock):
            return "made before"
        if isinstance(value, Mapping):
            return f"{{{', '.join(f'{k!r}: {self.describe(v)}' for k, v in value.items())}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self.describe, value))}]"
        if inspect.isfunction(value):
            return self.called(value)
        return re.sub(r" (at 0x\w+|id='\d+')", "", repr(value))

    def called(self, function: Callable[..., Any]) -> str:
        """What a function does that is given to the library, with an image if it takes one."""
        before = len(self.calls)
        wanted = [self.probe] * len(inspect.signature(function).parameters)
        function(*wanted)
        inner = self.calls[before:]
        del self.calls[before:]
        assert not wanted or self.probe in str(inner), "a function of an image without that image"
        return f"function: {inner}"


class Models:
    """Stands for the models that a worker holds, none as yet."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __len__(self) -> int:
        return 0

    def get(self, key: object, build: Callable[[], Any], device: object) -> Any:
        self.trace.calls.append(f"get({key!r}, {self.trace.called(build)})")
        return MagicMock()

    def release(self, keep: object) -> bool:
        return False


class Runner:
    """The programs, and the command lines that rules give to them.

    Attributes:
        commands: by rule the program and its arguments.
    """

    def __init__(self, folder: Path, commands: Mapping[str, tuple[str, list[str]]]) -> None:
        self.folder = folder
        self.commands = commands
        self.modules: dict[str, ModuleType] = {}

    def module(self, name: str) -> ModuleType:
        if name not in self.modules:
            found = importlib.util.spec_from_file_location(f"tested_{name}", SCRIPTS / f"{name}.py")
            assert found is not None and found.loader is not None
            module = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            self.modules[name] = module
        return self.modules[name]

    def rules(self, program: str) -> dict[str, list[str]]:
        """The rules of a program, with its arguments."""
        return {rule: words for rule, (name, words) in self.commands.items() if name == program}

    def run(self, name: str, arguments: list[str], replaced: bool = True) -> Trace:
        """Run a program; how it ends, if not well, is a part of its trace.

        With ``replaced`` the functions that do the work are recorded instead of run.
        """
        module, trace = self.module(name), Trace()
        # Of a category, such as a figure may be about, an image of it.
        if name == "plot" and (of := re.search(r"/images/(\w+)\.parquet", " ".join(arguments))):
            trace.probe = f"dream/{of[1]}/0.png"
        with pytest.MonkeyPatch.context() as patch:
            for what, value in vars(module).items():
                of_library = getattr(value, "__module__", "").startswith("synthsight.")
                if not replaced:
                    break
                if of_library and inspect.isfunction(value) and what not in ("program", "main"):
                    patch.setitem(vars(module), what, trace.record(what, value))
            if replaced:
                patch.setattr(style, "save", trace.record("save", style.save))
                # It is another one with any other setting, whether that is handed on or not.
                patch.setattr(origin, "mark", lambda output: "a mark")
                if "load" in vars(module):  # the function of a row
                    patch.setitem(vars(module), "load", lambda row: trace.record(row, load(row)))
            if name == "thumbnails_duplicates":  # of the small project's images none is one
                patch.setitem(RETURNS, "worst_pairs", {"a": [PROBE], "b": [PROBE]})
            patch.setattr(sys, "argv", [f"{name}.py", *arguments])
            patch.chdir(self.folder)
            takes_models = (
                replaced and "models" in inspect.signature(module.main.__wrapped__).parameters
            )
            try:
                module.main(*([Models(trace)] if takes_models else []))
            except SystemExit as error:
                trace.end = f"ended: {error.code}"
            except Exception as error:  # of other settings than it was written for
                trace.end = f"{type(error).__name__}: {error}"
        return trace


def commands_of(project: Project) -> dict[str, tuple[str, list[str]]]:
    """The program and the arguments of the first job of each rule, with pipes as lists."""
    pages = [f"results/small/rating/{name}.html" for name in ("rating", "rating_questions")]
    planned = project.snakemake("--dry-run", "--forceall", "--printshellcmds", "all", *pages)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    blocks = re.findall(r"rule (\w+):\n(?:.*\n)*?Shell command: *\n *(.*)\n", planned.stdout)
    first = dict(reversed(blocks))
    # Bash takes the command apart; words end with a zero byte, lines of a pipe with a one.
    script = "with_worker.py() { for each; do case $each in @/dev/fd/*) printf '<'; "
    script += "cat ${each#@} | tr '\\n' '\\1' ;; *) printf '%s' \"$each\" ;; esac; "
    script += "printf '\\0'; done; printf '\\n\\0'; }\n"
    for command in first.values():
        script += re.sub(r"\s+(>\S+ 2>&1|2>&1 \| tee \S+)\s*$", "", command) + "\n"
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    found: dict[str, tuple[str, list[str]]] = {}
    for rule, line in zip(first, done.stdout.split("\n\0"), strict=False):
        words = line.split("\0")[:-1]
        while not words[0].endswith(".py"):
            del words[0]
        arguments = []
        for word in words[1:]:
            arguments += word[1:].split("\1")[:-1] if word.startswith("<") else [word]
        found[rule] = (words[0].removesuffix(".py"), arguments)
    return found


def commands_that_learn(project: Project) -> dict[str, tuple[str, list[str]]]:
    """Those of programs that learn from features and pixels, had the project enough images."""
    config = project.config
    project.configure(
        {
            **config,
            "images": {**config["images"], "real": "muse"},
            "transfer": {"export": True},
            "distances": {},
            "map": {},
            "adapt": [{"model": "effnet"}, {"model": "effnet", "method": "finetune"}],
        }
    )
    found = commands_of(project)
    project.configure(config)
    for word in found["join_folds"][1]:  # what networks that were trained would have said
        if re.search(r"/adapted/.*/[0-9]+\.parquet$", word):
            path = project.folder / word
            path.parent.mkdir(parents=True, exist_ok=True)
            write_vectors(path, "logits", [PROBE], np.zeros((1, 3), np.float32), {})
    return {rule: each for rule, each in found.items() if each[0] in LEARNING}


def commands_in_parts(project: Project) -> dict[str, tuple[str, list[str]]]:
    """Those of what is different where categories are divided, with what parts would have made."""
    config = project.config
    project.configure({**config, "images": {**config["images"], "part": 1}})
    found = commands_of(project)
    project.configure(config)
    found = {
        rule: each
        for rule, each in found.items()
        if rule == "index_images_part" or each[0] in ("join_manifests", "join_vectors")
    }
    for word in {word for _, words in found.values() for word in words if "/parts/" in word}:
        path = project.folder / word
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parts[-3] == "images":
            write_manifest(path, read_manifest(project.results / "images" / path.name)[:1])
        else:
            write_vectors(path, path.parts[-4], [PROBE], np.zeros((1, 3), np.float32), {})
    return found


@pytest.fixture(scope="module")
def runner(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    folder = tmp_path_factory.mktemp("programs") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = Project(folder)
    add_people(project)
    models = [{**project.config["models"][0], "features": True}, project.config["models"][1]]
    project.configure({**project.config, "models": models})
    tables = [f"results/small/tables/{name}.csv" for name in ("people", "people_answers")]
    project.run(*tables, "features")
    commands = commands_of(project)
    commands |= commands_that_learn(project)
    commands |= commands_in_parts(project)
    spec = json.dumps({"sha256": "0" * 64, "root": "pictures"})
    commands["fetch_images"] = ("fetch_images", ["--spec", spec])
    # The small project has no predictions from elsewhere.
    told = folder / "told.csv"
    told.write_text(
        "image,said\n"
        + "".join(
            f"{generator}/{category}/{number}.png,{category}\n"
            for generator in ("dream", "muse")
            for category in ("bagel", "pretzel")
            for number in range(2)
        )
    )
    spec = json.dumps(
        {
            "name": "told",
            "predictions": "told.csv",
            "content": sha256_of(told),
            "labels": "labels.txt",
            "labels_content": sha256_of(folder / "labels.txt"),
            "missing": "exclude",
            "columns": {"label": "said"},
            "reference": None,
        }
    )
    manifests = ["--manifests", *(f"results/small/images/{c}.parquet" for c in ("bagel", "clock"))]
    outputs = ["--output", "told.parquet", "--note", "told.json"]
    commands["import_predictions"] = ("import_predictions", [*manifests, "--spec", spec, *outputs])
    # Nor does it ask a server.
    endpoint = {"url": "http://localhost/v1", "model": "m", "logprobs": "auto"}
    endpoint |= {"max_side": 64, "max_tokens": 16}  # type: ignore[dict-item]
    asked = {"model": "sure", "root": "pictures", "prompt": "{question}?", "endpoint": endpoint}
    ways = ["--concurrency", "1", "--timeout", "9", "--allow-unanswered", "0", "--key-env", ""]
    shard = ["--shard", "results/small/vqa/questions/1.parquet", "--journal", "journal/1.jsonl"]
    spec = json.dumps({**asked, "blind": True})
    outputs = ["--output", "answers.parquet"]
    commands["ask_endpoint"] = ("ask_endpoint", [*shard, "--spec", spec, *ways, *outputs])
    spec = json.dumps({"model": "sure", "reference": None})
    nothing, what = Known([], []), asking_of(endpoint, None)
    told_of = json.dumps({**asked, "facts": facts_of(nothing, what)})
    write_answers(folder / "answers_1.parquet", [], answers_from(nothing, what), told_of)
    answers = ["--answers", "answers_1.parquet", "--blind", "--spec", spec, "--note", "note.json"]
    commands["describe_endpoint"] = ("describe_endpoint", answers)
    # Nor has it answers from elsewhere.
    asked = folder / "told_answers.csv"
    rows = pq.read_table(project.results / "vqa" / "asked.parquet").to_pandas()
    rows[["image", "question", "p_yes"]].iloc[1:].to_csv(asked, index=False)
    spec = json.dumps(
        {
            "name": "told",
            "answers": "told_answers.csv",
            "content": sha256_of(asked),
            "columns": {"p_yes": "p_yes"},
            "missing": "unanswered",
            "reference": None,
        }
    )
    shards = ["--questions", *(f"results/small/vqa/questions/{n}.parquet" for n in (1, 2))]
    outputs = ["--output", "told_answers.parquet", "--note", "told_answers.json"]
    commands["import_answers"] = ("import_answers", [*shards, "--spec", spec, *outputs])
    # Of the small project's images nothing is known, and none is left out.
    for name, known in (
        ("find_sources", {"group": "(.)"}),
        ("find_duplicates", {}),
        ("list_excluded", {"duplicates": "exclude"}),
    ):
        _, arguments = commands[name]
        arguments[arguments.index("--spec") + 1] = json.dumps({"real": ["muse"], **known})
    arguments.insert(arguments.index("--duplicates") + 1, "results/small/tables/duplicates.parquet")
    # Nobody has marked any, and no file says more of them.
    said = folder / "said.csv"
    said.write_text(f"image,mark,prompt\n{PROBE},label wrong,a bagel\n")
    at = arguments.index("--spec") + 1
    of_marks = {"marks": {"said.csv": sha256_of(said)}, "root": "pictures"}
    arguments[at] = json.dumps({**json.loads(arguments[at]), **of_marks})
    arguments.insert(arguments.index("--marks") + 1, "said.csv")
    about = {"content": sha256_of(said), "image": "image", "columns": ["prompt"]}
    told_more = ["--sources", "results/small/sources/images.parquet", "--table", "said.csv"]
    told_more += ["--spec", json.dumps({**about, "root": "pictures"}), "--output", "more.parquet"]
    commands["find_attributes"] = ("find_attributes", told_more)
    os.environ[URL_VARIABLE] = "https://example.org/images.zip"
    yield Runner(folder, commands)
    del os.environ[URL_VARIABLE]


def changed(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """A value with one thing in it changed, each in turn, and the place of that."""
    if isinstance(value, dict) and value:
        for key in list(value)[: 1 if depth > 1 else None]:
            for place, other in changed(value[key], depth + 1):
                yield f"{key}.{place}".rstrip("."), {**value, key: other}
    elif isinstance(value, list) and value:
        yield "", value[:-1]
        for place, other in changed(value[0], depth + 1):
            yield f"0.{place}".rstrip("."), [other, *value[1:]]
    elif isinstance(value, bool):
        yield "", not value
    elif isinstance(value, int):
        yield "", 2 if value == 1 else 1
    elif isinstance(value, float):
        yield "", value / 2
    elif isinstance(value, str):
        yield "", CHOICES.get(value, value + "x")
    elif isinstance(value, dict):
        yield "", {"another": "thing"}
    else:
        yield "", ["another"] if isinstance(value, list) else {"another": 0.5}


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_setting_of_a_spec_is_handed_on(runner: Runner, name: str) -> None:
    for rule, arguments in runner.rules(name).items():
        plain, again = (runner.run(name, arguments) for _ in range(2))
        assert plain.end == "" and plain.calls
        assert again.calls == plain.calls, "nothing but a setting may make a difference"
        if "--spec" not in arguments:
            continue
        at = arguments.index("--spec") + 1
        for place, spec in changed(json.loads(arguments[at])):
            if place.partition(".")[0] in OF_FILES.get(name, ()):
                continue
            other = runner.run(name, [*arguments[:at], json.dumps(spec), *arguments[at + 1 :]])
            left_out = () if place.partition(".")[0] in TOLD.get(name, ()) else NOTED
            one, two = (
                [call for call in trace.calls if not call.startswith(left_out)]
                for trace in (plain, other)
            )
            same = (one, plain.end) == (two, other.end)
            assert not same, f"{rule}: {place} of the spec is ignored"


def test_the_programs_are_those_of_the_rules(runner: Runner) -> None:
    assert sorted({program for program, _ in runner.commands.values()}) == PROGRAMS


@pytest.mark.long
def test_every_table_with_bounds_has_them_at_the_level_of_the_spec(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, pd.DataFrame] = {}
    monkeypatch.setattr(Outputs, "write", lambda _, name, table: written.update({name: table}))
    seen = set()
    for rule, arguments in runner.rules("tabulate").items():
        at = arguments.index("--spec") + 1
        spec = json.loads(arguments[at])
        tables = []
        for level in (0.6, 0.95):
            text = json.dumps({**spec, **({"level": level} if "level" in spec else {})})
            changed_spec = [*arguments[:at], text, *arguments[at + 1 :]]
            assert runner.run("tabulate", changed_spec, replaced=False).end == "", rule
            tables.append(dict(written))
        for name, table in tables[0].items():
            low = [column for column in table if re.fullmatch(r"(.*_)?low", column)]
            for column in low if rule != "reference" else ():  # the accuracies' own
                if table[column].isna().all() or (table[column] == 0).all():
                    continue  # drops without a reference, models that answer alike
                differs = ~np.isclose(table[column], tables[1][name][column], equal_nan=True)
                assert differs.any(), f"{name}: {column} is the same at another level"
                seen.add(name)
        written.clear()
    assert {"accuracy", "kappa", "comparisons", "generators", "vqa_calibration"} < seen


def test_failures_are_those_of_the_category_and_the_rule(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, arguments = runner.commands["plot_failures"]
    spec = json.loads(arguments[arguments.index("--spec") + 1])
    drawn = MagicMock()
    monkeypatch.setattr(failures, "failures", drawn)
    monkeypatch.setattr(style, "save", MagicMock())
    assert runner.run("plot", arguments, replaced=False).end == ""
    scores = drawn.call_args.args[0]
    assert len(scores) == 4  # images of a category
    shown = runner.folder / "results" / "small" / "images" / f"{spec['category']}.parquet"
    assert sorted(scores["image"]) == pq.read_table(shown)["image"].to_pylist()


def test_the_overview_gets_the_references_of_the_models(runner: Runner) -> None:
    (call,) = [
        call
        for call in runner.run("plot", runner.commands["plot_overview"][1]).calls
        if call.startswith("synthsight.figures.overview:overview")
    ]
    assert re.search(r",resnet,\*,\*,[^,]*,published,a test,.*?,0\.9,,,0\.99,", call)


# --- Wrong inputs -----------------------------------------------------------------------------

#: Options that name what is written.
WRITTEN = re.compile("--(output|labels-output|answers-output|weights|pdf|png|csv|parquet)")
ALSO_WRITTEN = {
    ("tabulate", "--tables"),
    ("export", "--file"),
    ("describe_endpoint", "--note"),
    *((f"import_{of}", "--note") for of in ("predictions", "answers")),
    *(("train_heads", option) for option in ("--pairs", "--categories")),
    *(
        (program, option)
        for program in ("fit_linear", "join_folds")
        for option in ("--parts", "--note")
    ),
    *(("measure_distances", "--measured"), ("map_images", "--places"), ("export_split", "--table")),
}

#: Ways in which a file between two stages may be of no use.
WRONG = ("empty", "cut off", "no column", "no metadata")


def inputs_of(program: str, arguments: list[str]) -> Iterator[Path]:
    """The files between stages that a command line reads; of a list of one kind, the first one."""
    option, seen = "", set()
    for word in arguments:
        if word.startswith("--"):
            option = word
        elif Path(word).suffix in (".parquet", ".arrow", ".json"):
            written = WRITTEN.fullmatch(option) or (program, option) in ALSO_WRITTEN
            kind = (option, word if "tables" in word else Path(word).parent)
            if not written and kind not in seen:
                seen.add(kind)
                yield Path(word)


def says_whose_it_is(path: Path) -> bool:
    """Whether the metadata of a file name a model, and anything reads that: raw answers are not."""
    metadata = pq.read_schema(path).metadata if path.suffix == ".parquet" else None
    return "answers" not in path.parts and not {b"model", b"synthsight"}.isdisjoint(metadata or {})


def spoiled(path: Path, how: str) -> bytes:
    """The bytes of a file of no use in place of a sound one."""
    if how == "empty":
        return b""
    if how == "cut off":
        return path.read_bytes()[:-20]
    if path.suffix == ".json":
        return b'{"another": 1}'
    sink = pa.BufferOutputStream()
    if path.suffix == ".arrow":
        with pa.ipc.new_file(sink, pa.schema([("another", pa.int8())])):
            pass
        return sink.getvalue().to_pybytes()
    table = pq.read_table(path)
    if how == "no metadata":
        table = table.replace_schema_metadata(None)
    else:
        table = table.rename_columns([f"another_{name}" for name in table.schema.names])
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in PROGRAMS if not name.startswith("fetch")])
def test_a_file_of_no_use_ends_a_program_in_one_line(runner: Runner, name: str) -> None:
    for rule, arguments in runner.rules(name).items():
        for file, how in itertools.product(inputs_of(name, arguments), WRONG):
            path = runner.folder / file
            if how == "no metadata" and not says_whose_it_is(path):
                continue
            sound = path.read_bytes()
            path.write_bytes(spoiled(path, how))
            try:
                end = runner.run(name, arguments, replaced=False).end
            finally:
                path.write_bytes(sound)
            assert end.startswith(f"ended: {name}: "), f"{rule}, {file}, {how}: {end}"
            named = str(file) in end or (rule == "plot_vqa_samples" and "the answers" in end)
            assert named and "\n" not in end, f"{rule}, {file}, {how}: {end}"


@pytest.mark.parametrize("rule", ["agreement", "compare", "generators", "report", "score"])
def test_scores_about_other_images_end_all_programs_alike(runner: Runner, rule: str) -> None:
    """Also logits, which are scored, that are about other images than the manifest."""
    name, arguments = runner.commands[rule]
    option = {"report": "--scores", "score": "--logits"}.get(rule, "--files")
    path = runner.folder / arguments[arguments.index(option) + 1]
    sound = path.read_bytes()
    table = pq.read_table(path)
    others = pa.array([f"other/{image}" for image in table["image"].to_pylist()])
    pq.write_table(table.set_column(0, "image", others), path)
    try:
        end = runner.run(name, arguments, replaced=False).end
    finally:
        path.write_bytes(sound)
    assert end.startswith(f"ended: {name}: ") and "\n" not in end


@pytest.mark.long
def test_a_disk_that_takes_no_more_is_named_with_the_file(runner: Runner, tmp_path: Path) -> None:
    arguments = runner.commands["list_excluded"][1]
    output = tmp_path / "excluded.csv"
    outputs = ["--csv", output, "--parquet", tmp_path / "excluded.parquet"]
    done = subprocess.run(
        [sys.executable, SCRIPTS / "list_excluded.py", *arguments, *outputs],
        cwd=runner.folder,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)),
    )
    assert done.returncode == 1
    assert re.fullmatch(f"list_excluded: {output}: File too large; .*\n", done.stderr)
    assert list(tmp_path.iterdir()) == []
