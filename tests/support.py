"""A small project to run the workflow in, and where the real data are that some tests use."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

from synthsight.files import sha256_of
from synthsight.inputs import INDEXED, describe
from synthsight.plan.figures import FIGURES, Figure
from synthsight.plan.kinds import KINDS
from synthsight.plan.tables import STATISTICS, Statistic
from synthsight.worker.server import import_program
from tests import warm, warm_worker
from tests.vqa_assets import save_ofa

# Tests run in several processes; with a thread for each core in all of them they would be slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).parents[1]

#: Real weights and images, beside a checkout; see its README for the licences.
REAL_DATA = REPOSITORY.parent / "shared" / "data"

#: What the workflow needs of the repository.
PARTS = ("Snakefile", "rules", "workflow", "profiles", "src", "resources/categories.yaml")

LABELS = ("bagel, beigel", "analog clock", "wall clock", "pretzel", "toilet seat", "hare")

#: A job of a plan: its rule and its wildcards' values.
Job = tuple[str, ...]


@dataclass
class Project:
    """A folder with a copy of the workflow, and the real command to run it.

    Snakemake and its workers' servers are forks of processes that have imported other packages
    already (``tests/warm.py``, ``tests/warm_worker.py``), unless it is ``cold``: then they start as
    they do for users.
    """

    folder: Path
    cold: bool = False

    @property
    def results(self) -> Path:
        return self.folder / "results" / str(self.config["run"])

    @property
    def config(self) -> dict[str, Any]:
        content = yaml.safe_load((self.folder / "config.yaml").read_text(encoding="utf-8"))
        assert isinstance(content, dict)
        return content

    def configure(self, config: dict[str, Any]) -> None:
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # What the profile keeps from the screen is looked at here, but where a test says otherwise.
        loud = [] if "--quiet" in arguments else ["--quiet=host"]
        command = [Path(sys.executable).with_name("snakemake"), *loud, *arguments]
        source = self.folder / "src"
        if self.cold:
            environment = {**os.environ, "PYTHONPATH": str(source)}
            return subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True
            )
        return warm.run(command, self.folder, {**os.environ, **warm_worker.environment(source)})

    def run(self, *arguments: str) -> str:
        """Run the workflow for real; it must succeed."""
        completed = self.snakemake("--cores", "2", *arguments)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed.stdout + completed.stderr

    def fail(self, *arguments: str) -> str:
        """Run the workflow; it must fail. Returns what it says."""
        completed = self.snakemake("--cores", "2", *arguments)
        assert completed.returncode != 0, "the run was expected to fail"
        return completed.stdout + completed.stderr

    def plan(self, *arguments: str) -> set[Job]:
        """The jobs that a run would have, without the target rule."""
        completed = self.snakemake("--dry-run", *arguments)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        jobs = set()
        for block in re.split(r"\n(?=(?:local)?rule )", completed.stdout):
            found = re.match(r"(?:local)?rule (\w+):", block)
            if found and found[1] != "all":
                wildcards = re.search(r"\n    wildcards: (.*)", block)
                values = re.findall(r"\w+=([^,]*)", wildcards[1]) if wildcards else []
                jobs.add((found[1], *values))
        return jobs


def copy_workflow(folder: Path) -> Project:
    for part in PARTS:
        source, target = REPOSITORY / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return Project(folder)


def draw_image(path: Path, seed: int, size: tuple[int, int] = (90, 70)) -> None:
    """A picture of soft colours, another one for each seed."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse.resize(size, Image.Resampling.BICUBIC).save(path)


def save_random_weights(
    path: Path, architecture: str, classes: int, seed: int, **more: Any
) -> None:
    """Weights for a timm architecture, random but not so small that all logits are alike."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    model = timm.create_model(architecture, num_classes=classes, **more)
    state = {
        name: tensor * 3 if tensor.ndim > 1 else tensor
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)


def assert_close(found: Any, expected: Any, share: float = 5e-5) -> None:
    """Equal but for rounding, as numbers are that networks compute.

    Batches, threads and processors sum in orders of their own. What that leaves follows the size of
    what is summed, so the bound is a share of the largest number expected, and the same for all.
    """
    one, other = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert one.shape == other.shape
    difference, bound = np.abs(one - other).max(), share * np.abs(other).max()
    assert difference <= bound, f"{difference:.3g} apart, more than {bound:.3g}"


def log_odds(probability: Any) -> Any:
    """The difference of two logits that a probability was made of: rounding follows its size."""
    p = np.asarray(probability, dtype=np.float64)
    return np.log(p) - np.log1p(-p)


def settle(model: Any, images: Any) -> None:
    """Fit the batch norms of a random network to some images and put it into evaluation mode.

    Without this the signal dies out on the way, and all images have nearly the same logits.
    """
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # a plain average
    with torch.no_grad():
        model.train()(images)
    model.eval()


def small_config() -> dict[str, Any]:
    """Two models with geometries of their own, three categories, two generators."""
    common = {"labels": "labels.txt", "interpolation": "bilinear"}
    return {
        "run": "small",
        "images": {"root": "pictures"},
        "models": [
            {
                "name": "effnet",
                "model": "timm/test_efficientnet",
                "checkpoint": "checkpoints/effnet.safetensors",
                "resize": 72,
                "crop": 64,
                **common,
            },
            {
                "name": "resnet",
                "model": "timm/test_resnet",
                "checkpoint": "checkpoints/resnet.safetensors",
                "resize": 64,
                "crop": False,
                "reference": {"top1": 0.9, "top5": 0.99, "source": "a test"},
                **common,
            },
        ],
        "intervals": {"resamples": 200},
        "vqa": {
            "questions": "questions.csv",
            "shards": 2,
            "models": [
                {"name": "asked", "checkpoint": "checkpoints/ofa_asked"},
                {"name": "other", "checkpoint": "checkpoints/ofa_other"},
            ],
        },
    }


def small_questions() -> str:
    """CSV of four questions about each of six images, and one that cannot be asked."""
    rows = ["image,question,answer,generator"]
    for number, image in enumerate(
        f"{generator}/{category}/0.png"
        for generator in ("dream", "muse")
        for category in ("bagel", "clock", "toilet_seat")
    ):
        for kind, question in enumerate(
            ("Is there a bagel?", "Is it red?", "Are there two clocks?", "Is nobody there?")
        ):
            answer = "no" if (number + kind) % 3 else "yes"
            rows.append(f"{image},{question},{answer},{image.split('/')[0]}")
    rows.append("dream/bagel/9.png,Is it there?,yes,dream")
    return "\n".join(rows) + "\n"


def run_small_project(folder: Path) -> Project:
    """Make the small project, and run it."""
    project = copy_workflow(folder / "project")
    (project.folder / "labels.txt").write_text("\n".join(LABELS) + "\n", encoding="utf-8")
    for seed, architecture in enumerate(("test_efficientnet", "test_resnet")):
        name = architecture.removeprefix("test_").replace("efficient", "eff")
        target = project.folder / "checkpoints" / f"{name}.safetensors"
        save_random_weights(target, architecture, len(LABELS), seed)
    seed = 0
    for generator in ("dream", "muse"):
        for category in ("bagel", "clock", "toilet_seat"):
            for number in range(2):
                seed += 1
                path = project.folder / "pictures" / generator / category / f"{number}.png"
                draw_image(path, seed, size=(90 + 5 * number, 70))
    for seed, name in enumerate(("ofa_asked", "ofa_other")):
        save_ofa(project.folder / "checkpoints" / name, seed)
    (project.folder / "questions.csv").write_text(small_questions(), encoding="utf-8")
    project.configure(small_config())
    project.run("all", "rating")
    return project


def add_people(project: Project) -> None:
    """Let three people label the images of the small project, and two answer its questions."""
    images = sorted((project.folder / "pictures").rglob("*.png"))
    names = [path.relative_to(project.folder / "pictures").as_posix() for path in images]
    rows = ["rater,image,response,seconds"]
    for rater in range(3):
        for number, name in enumerate(names):
            right = name.split("/")[1].replace("_", " ")
            said = ("other", "cannot tell", "clock")[rater] if (number + rater) % 4 == 0 else right
            rows.append(f"r{rater},{name},{said},1.5")
    rows.append("r0,dream/bagel/0.png,clock,2")
    (project.folder / "people.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    questions = small_questions().splitlines()[1:-1]
    answers = ["rater,image,question,response"]
    for rater in range(2):
        for number, line in enumerate(questions):
            image, question, answer, _ = line.split(",")
            said = "cannot tell" if (number + 2 * rater) % 5 == 0 else answer
            answers.append(f"r{rater},{image},{question},{said}")
    (project.folder / "answers.csv").write_text("\n".join(answers) + "\n", encoding="utf-8")
    people = {"labels": "people.csv", "answers": "answers.csv"}
    project.configure({**project.config, "people": people})


# Programs that go by rows -----------------------------------------------------------------------


def tabulate(
    rule: str, folder: Path, spec: dict[str, Any], **inputs: Path | Sequence[Path]
) -> subprocess.CompletedProcess[str]:
    """Make the tables of a row, in ``folder``, with the program that the workflow calls."""
    (row,) = (row for row in STATISTICS if row.rule == rule)
    assert row.function is not None and set(inputs) == set(row.inputs)
    endings = [
        (table.name, ending)
        for table in row.tables
        for ending in (("csv", "parquet") if table.csv else ("parquet",))
    ]
    tables = [folder / f"{name}.{ending}" for name, ending in endings]
    return _program("tabulate", row, inputs, ["--tables", *tables], spec)


def plot(
    name: str,
    folder: Path,
    spec: dict[str, Any],
    root: Path | str = "",
    **inputs: Path | Sequence[Path],
) -> subprocess.CompletedProcess[str]:
    """Draw the figure of a row to ``folder/figure.pdf`` and ``.png``, as the workflow does."""
    (row,) = (row for row in FIGURES if row.name == name)
    assert set(inputs) == set(row.inputs)
    assert bool(root) == (row.pictures is not None)
    if root:
        inputs = {**inputs, INDEXED: _index(Path(root), folder.with_name("indexed.parquet"))}
    outputs = ["--figures", folder / "figure.pdf", folder / "figure.png"]
    return _program("plot", row, inputs, [*outputs, "--root", *([root] if root else [])], spec)


def _index(root: Path, output: Path) -> Path:
    """What the figure's program needs to know of the images below a folder."""
    images = sorted(path for path in root.rglob("*") if path.is_file())
    columns = {
        "image": [path.relative_to(root).as_posix() for path in images],
        "sha256": [sha256_of(path) for path in images],
    }
    pq.write_table(pa.table(columns), output)
    return output


def _program(
    program: str,
    row: Figure | Statistic,
    inputs: Mapping[str, Path | Sequence[Path]],
    outputs: Sequence[Path | str],
    spec: dict[str, Any],
) -> subprocess.CompletedProcess[str]:
    lists = {
        parameter: [files] if isinstance(files, Path) else list(files)
        for parameter, files in inputs.items()
    }
    described = describe(
        (
            parameter,
            "checksums" if parameter == INDEXED else KINDS.get(row.inputs[parameter], "table"),
            len(files),
        )
        for parameter, files in lists.items()
    )
    arguments = [
        *("--function", str(row.function)),
        *("--inputs", *described),
        *("--files", *(file for files in lists.values() for file in files)),
        *("--spec", json.dumps(spec)),
        *outputs,
    ]
    return run_program(program, *arguments)


def run_program(program: str, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    """Run one of the workflow's programs in this process: what a process of its own would give."""
    file = REPOSITORY / "workflow" / "scripts" / f"{program}.py"
    output, error = io.StringIO(), io.StringIO()
    status: object = None
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(error),
        mock.patch.object(sys, "argv", [str(file), *map(str, arguments)]),
    ):
        try:
            import_program(file)()
        except SystemExit as end:
            status = end.code
        except Exception:
            traceback.print_exc()
            status = 1
    if isinstance(status, str):
        print(status, file=error)
        status = 1
    return subprocess.CompletedProcess(
        [str(file), *map(str, arguments)], int(status or 0), output.getvalue(), error.getvalue()
    )
