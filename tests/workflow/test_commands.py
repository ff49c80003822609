"""What the rules tell their programs, read off the commands of a plan that has every job."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synthsight.labels.matching import words
from synthsight.plan.digest import code_digest
from synthsight.plan.figures import FIGURES
from synthsight.plan.tables import STATISTICS
from tests.support import REPOSITORY, Project

PROGRAMS = REPOSITORY / "workflow" / "scripts"

#: Options that name a table or figure by its kind of file.
ENDINGS = ("csv", "parquet", "pdf", "png")

#: Options that list outputs, which are named by their files.
LISTS = ("--tables", "--figures")


@dataclass
class Command:
    """A job's rule, the files that it makes, and the words of its command."""

    rule: str
    outputs: list[str]
    words: list[str]

    @property
    def program(self) -> str:
        return next(
            word for word in self.words if word.endswith(".py") and word != "with_worker.py"
        )

    def values(self, option: str) -> list[str]:
        """What stands behind an option, or in it behind a ``=``."""
        pairs = zip(self.words, [*self.words[1:], "--"], strict=True)
        behind = [after for word, after in pairs if word == option and not after.startswith("--")]
        inside = [word for word in self.words if word.startswith(f"{option}=")]
        return [*behind, *(word.partition("=")[2] for word in inside)]

    @property
    def spec(self) -> dict[str, Any]:
        """Empty where there is none. A long one is given as a file that the shell makes."""
        if "--spec" not in self.words:
            return {}
        behind = self.words[self.words.index("--spec") :]
        text = next(word for word in behind if word.startswith("{"))
        found = json.JSONDecoder().raw_decode(text)[0]
        assert isinstance(found, dict)
        return found

    @property
    def options(self) -> dict[str, str]:
        """The option in front of each output."""
        found = {}
        for before, word in zip(self.words, self.words[1:], strict=False):
            option, equals, value = word.partition("=")
            if equals and option.startswith("--"):
                found[value] = option
            elif found.get(before) in LISTS and not word.startswith("--"):
                found[word] = found[before]
            elif before.startswith("--"):
                found[word] = before
        return {output: found[output] for output in self.outputs if output in found}


def commands(project: Project, *arguments: str) -> list[Command]:
    """All jobs of a complete run that call a program."""
    done = project.snakemake("--dry-run", "--forceall", "--printshellcmds", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    found = []
    for block in re.split(r"\n(?=(?:local)?rule )", done.stdout)[1:]:
        (rule,) = re.findall(r"^(?:local)?rule (\w+):", block)
        text = re.search(r"Shell command:(.*?)\n *\n", block, re.DOTALL)
        if text and "with_worker.py" in text[1]:
            outputs = re.findall(r"^    output: (.*)", block, re.MULTILINE)
            words = shlex.split(text[1])
            found.append(Command(rule, outputs[0].split(", ") if outputs else [], words))
    return found


@pytest.fixture(scope="module")
def planned(finished: Project) -> list[Command]:
    found = commands(finished)
    assert len({command.rule for command in found}) > 30
    return found


@pytest.mark.long
def test_the_code_of_a_job_is_that_of_the_program_that_it_calls(planned: list[Command]) -> None:
    """Whatever the worker and Snakemake are told: an edit of another program runs nothing here."""
    for command in planned:
        digest = code_digest(PROGRAMS / command.program, command.values("--door"))
        assert command.values("--code") == [digest], command.rule


def test_a_program_is_called_as_the_rule_is(planned: list[Command]) -> None:
    functions = {row.rule: row.function for row in STATISTICS if row.function}
    functions |= {f"plot_{row.name}": row.function for row in FIGURES}
    for command in planned:
        stem = Path(command.program).stem
        if stem in ("tabulate", "plot"):
            assert command.values("--function") == [functions[command.rule]], command.rule
        else:
            assert command.rule == stem or command.rule.startswith(f"{stem}_"), command.rule
    # The small project has no photographs and nothing that people say, asks nothing blind, and
    # learns nothing.
    absent = {"robustness", "plot_robustness", "plot_drops", "plot_vqa_seeing"}
    absent |= {"people", "plot_people", "people_answers", "adaptation", "plot_adaptation"}
    absent |= {"attributes", "plot_attributes"}
    absent |= {"transfer", "plot_transfer", "plot_transfer_curves", "distances", "plot_distances"}
    assert {command.rule for command in planned} >= set(functions) - absent, "rows without a job"


def test_each_output_is_given_as_what_it_is(planned: list[Command]) -> None:
    """An option says by its name which table it is for, and of what kind the file is."""
    named = 0
    for command in planned:
        assert set(command.options) == {*command.outputs}, f"{command.rule}: an output is not told"
        for output, option in command.options.items():
            *of, kind = option.removeprefix("--").split("-")
            if kind in ENDINGS:
                assert output.endswith(f".{kind}"), f"{command.rule}: {option} {output}"
                assert set(of) <= {*Path(output).stem.split("_")}, f"{command.rule}: {option}"
                named += bool(of)
            elif option in LISTS:
                kinds = (".csv", ".parquet") if option == "--tables" else (".pdf", ".png")
                assert Path(output).suffix in kinds
                named += 1
    assert named > 15


# What the configuration says, in every command that it concerns ----------------------------------


@pytest.mark.long
def test_the_level_of_intervals_reaches_all_that_shows_them(project: Project) -> None:
    """And those who only draw them: a figure's heading, and the report, state it."""
    intervals = {**project.config["intervals"], "level": 0.9}
    project.configure({**project.config, "intervals": intervals})
    told = {c.rule: c.spec["level"] for c in commands(project) if "level" in c.spec}
    assert set(told.values()) == {0.9}
    assert told.keys() == {
        *("accuracy", "agreement", "calibration", "compare", "generators", "reference", "vqa"),
        *(f"plot_{n}" for n in ("overview", "models", "reference", "generators", "calibration")),
        *(f"plot_{name}" for name in ("vqa_accuracy", "vqa_kinds", "vqa_calibration")),
        *(f"export_{name}" for name in ("accuracy", "vqa", "results", "every_eval_ever")),
        "report",
    }


@pytest.mark.long
def test_images_are_looked_for_where_the_configuration_says(project: Project) -> None:
    """Those that questions are about may lie elsewhere."""
    (project.folder / "pictures").rename(project.folder / "asked about")
    shutil.copytree(project.folder / "asked about", project.folder / "classified")
    config = project.config
    config["images"]["root"] = "classified"
    config["vqa"]["root"] = "asked about"
    project.configure(config)
    told: dict[str, set[str]] = {}
    for command in commands(project):
        roots = {*command.values("--root"), *command.values("--questions-root")}
        roots |= {command.spec["root"]} if "root" in command.spec else set()
        for root in roots:
            told.setdefault(root, set()).add(command.rule)
    assert told == {
        "classified": {
            *("index_images", "prepare_pixels", "thumbnails", "thumbnails_duplicates"),
            *("plot_failures", "plot_gallery", "plot_samples"),
        },
        "asked about": {
            *("index_questions", "list_excluded_questions", "ask"),
            *("plot_vqa_samples", "thumbnails_vqa"),
        },
    }


@pytest.mark.long
def test_names_of_any_characters_reach_the_programs_whole(project: Project) -> None:
    """Through wildcards, which Snakemake matches by patterns, and through the shell."""
    models = {
        "effnet": """-a [x]?*: 50% "q" 's'""",
        "resnet": "$HOME `id` <B> \\n ü",
        "asked": "=1+1;& | # ~ @x !",
    }
    category = """bagel's "<I>" $X: 100% ?*[a] & \\ | ~ é"""
    config = project.config
    for model in (*config["models"], *config["vqa"]["models"]):
        model["name"] = models.get(model["name"], model["name"])
    project.configure(config)
    labels = project.folder / "labels.txt"
    labels.write_text(
        labels.read_text().replace("bagel, beigel", " ".join(words(category))), encoding="utf-8"
    )
    for generator in (project.folder / "pictures").iterdir():
        (generator / "bagel").rename(generator / category)

    told = {word for command in commands(project) for word in command.words}
    made = [f"images/{category}", f"scores/{models['resnet']}", f"vqa/{models['asked']}"]
    made += [f"logits/{models[name]}/{category}" for name in ("effnet", "resnet")]
    assert {f"results/small/{path}.parquet" for path in made} <= told


@pytest.mark.long
def test_the_order_of_the_configuration_is_in_no_command(
    project: Project, planned: list[Command]
) -> None:
    """Not even in the order of files: what a program gets to read decides what it writes."""
    config = project.config
    config["models"].reverse()
    config["vqa"]["models"].reverse()
    config["categories"] = ["toilet_seat", "bagel", "clock"]
    project.configure(config)
    again = {(command.rule, *command.words) for command in commands(project)}
    assert again == {(command.rule, *command.words) for command in planned}
