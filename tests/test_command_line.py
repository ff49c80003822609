"""The command line: what it prints is true, what it writes can be run, what is wrong is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from synthsight import api
from synthsight.commands import check, compare, draft, init, main, show
from synthsight.images.layout import find_categories
from synthsight.origin import making, metadata
from synthsight.plan import standalone
from synthsight.plan.record import Record, Wanted, write_record
from tests.support import REPOSITORY, Project, draw_image, small_config

PUBLISHED = [model for model, _ in draft.MODELS]


@pytest.fixture(autouse=True)
def cache_(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is resolved is kept for all tests of this file, not in the user's cache."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))


@pytest.fixture(name="say")
def say_(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command: its exit status, what it prints and what it complains of."""

    def say(*arguments: object) -> tuple[int, str, str]:
        status = main.main([str(each) for each in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return status, printed.out, printed.err

    return say


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images of two generators, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for generator, names in (("dream", "ab"), ("muse", "a")):
        for category in ("kite", "pizza"):
            for name in names:
                draw_image(Path("pictures", generator, category, f"{name}.png"), ord(name))
    return Path("pictures")


def narrow(text: str) -> bool:
    """Whether every line fits into 80 columns, unless it is one long word."""
    return all(len(line) < 80 or " " not in line.strip() for line in text.splitlines())


# --- The command ------------------------------------------------------------------------------


@pytest.mark.long
def test_the_module_runs_as_a_program(finished: Project) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "synthsight", *arguments],
            cwd=finished.folder,
            env={**os.environ, "PYTHONPATH": str(finished.folder / "src")},
            capture_output=True,
            text=True,
        )

    done = run("show", "small")
    assert done.returncode == 0, done.stderr
    assert "results/small/report.html" in done.stdout
    failed = run("show", "smal")
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert failed.stderr.startswith("synthsight show: no run 'smal'")
    assert "did you mean 'small'?" in failed.stderr


def test_the_package_installs_the_command_and_says_that_it_is_typed() -> None:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, function = project["project"]["scripts"]["synthsight"].partition(":")
    assert module == main.__name__
    assert callable(getattr(main, function))
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["synthsight"]
    assert (REPOSITORY / "src" / "synthsight" / "py.typed").is_file()


@pytest.mark.parametrize("command", [[], ["init"], ["check"], ["show"], ["compare"], ["speed"]])
def test_the_help_fits_into_a_terminal(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main.main([*command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert narrow(text), text
    for module in [init, check, show, compare] if not command else []:
        assert module.ABOUT.splitlines()[0] in text


@pytest.mark.parametrize(
    "arguments", [[], ["chekc", "a.yaml"], ["check"], ["show"], ["init"], ["compare", "a"]]
)
def test_a_command_line_that_is_not_understood_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == 2
    assert "usage: synthsight" in capsys.readouterr().err


def test_control_c_ends_in_one_line(say, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "open_run", interrupted)
    assert say("show", "small") == (130, "", "synthsight show: interrupted\n")


@pytest.mark.long
def test_a_reader_who_has_seen_enough_is_no_fault(finished: Project) -> None:
    command = f"{sys.executable} -m synthsight show small | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=finished.folder,
        env={**os.environ, "PYTHONPATH": str(finished.folder / "src"), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


# --- show -------------------------------------------------------------------------------------


@pytest.mark.long
def test_show_prints_the_answer_and_where_the_files_are(say, finished: Project) -> None:
    status, text, errors = say("show", finished.results)
    assert (status, errors) == (0, "")
    run = api.open_run(finished.results)
    flat = " ".join(text.split())
    for sentence in run.summary():
        assert sentence in flat
    assert "the matching rule words/simple" in flat
    _, doubts = flat.split("Before you trust these numbers: - ")
    assert doubts.startswith(" - ".join(run.remarks()))
    for path in ("report.html", "tables/", "figures/", "scores/", "vqa/", "logs/"):
        assert f"{finished.results}/{path}" in text
    for name in (*run.tables, *run.models, *run.vqa_models):
        assert re.search(rf"\b{name}\b", text), name
    figures = len(list((finished.results / "figures").glob("*.png")))
    assert f"{figures} figures" in text
    assert narrow(text), text


def test_show_says_what_there_is_of_a_run_that_is_not_finished(say, tmp_path: Path) -> None:
    tables = tmp_path / "begun" / "tables"
    tables.mkdir(parents=True)
    with making("list_excluded", {}, "c0de"):
        said = metadata(tables / "excluded.parquet")
    table = pa.schema([("image", pa.string())], said).empty_table()
    pq.write_table(table, tables / "excluded.parquet")
    (tables / "kappa.parquet").touch()  # made otherwise
    (tables / "vqa.parquet").touch()  # of another configuration
    paths = (f"results/begun/tables/{name}.parquet" for name in ("excluded", "kappa"))
    planned = Wanted("list_excluded", "{}", "c0de", tuple(paths))
    record = Record("results/begun", "classes", 0.9, (planned,))
    write_record(record, tmp_path / "begun")
    status, text, _ = say("show", tmp_path / "begun")
    assert status == 0
    assert "'begun' is not finished: 1 file missing. Run Snakemake" in " ".join(text.split())
    assert "CSV and Parquet: excluded\n" in text
    assert "figures" not in text
    assert "report.html" not in text
    (tmp_path / "begun" / "report.html").touch()
    status, text, _ = say("show", tmp_path / "begun")
    flat = " ".join(text.split())
    assert status == 0
    assert "'begun' is not finished" in flat and "kappa.parquet is not of the run's last" in flat


# --- check ------------------------------------------------------------------------------------


def test_check_sums_up_a_sound_configuration(
    say, finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    status, text, errors = say("check", "config.yaml")
    assert (status, errors) == (0, "")
    assert [line.strip() for line in text.splitlines()[:5]] == [
        "config.yaml is valid: a run called 'small'",
        "models      effnet, resnet",
        "images      12 images of 2 generators: dream, muse",
        "categories  bagel, clock, toilet_seat",
        "questions   about 6 images, put to asked, other",
    ]
    assert "1 of 25 questions are left out" in " ".join(text.split())
    assert narrow(text)


def test_check_says_what_is_real_and_what_belongs_together(
    say, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    images = {
        **project.config["images"],
        "real": "muse",
        "group": r"(\d+)",
        "duplicates": "exclude",
    }
    project.configure({**project.config, "images": images})
    status, text, errors = say("check", "config.yaml")
    assert (status, errors) == (0, "")
    assert [line.strip() for line in text.splitlines()[2:7]] == [
        "images      12 images of 1 generator and photographs: dream",
        "photographs real ones of 3 categories, in pictures/muse",
        "categories  bagel, clock, toilet_seat",
        r"groups      of images, by '(\\d+)' in their names",
        "duplicates  left out, each with the reason in tables/excluded.csv",
    ]


@pytest.mark.long
def test_check_says_what_the_workflow_would_say(say, project: Project, monkeypatch) -> None:
    monkeypatch.chdir(project.folder)
    config = small_config()
    config["models"][0]["lables"] = "x"
    config["matching"] = {"rules": ["clases"]}
    project.configure(config)
    status, text, errors = say("check", "config.yaml")
    assert (status, text) == (1, "")
    said = project.fail("--dry-run")
    for line in errors.partition("The configuration has 2 errors.\n")[2].splitlines():
        assert line.strip() in said
    assert re.search(
        r"config.yaml, line \d+, models\[0\].lables: unknown key; did you mean", errors
    )
    assert "did you mean 'classes'" in errors


def test_check_takes_files_one_by_one_or_together(
    say, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    more = tmp_path / "more.yaml"
    more.write_text("run: other\nintervals: {level: 0.9}\nmatching: {primary: classes}\n")
    status, text, errors = say("check", "config.yaml", more)
    assert status == 1
    assert "config.yaml is valid" in text, "the others are checked all the same"
    assert errors.startswith(f"{more}: The configuration has ")
    assert "images: missing" in errors
    status, text, errors = say("check", "--together", "config.yaml", more)
    assert (status, errors) == (0, "")
    assert "a run called 'other'" in text
    more.write_text("images: {max_pixels: 0}\n")
    status, text, errors = say("check", "--together", "config.yaml", more)
    assert status == 1
    assert f"{more}, line 1, images.max_pixels: found 0" in errors, "the root is config.yaml's"


def test_files_are_merged_as_snakemake_merges_them() -> None:
    from snakemake.utils import update_config

    parts = [
        {"a": {"b": 1, "c": [1, 2]}, "d": 1},
        {"a": {"c": [3], "e": {"f": 1}}, "g": {"h": 1}},
        {"a": {"e": {"i": 2}}, "d": {"j": 1}, "g": 2},
    ]
    wanted: dict = {}
    for part in parts:
        update_config(wanted, yaml.safe_load(yaml.safe_dump(part)))
    assert standalone.merge(parts) == wanted
    assert parts[0] == {"a": {"b": 1, "c": [1, 2]}, "d": 1}, "and left as they were"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: a\nimages: {root: b\nmodels: []\n", r"line \d, column \d+: .*begins on line 2"),
        ("run: a\nimages:\n\troot: b\n", "line 3, column 1: .*indented with spaces, not tabs"),
        ("run: a\nimages: b: c\n", "line 2, column 10: mapping values are not allowed here"),
        ("run: 'a\nb: c\n", r"line 3, column 1: .*quoted scalar that begins on line 1"),
        ("run: *other\n", "line 1, column 6: found undefined alias 'other'"),
        ("run: !!python/name:os.system\n", "line 1, column 6: could not determine a constructor"),
        ("run: a\n---\nrun: b\n", "line 2, column 1: .*expected a single document"),
        ("run: a\nx: \x07\n", "line 2, column 4: a character that YAML does not allow"),
        (b"run: a\nx: \xff\n", "line 2, column 4: not UTF-8 text"),
        ("x: 2026-13-45\n", "month must be in 1..12"),
        ("[" * 3000, "nested too deeply"),
        ("", "is empty: write keys and values"),
        ("- run: a\n", "is not a mapping: write keys and values"),
        (None, "no file 'config.yaml'"),
    ],
)
def test_what_is_no_configuration_is_said_with_its_place(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("config.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    status, said, errors = say("check", "config.yaml")
    assert (status, said) == (1, "")
    assert errors.count("\n") == 1
    assert re.search(f"config.yaml.*{message}", errors), errors


def test_a_key_that_stands_twice_is_said_with_both_lines(say, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "run: a\nimages: &i {root: b}\nmodels:\n  - model: c\n    name: d\n    model: e\n"
        "other: *i\nrun: f\n"
    )
    status, _, errors = say("check", file)
    assert status == 1
    assert f"{file}, line 8: the key 'run' is also on line 1" in errors
    assert f"{file}, line 6: the key 'model' is also on line 4" in errors
    assert errors.count("is also on line") == 2


def test_what_only_looks_like_the_same_key_is_none(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("a: &a {x: 1}\nb: {x: 2, 1: 3, '1': 4}\nc: {<<: *a, x: 5}\nd: [*a, *a]\n")
    assert standalone.read_config(file)["c"] == {"x": 5}


def test_json_is_read_as_snakemake_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"run": "a",\n\t"images": {"root": "b"}}')  # no YAML, for its tab
    assert standalone.read_config(file) == {"run": "a", "images": {"root": "b"}}


def test_without_the_repository_it_is_said_where_the_schema_lies(
    say, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "site-packages" / "synthsight" / "__init__.py"
    monkeypatch.setattr("synthsight.__file__", str(elsewhere))
    monkeypatch.chdir(finished.folder)
    assert say("check", "config.yaml")[0] == 0, "the current folder is a clone"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("run: a\n")
    status, _, errors = say("check", "config.yaml")
    assert status == 1
    assert "no workflow/schemas/config.schema.yaml in" in errors
    assert "pip install --editable" in errors


# --- init -------------------------------------------------------------------------------------


def test_init_writes_what_it_found(say, pictures: Path) -> None:
    (pictures / "muse" / "sphinxes").mkdir()
    draw_image(pictures / "muse" / "sphinxes" / "a.png", 1)
    (pictures / "muse" / "vase").mkdir()
    draw_image(pictures / "loose.png", 1)
    status, text, errors = say("init", pictures)
    assert (status, errors) == (0, "")
    assert "pictures.yaml: 6 images of 2 categories by 2 generators" in text
    assert "Left out: sphinxes, vase" in text
    assert "1 images directly in pictures are not used" in text
    # Here is no clone: the project's Snakefile is named, and its definitions need not be.
    assert f"snakemake -s {REPOSITORY / 'Snakefile'} --configfile pictures.yaml" in text
    assert narrow(text.partition("Review it")[0])
    written = Path("pictures.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(written) == {
        "run": "pictures",
        "images": {"root": "pictures"},
        "categories": ["kite", "pizza"],
        "models": PUBLISHED,
    }
    lines = written.splitlines()
    assert "  - kite # 3 images: dream 2, muse 1" in lines
    assert "  #   dream: 4 images" in lines
    remark = " ".join(
        line.strip(" #") for line in lines[: lines.index("  - kite # 3 images: dream 2, muse 1")]
    )
    assert "hawks" in remark
    assert "which nobody chose: homonym suspected" in remark
    assert "  # - sphinxes # 1 image: muse 1" in lines
    reason = " ".join(
        line.strip(" #") for line in lines[lines.index("  # - sphinxes # 1 image: muse 1") :]
    )
    assert "has 'sphinxes' in its name" in reason
    assert "sphinxes: {also: [NAME]}" in reason
    assert "# - vase # 0 images: muse 0" in written
    assert "there are no images in it" in reason


@pytest.mark.long
def test_what_init_writes_is_sound(say, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By check, which asks the libraries for the four models."""
    assert say("init", pictures)[0] == 0
    status, text, errors = say("check", "pictures.yaml")
    assert (status, errors) == (0, "")
    for model in PUBLISHED:
        assert model.partition("/")[2] in text
    assert "6 images of 2 generators: dream, muse" in text


@pytest.mark.long
def test_what_init_writes_can_be_planned_by_snakemake(say, project: Project, monkeypatch) -> None:
    """With local models in place of those that would be downloaded, it runs."""
    monkeypatch.chdir(project.folder)
    assert say("init", "pictures", "--run", "mine", "--output", "config/mine.yaml")[0] == 0
    file = project.folder / "config" / "mine.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert config["categories"] == ["bagel", "clock", "toilet_seat"]
    assert "category_definitions" not in config, "the default is there"
    config["models"] = small_config()["models"]
    file.write_text(yaml.safe_dump(config))
    jobs = project.plan("scores", "--configfile", "config/mine.yaml")
    assert {job for job in jobs if job[0] == "score"} == {("score", "effnet"), ("score", "resnet")}


def test_init_proposes_the_folder_that_is_called_like_photographs(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, generator in enumerate(("dalle", "real_photos")):
        draw_image(tmp_path / "pictures" / generator / "pizza" / "a.png", seed)
    assert say("init", "pictures")[0] == 0
    path = Path("pictures.yaml")
    text = path.read_text(encoding="utf-8")
    assert "  # real: real_photos #" in text
    # Taken out of their comments, the lines are valid.
    content = yaml.safe_load(text.replace("  # real:", "  real:").replace("  # group:", "  group:"))
    assert content["images"] == {
        "root": "pictures",
        "real": "real_photos",
        "group": r"(.*)_\d+",
    }


def test_init_without_generators(say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw_image(tmp_path / "my images" / "pizza" / "a.png", 1)
    status, text, _ = say("init", "my images")
    assert status == 0
    assert "my_images.yaml: 1 image of 1 category\n" in text
    written = Path("my_images.yaml").read_text(encoding="utf-8")
    assert "# <category>/<file>" in written
    assert "  - pizza # 1 image\n" in written
    assert "generator" not in written
    assert "  # real: NAME #" in written and r"  # group: (.*)_\d+ #" in written
    assert yaml.safe_load(written)["images"]["root"] == "my images"


@pytest.mark.long
def test_odd_names_are_written_as_they_are(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taken = ["wall: clock", "'pizza'", "pizza,", "- vase", "☂ pizza", "[kite]", "#bagel", "!!teddy"]
    refused = ["a\nb: pizza", "{vase}", "!!"]
    for number, name in enumerate([*taken, *refused]):
        draw_image(tmp_path / "odd: 'root' #" / name / "a.png", number)
    Path(os.fsdecode(b"odd: 'root' #/pizza \xff")).mkdir()
    status, text, errors = say("init", "odd: 'root' #", "--output", "the file.yaml")
    assert (status, errors) == (0, "")
    config = yaml.safe_load(Path("the file.yaml").read_text(encoding="utf-8"))
    assert sorted(config["categories"]) == sorted(taken)
    assert config["images"]["root"] == "odd: 'root' #"
    assert config["run"] == "odd_root"
    assert "synthsight check 'the file.yaml'" in text
    assert standalone.read_config(Path("the file.yaml")) == config


def test_what_is_found_out_is_kept_in_the_home_folder_or_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "a file"))
    assert standalone.cache_folder() == Path(".snakemake", "synthsight")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert standalone.cache_folder() == tmp_path / ".cache" / "synthsight"


def test_init_replaces_no_file_unless_it_is_asked_to(say, pictures: Path) -> None:
    Path("pictures.yaml").write_text("mine: true\n")
    status, text, errors = say("init", pictures)
    assert (status, text) == (1, "")
    assert errors.startswith("synthsight init: pictures.yaml already exists")
    assert Path("pictures.yaml").read_text() == "mine: true\n"
    assert say("init", pictures, "--force")[0] == 0
    assert "run: pictures" in Path("pictures.yaml").read_text()


def test_init_says_if_there_is_a_run_of_this_name(say, pictures: Path) -> None:
    assert "a run of this name exists" not in say("init", pictures)[1]
    Path("results/other").mkdir(parents=True)
    assert "a run of this name exists" in say("init", pictures, "--run", "other")[1]


@pytest.mark.long
def test_init_says_why_it_cannot(say, pictures: Path) -> None:
    assert "no folder 'nowhere'" in say("init", "nowhere")[2]
    said = say("init", pictures / "muse" / "kite")[2]
    assert "put the images into pictures/muse/kite/<category>/" in said
    assert "1 images directly in" in said
    assert (
        "'a b' cannot be the name of a run. Name of the run"
        in say("init", pictures, "--run", "a b")[2]
    )
    draw_image(Path("strange/sphinxes/a.png"), 1)
    said = say("init", "strange")[2]
    assert "no category in 'strange' can be used" in said
    assert "'sphinxes': no class of imagenet-1k" in said
    # A list of categories would take the generator for one.
    draw_image(Path("both/pizza/kite/a.png"), 1)
    draw_image(Path("both/dream/pizza/a.png"), 2)
    assert "'pizza' in 'both': is this a generator or a category?" in say("init", "both")[2]
    assert not [*Path().glob("*.yaml")], "and writes nothing"


def rooted(*names: str) -> None:
    """Pictures in folders below `deep`, in the current folder."""
    for number, name in enumerate(names):
        draw_image(Path("deep", name), number)


@pytest.mark.parametrize(
    ("names", "root", "also"),
    [
        (("images/pizza/a.png", "images/kite/b.png"), "deep/images", None),
        (("data/train/pizza/a.png", "data/train/kite/b.png"), "deep/data/train", None),
        (("train/pizza/a.png", "train/kite/c.png", "val/pizza/b.png"), "deep/train", "deep/val"),
        (("a/b/muse/pizza/a.png", "a/b/dream/pizza/b.png"), "deep/a/b", None),
        (("x/ai/pizza/a.png", "x/nature/pizza/b.png"), "deep/x/ai", "deep/x/nature"),
        (("muse/pizza/a.png", "muse/pizza/more/b.png"), "deep", None),
        (("bus/a.png", "train/b.png", "pizza/c.png"), "deep", None),
    ],
)
def test_init_finds_the_root_where_the_categories_lie(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], root, also
) -> None:
    monkeypatch.chdir(tmp_path)
    rooted(*names)
    status, text, errors = say("init", "deep")
    assert (status, errors) == (0, "")
    config = yaml.safe_load(Path("deep.yaml").read_text(encoding="utf-8"))
    assert config["images"]["root"] == root
    assert "pizza" in config["categories"]
    plain = " ".join(text.split())
    assert ("images.root is" in plain) == (root != "deep")
    assert also is None or f"Others that it might be: '{also}'" in plain
    found = find_categories(Path(root), config["categories"])
    assert set(found.layout) == set(config["categories"])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("ADM/train/ai/1_adm_2.png", "ADM/train/nature/n1_1.png"),
            "as in GenImage, and no folder",
        ),
        (("ADM/imagenet_adm/val/ai/1_adm_2.png",), "as in GenImage, and no folder"),
        (("train/ai/1.png", "train/nature/2.png"), "called as data sets call their parts"),
        (
            ("ADM/train/pizza/1.png", "glide/train/pizza/2.png"),
            "'train' is a split, take its level",
        ),
        (
            ("pizza/dalle/1.png", "pizza/muse/2.png"),
            "in 'pizza/dalle' 'pizza' looks like the category",
        ),
    ],
)
def test_init_says_what_a_tree_looks_like_that_it_cannot_use(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], said: str
) -> None:
    """Also where a split has the name of a class, as the bullet train, or the sloth called ai."""
    monkeypatch.chdir(tmp_path)
    rooted(*names)
    status, _, errors = say("init", "deep")
    assert status == 1
    assert said in errors
    assert "docs/images.md (Folders in another order)" in errors
    assert "\n    deep/" in errors
    assert not Path("deep.yaml").exists()


def test_init_makes_no_folder_called_like_a_home(say, pictures: Path) -> None:
    """As the shell leaves it to do with --output=~/mine.yaml."""
    said = say("init", pictures, "--output=~/mine.yaml")[2]
    assert f"write '{Path.home()}/mine.yaml'" in said
    assert f"write '{Path.home()}/pictures'" in say("init", "~/pictures")[2]
    assert not Path("~").exists()


TABLE = """\
File_Name;Label;Model;caption;split
dream/kite/a.png;kite;dream;a kite;test
dream/kite/b.png;kite;dream;a red kite;val
muse/pizza/a.png;n07873807;muse;a pizza;test
muse/pizza/a.png;nonsense;muse;what;test
"""


@pytest.mark.parametrize("place", ["pictures/list.csv", "list.csv", "lists/list.csv"])
def test_init_drafts_a_configuration_of_a_table(say, pictures: Path, place: str) -> None:
    """Columns by their names, and the folder by where the images are."""
    Path(place).parent.mkdir(exist_ok=True)
    Path(place).write_text(TABLE, encoding="utf-8")
    status, text, errors = say("init", place)
    assert (status, errors) == (0, "")
    assert "list.yaml: 3 images of 2 categories by 2 generators" in text
    assert "Left out: nonsense" in text and "has several splits" in " ".join(text.split())
    written = Path("list.yaml").read_text(encoding="utf-8")
    # From a folder beside it the images cannot be guessed, which is said.
    root = "lists" if place.startswith("lists") else "pictures"
    said = "of 4 images of lists/list.csv 0 are below 'lists': set images.root"
    assert (said in " ".join(text.split())) == (root == "lists")
    assert yaml.safe_load(written) == {
        "run": "list",
        "images": {
            "root": root,
            "table": place,
            "columns": {
                "image": "File_Name",
                "category": "Label",
                "generator": "Model",
                "prompt": "caption",
            },
        },
        "categories": ["kite", "n07873807"],
        "models": PUBLISHED,
    }
    assert "  # split: test # only these rows; there are test 3, val 1" in written
    assert "# real: NAME" in written and "# group: (.*)" in written
    assert "nonsense" in written and "Call it otherwise" in " ".join(written.split())


def test_init_says_why_a_table_cannot_be_used(say, pictures: Path) -> None:
    Path("list.jsonl").write_text('{"file": "a.png", "what": "kite"}\n')
    status, _, said = say("init", "list.jsonl")
    assert status == 1 and "list.jsonl has no column 'category'" in said and "file, what" in said
    Path("list.jsonl").write_text('{"file": "a.png", "label": "sphinxes"}\n')
    status, _, said = say("init", "list.jsonl")
    assert status == 1 and "no category in 'list.jsonl' can be used" in said


def test_the_name_of_a_long_folder_is_cut_to_a_valid_one(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_image(Path("p" * 200, "pizza", "a.png"), 1)
    assert say("init", "p" * 200)[0] == 0
    assert yaml.safe_load(Path("p" * 120 + ".yaml").read_text())["run"] == "p" * 120
    assert "cannot be the name of a run" in say("init", "p" * 200, "--run", "r" * 121)[2]


def test_init_names_close_classes(say, pictures: Path) -> None:
    draw_image(pictures / "muse" / "pretzle" / "a.png", 1)
    assert say("init", pictures)[0] == 0
    written = " ".join(line.strip(" #") for line in Path("pictures.yaml").read_text().splitlines())
    assert re.search(r"has 'pretzle' in its name; did you mean 'pretzel'", written)
