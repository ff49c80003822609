"""What results say of themselves decides, with or without what Snakemake remembers."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synthsight import api
from synthsight.origin import KEY, Mark, Origin, read_origin
from tests.support import Job, Project, draw_image, save_random_weights
from tests.workflow.test_plans import CATEGORIES, MODELS


def forget(project: Project) -> None:
    shutil.rmtree(project.folder / ".snakemake")


def note(project: Project) -> str:
    """What a start says of results."""
    completed = project.snakemake("--dry-run")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    lines = (completed.stdout + completed.stderr).splitlines()
    return "\n".join(line for line in lines if line.startswith("Note: f"))


def exchange(path: Path, content: bytes, seconds: float = -1e6) -> None:
    """Put other bytes in a file's place, as `mv` of an older file does."""
    new = path.with_name("new")
    new.write_bytes(content)
    time = path.stat().st_mtime + seconds
    os.utime(new, (time, time))
    os.replace(new, path)


# Without Snakemake's records ---------------------------------------------------------------------


def test_every_result_says_how_it_was_made(finished: Project) -> None:
    made = [path for path in finished.results.rglob("*") if path.is_file()]
    checked = [path for path in made if path.suffix not in (".csv", ".log", ".json")]
    assert {path.suffix for path in checked} == {
        *(".parquet", ".arrow", ".pdf", ".png", ".html", ".tex", ".jsonl")
    }
    silent = [path for path in checked if read_origin(path) is None]
    assert silent == []
    weights = [*(finished.folder / "resources" / "weights").glob("*.json")]
    assert len(weights) == 4 and all(isinstance(read_origin(path), Origin) for path in weights)
    logits = read_origin(finished.results / "logits" / "resnet" / "clock.parquet")
    assert isinstance(logits, Origin)
    assert {"torch", "timm", "pillow", "device"} == {*logits.versions}
    audit = read_origin(finished.results / "tables" / "label_audit.parquet")
    assert isinstance(audit, Origin) and {*audit.versions} == {"timm"}, "it has WordNet's names"
    accuracy = read_origin(finished.results / "tables" / "accuracy.parquet")
    assert isinstance(accuracy, Origin) and accuracy.versions == logits.versions


@pytest.mark.long
def test_every_result_is_compared_with_what_is_wanted(project: Project) -> None:
    """A new stage's files have to be in `synthsight.plan.standing.wanted`."""
    project.plan()
    kept = project.folder / ".snakemake" / "synthsight" / "results-small.json"
    compared = json.loads(kept.read_text())["files"]
    made = {
        path.relative_to(project.folder).as_posix()
        for path in project.results.rglob("*")
        if path.is_file() and path.suffix not in (".csv", ".log") and path.name != "plan.json"
    }
    notes = {f"resources/weights/{name}.json" for name in ("effnet", "resnet", "asked", "other")}
    assert {*compared} == made | notes


@pytest.mark.long
def test_lost_records_alone_run_nothing(project: Project) -> None:
    forget(project)
    assert project.plan() == set()
    assert note(project) == ""


@pytest.mark.long
def test_without_records_a_new_image_runs_its_category(project: Project) -> None:
    forget(project)
    draw_image(project.folder / "pictures" / "dream" / "clock" / "9.png", seed=99)
    planned = project.plan()
    assert {job for job in planned if job[0] == "index_images"} == {("index_images", "clock")}
    assert {job for job in planned if job[0] == "classify"} == {
        ("classify", model, "clock") for model in MODELS
    }
    assert "images/clock.parquet (listing)" in note(project)


@pytest.mark.long
def test_without_records_another_mean_classifies_again(project: Project) -> None:
    forget(project)
    config = project.config
    config["models"][1]["mean"] = [0.4, 0.5, 0.6]
    project.configure(config)
    planned = project.plan()
    assert {job for job in planned if job[0] == "classify"} == {
        ("classify", "resnet", category) for category in CATEGORIES
    }
    assert "3 files in results/small/logits/resnet (mean)" in note(project)
    assert project.plan("weights") == set()  # what no target needs is no target


@pytest.mark.long
def test_without_records_other_intervals_make_tables_figures_and_page_again(
    project: Project,
) -> None:
    forget(project)
    project.configure({**project.config, "intervals": {"resamples": 200, "level": 0.9}})
    planned = {job[0] for job in project.plan()}
    assert {"accuracy", "agreement", "compare", "vqa", "plot_overview", "report"} <= planned
    assert not planned & {"classify", "ask", "score", "label_audit"}
    said = note(project)
    assert re.search(r"[0-9]+ files in results/small/figures \(level\)", said), said
    shutil.rmtree(project.results / "tables")  # a note names four groups
    assert "report.html (intervals, level)" in note(project)


@pytest.mark.long
def test_without_records_another_template_makes_the_page_again(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("src/synthsight/report/templates/report.html.j2", "</html>", "<!-- --></html>")
    assert project.plan() == {("report",)}
    forget(project)
    assert project.plan() == {("report",)}
    assert "report.html (code)" in note(project)


@pytest.mark.long
def test_without_records_and_weights_a_start_says_so(project: Project) -> None:
    """What a model's name stands for might be another today."""
    forget(project)
    shutil.rmtree(project.folder / "resources" / "weights")
    shutil.rmtree(project.results / "logits" / "effnet")
    (project.results / "scores" / "effnet.parquet").unlink()
    completed = project.snakemake("--dry-run", "scores")
    lines = (completed.stdout + completed.stderr).splitlines()
    (said,) = [line for line in lines if line.startswith("Note: results were made from files")]
    assert "no longer there (" in said and "--forceall" in said
    assert all(f"resources/weights/{name}.json" in said for name in ("resnet", "asked", "other"))
    assert "effnet" not in said  # it is fetched, and what rests on it made again


@pytest.mark.long
def test_without_records_what_is_gone_is_known_by_what_was_made_from_it(project: Project) -> None:
    """Pixels, manifests and logits follow from the plan, so that they can be compared unseen."""
    forget(project)
    shutil.rmtree(project.results / "pixels")
    shutil.rmtree(project.results / "logits")
    for path in (project.results / "images").iterdir():
        path.unlink()
    assert project.plan("tables", "figures") == set()
    assert "no longer there" not in project.snakemake("--dry-run").stdout
    config = project.config
    config["models"][1]["mean"] = [0.4, 0.5, 0.6]
    project.configure(config)
    assert {("classify", "resnet", "clock"), ("score", "resnet")} <= project.plan("tables")


@pytest.mark.long
def test_without_records_a_model_less_makes_tables_again(project: Project) -> None:
    """Their settings are as they were, and what they were made from is there."""
    forget(project)
    project.configure({**project.config, "models": project.config["models"][1:], "vqa": None})
    planned = {job[0] for job in project.plan()}
    assert {"accuracy", "agreement", "compare", "confusions", "report"} <= planned
    assert not planned & {"classify", "score"}


@pytest.mark.long
def test_files_of_earlier_configurations_are_named_and_not_read(project: Project) -> None:
    config = {**project.config, "categories": ["bagel", "clock"], "intervals": {"level": 0.9}}
    config |= {"models": config["models"][1:], "vqa": None, "matching": {"primary": "classes"}}
    project.configure(config)
    (project.results / "tables" / ".hidden").touch()
    said = project.run("scores", "--until", "score")
    left = re.search(r"Note: results/small holds (.*) files that do not belong to the", said)
    assert left, said
    named = [
        path
        for path in project.results.rglob("*.*")
        if {*path.parts} & {"tables", "figures", "scores", "logits", "images", "vqa", "export"}
        and not {*path.parts} & {"logs", "thumbnails", ".hidden"}
        and re.search(
            "vqa|effnet|toilet|questions|asked|other", str(path.relative_to(project.results))
        )
    ]
    assert int(left[1]) == len(named)
    run = api.open_run(project.results)
    assert (run.models, run.vqa_models, run.categories) == (("resnet",), (), ("bagel", "clock"))
    assert (run.rule, run.level) == ("classes", 0.9)
    assert set(run.scores("resnet")["category"]) == {"bagel", "clock"}
    with pytest.raises(api.ApiError, match=r"accuracy\.parquet is not of the run's last plan"):
        run.summary()
    (project.results / "plan.json").unlink()
    assert "Nothing to be done" in project.run("scores")
    assert api.open_run(project.results).level == 0.9


@pytest.mark.long
def test_without_records_refusing_questions_is_not_forgotten(project: Project) -> None:
    """A table that is for people only knows, too, how it was made."""
    forget(project)
    path = project.folder / "questions.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    assert ("list_excluded_questions",) in project.plan()


# Files in the place of others --------------------------------------------------------------------


#: Files copied over others, and the jobs that make these again.
COPIED: list[tuple[str, str, Job]] = [
    ("figures/kappa.pdf", "figures/overview.pdf", ("plot_overview",)),
    ("scores/resnet.parquet", "scores/effnet.parquet", ("score", "effnet")),
    ("vqa/asked.parquet", "vqa/other.parquet", ("score_vqa", "other")),
    ("vqa/answers/asked/1.parquet", "vqa/answers/other/1.parquet", ("ask", "other", "1")),
    ("images/toilet_seat.parquet", "images/bagel.parquet", ("index_images", "bagel")),
    ("figures/kappa.png", "figures/gallery.png", ("plot_gallery",)),
    ("logits/effnet/clock.parquet", "logits/resnet/clock.parquet", ("classify", "resnet", "clock")),
    ("tables/kappa.parquet", "tables/agreement.parquet", ("agreement",)),
]


@pytest.mark.long
@pytest.mark.parametrize("lost", [False, True], ids=["with records", "without records"])
@pytest.mark.parametrize("copied", [COPIED[:4], COPIED[4:]], ids=["first", "second"])
def test_files_in_the_places_of_others_are_made_again(
    project: Project, copied: list[tuple[str, str, Job]], lost: bool
) -> None:
    """No more of them at once than a note names."""
    if lost:
        forget(project)
    for one, other, _ in copied:
        status = (project.results / other).stat()
        shutil.copyfile(project.results / one, project.results / other)
        os.utime(project.results / other, ns=(status.st_atime_ns, status.st_mtime_ns))
    planned = project.plan()
    assert [job for _, _, job in copied if job not in planned] == []
    said = note(project)
    assert [other for _, other, _ in copied if f"{other} (" not in said] == [], said


def test_a_page_and_a_figure_alone_are_made_again(project: Project) -> None:
    """Nothing else is: what depends on neither is as it was."""
    shutil.copyfile(
        project.results / "figures" / "kappa.png", project.results / "figures" / "gallery.png"
    )
    assert project.plan() == {("plot_gallery",)}


def test_a_stage_refuses_files_made_for_another_place(project: Project) -> None:
    logits = project.results / "logits"
    shutil.copyfile(logits / "effnet" / "clock.parquet", logits / "resnet" / "clock.parquet")
    said = project.fail("--allowed-rules", "score", "--forcerun", "score", "--", "scores")
    assert "error" in said.lower()
    log = (project.results / "logs" / "score" / "resnet.log").read_text()
    assert "logits/resnet/clock.parquet was made as effnet/clock.parquet" in log


def test_a_page_of_another_run_is_made_again(project: Project) -> None:
    page = project.results / "report.html"
    text = page.read_text(encoding="utf-8")
    origin = read_origin(page)
    assert isinstance(origin, Mark)
    digest = origin.digest
    page.write_text(text.replace(digest, digest[::-1]), encoding="utf-8")
    assert project.plan() == {("report",)}


def pack(mark: Mark, inputs: Mapping[str, str]) -> bytes:
    """What a mark holds, with these inputs."""
    content = {**vars(mark), "spec": json.loads(str(mark.spec)), "inputs": inputs}
    del content["digest"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(zlib.compress(text.encode()))


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("figures/kappa.pdf", ("plot_kappa",)),
        ("figures/failures_clock.pdf", ("plot_failures", "clock")),
        ("report.html", ("report",)),
    ],
)
def test_what_was_made_from_other_inputs_is_made_again(
    project: Project, name: str, job: tuple[str, ...]
) -> None:
    """As the same run's with other images: settings, code and place are the same."""
    path = project.results / name
    mark = read_origin(path)
    assert isinstance(mark, Mark) and mark.inputs
    other = {each: chain[::-1] for each, chain in mark.inputs.items()}
    content, status = path.read_bytes(), path.stat()
    assert content.count(pack(mark, mark.inputs)) == 1
    path.write_bytes(content.replace(pack(mark, mark.inputs), pack(mark, other)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert project.plan() == {job}
    assert f"{name} (made from other inputs)" in note(project)


@pytest.mark.long
def test_a_table_for_people_that_was_edited_or_exchanged_is_made_again(project: Project) -> None:
    """CSV files say nothing of themselves; the Parquet files beside them do."""
    tables = project.results / "tables"
    for name in ("accuracy", "excluded"):
        path = tables / f"{name}.csv"
        exchange(path, path.read_bytes().replace(b",", b";", 1), seconds=0)
    assert {"accuracy", "list_excluded"} <= {job[0] for job in project.plan()}
    assert "2 files in results/small/tables (edited or exchanged)" in note(project)
    assert {path.stem for path in tables.glob("*.csv")} == {
        path.stem
        for path in tables.glob("*.parquet")
        if isinstance(said := read_origin(path), Origin) and said.beside
    }


# What the user gives: contents decide, not times -------------------------------------------------


@pytest.mark.long
def test_an_older_label_file_is_noticed(project: Project) -> None:
    path = project.folder / "labels.txt"
    names = path.read_text().splitlines()
    exchange(path, "\n".join([*names[1:], names[0]]).encode())
    planned = project.plan()
    assert {("score", model) for model in MODELS} <= planned and ("label_audit",) in planned
    assert not {job for job in planned if job[0] in ("classify", "fetch_weights")}


@pytest.mark.long
def test_an_older_checkpoint_is_noticed(project: Project) -> None:
    path = project.folder / "checkpoints" / "resnet.safetensors"
    other = project.folder / "other.safetensors"
    save_random_weights(other, "test_resnet", 6, seed=9)
    exchange(path, other.read_bytes())
    assert ("classify", "resnet", "clock") in project.plan()


def test_an_older_part_of_a_vqa_model_is_noticed(project: Project) -> None:
    path = project.folder / "checkpoints" / "ofa_other" / "vocab.json"
    vocabulary = json.loads(path.read_text())
    exchange(path, json.dumps(vocabulary, indent=1).encode())
    assert {job[0] for job in project.plan()} >= {"fetch_vqa", "ask"}


@pytest.mark.long
def test_older_questions_and_definitions_are_noticed(project: Project) -> None:
    path = project.folder / "questions.csv"
    exchange(path, path.read_bytes().replace(b"Is it red?,yes", b"Is it red?,no"))
    assert {job[0] for job in project.plan()} >= {"index_questions", "ask"}
    path = project.folder / "resources" / "categories.yaml"
    exchange(path, path.read_bytes() + b"\nbagel: {also: [pretzel]}\n" * 0 + b"\n# nothing\n")
    assert not {job for job in project.plan() if job[0] == "score"}


def test_files_that_were_only_touched_run_nothing(project: Project) -> None:
    for name in ("pictures", "checkpoints"):
        for path in (project.folder / name).rglob("*.*"):
            os.utime(path)
    for name in ("labels.txt", "questions.csv"):
        os.utime(project.folder / name)
    assert project.plan() == set()


@pytest.mark.long
def test_images_copied_anew_run_nothing_and_one_other_among_them_does(project: Project) -> None:
    pictures = project.folder / "pictures"
    shutil.copytree(pictures, project.folder / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(pictures)
    (project.folder / "copy").rename(pictures)
    forget(project)
    assert project.plan() == set()
    path = pictures / "muse" / "bagel" / "1.png"
    draw_image(path, seed=77, size=(95, 70))
    assert {job for job in project.plan() if job[0] == "index_images"} == {
        ("index_images", "bagel")
    }


# Weights -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_runs_with_one_name_for_two_checkpoints_do_not_fight(project: Project) -> None:
    first = project.config
    save_random_weights(project.folder / "checkpoints" / "b.safetensors", "test_resnet", 6, seed=3)
    second = {**first, "run": "second"}
    second["models"] = [{**first["models"][1], "checkpoint": "checkpoints/b.safetensors"}]
    second["vqa"] = None
    project.configure(second)
    project.run("logits")
    assert project.plan("logits") == set()
    project.configure(first)
    assert project.plan() == set()
    weights = sorted(path.stem for path in (project.folder / "resources/weights").glob("resnet*"))
    assert len({*weights}) == 2
    ours, theirs = (
        pq.read_table(project.folder / "results" / run / "logits" / "resnet" / "clock.parquet")
        for run in ("small", "second")
    )
    assert ours["image"].equals(theirs["image"]) and not ours["logits"].equals(theirs["logits"])

    # Nor is what one has made taken for the other's.
    part = "results/{}/logits/resnet/clock.parquet"
    theirs_, ours_ = (project.folder / part.format(run) for run in ("second", "small"))
    shutil.copy2(ours_, project.folder / "kept")
    shutil.copy2(theirs_, ours_)
    assert ("classify", "resnet", "clock") in project.plan()
    assert "made from other inputs" in note(project)
    shutil.copy2(project.folder / "kept", ours_)
    shutil.rmtree(project.folder / ".snakemake")
    assert project.plan() == set()

    # A flipped bit in either's weights is an error that names the file.
    path = next((project.folder / "resources" / "weights").glob("resnet-*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    project.configure(second)
    (project.results / "logits" / "resnet" / "clock.parquet").unlink()
    project.fail("logits")
    log = (project.results / "logs" / "classify" / "resnet" / "clock.log").read_text()
    assert f"{path.name} is not the file that" in log and "Traceback" not in log


# Versions ----------------------------------------------------------------------------------------


def made_with_another_torch(project: Project) -> None:
    path = project.results / "logits" / "resnet" / "clock.parquet"
    table, status = pq.read_table(path), path.stat()
    origin = json.loads(table.schema.metadata[KEY.encode()])
    origin["versions"]["torch"] = ["1.0"]
    described = {**table.schema.metadata, KEY.encode(): json.dumps(origin).encode()}
    pq.write_table(table.replace_schema_metadata(described), path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.long
def test_other_versions_are_noted_or_refused(project: Project) -> None:
    made_with_another_torch(project)
    said = note(project)
    assert "torch: 1.0 (1 files) and" in said and "--forceall" in said
    project.configure({**project.config, "versions": "refuse"})
    completed = project.snakemake("--dry-run")
    assert completed.returncode == 1
    assert "torch: 1.0" in completed.stdout + completed.stderr
    assert "`versions: refuse`" in completed.stdout + completed.stderr


@pytest.mark.long
def test_a_mix_of_versions_is_in_tables_and_on_the_page(project: Project) -> None:
    made_with_another_torch(project)
    project.run("--forcerun", "score", "--until", "score", "accuracy", "report")
    project.run()
    found = read_origin(project.results / "tables" / "accuracy.parquet")
    assert isinstance(found, Origin) and "1.0" in found.versions["torch"]
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert "Not all results were made with the same software" in page
    assert "torch: 1.0 and" in page


@pytest.mark.long
def test_a_damaged_cache_is_made_again(project: Project) -> None:
    project.plan()
    kept = project.folder / ".snakemake" / "synthsight"
    names = {path.name for path in kept.glob("*.json")}
    assert {"results-small.json", "sha256.json"} <= names
    for content in ("", "{", "[]", '{"files": 3, "said": {}}', '{"a": [1]}', "\0" * 9):
        for path in kept.glob("*.json"):
            path.write_text(content)
        assert project.plan() == set(), content
