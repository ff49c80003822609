"""The yes/no questions of a configuration, and the models that are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthsight.bounds import Key
from synthsight.files import hint_at, is_file, is_folder
from synthsight.images.groups import (
    PATTERNS,
    Found,
    groups_of,
    pattern_problem,
    without_ending,
)
from synthsight.images.rows import keep_rows
from synthsight.plan.config.endpoints import notes_on_endpoint
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.sources import unmatched
from synthsight.plan.config.vqa_models import check_vqa_models, digests_of_models
from synthsight.plan.settings import Settings, VqaModelSettings, VqaSettings
from synthsight.spelling import name_key, spelt
from synthsight.tabular import TableError
from synthsight.vqa.questions import GROUPS, Question, read_questions
from synthsight.vqa.shards import deal, shard_digest


@dataclass(frozen=True)
class Vqa:
    """The questions of an experiment and the models to ask.

    Attributes:
        root: folder that image paths are relative to.
        models: the models, by name, in the configuration's order.
        shards: a digest of each shard's questions and images, by shard.
        files: a digest of the local files, or the file of answers, of each model that has any.
        questions: the questions of each shard.
        content: a digest of all questions, including line numbers and those that are left out.
        images: number of images with questions that can be asked.
        groups: digest of which of these belong together, kept as :data:`GROUPS`; None if nothing
            tells.
        grouping: what tells it, in words, or None.
    """

    root: str
    models: dict[str, VqaModelSettings]
    shards: dict[str, str]
    files: dict[str, str]
    questions: dict[str, list[Question]]
    content: str
    images: int
    groups: str | None = None
    grouping: str | None = None

    @property
    def networks(self) -> dict[str, VqaModelSettings]:
        """The models that are run."""
        others = {*self.endpoints, *self.imported}
        return {name: each for name, each in self.models.items() if name not in others}

    @property
    def endpoints(self) -> dict[str, VqaModelSettings]:
        """The models that a server answers for."""
        return {name: each for name, each in self.models.items() if each.endpoint is not None}

    @property
    def imported(self) -> dict[str, VqaModelSettings]:
        """The models whose answers were made elsewhere."""
        return {name: each for name, each in self.models.items() if each.answers is not None}

    def program_of(self, name: str) -> str:
        """The program that writes a model's answers."""
        others = {
            **dict.fromkeys(self.endpoints, "ask_endpoint"),
            **dict.fromkeys(self.imported, "import_answers"),
        }
        return others.get(name, "ask")


def load_vqa(
    settings: Settings,
    without_images: bool,
    cache: Path,
    problems: list[Problem],
    warnings: list[str],
) -> Vqa | None:
    """The questions and the models to ask; None if there are none, or if something is wrong.

    Args:
        settings: settings of the experiment.
        without_images: whether the images have yet to be unpacked: the questions are not read then.
        cache: folder that caches digests of files.
        problems: to which everything wrong is added.
        warnings: to which everything else that the user should know is added.
    """
    about = settings.vqa
    if about is None:
        return None
    models = check_vqa_models(about.models, settings.models, about.questions, problems)
    for name, each in models.items():
        warnings += notes_on_endpoint(name, each.endpoint) if each.endpoint else []
    files = digests_of_models(models, cache, problems)
    root = Path(about.root or settings.images.root)
    if without_images:
        return Vqa(str(root), models, shards={}, files=files, questions={}, content="", images=0)
    if not is_folder(root):
        problems.append(Problem(("vqa", "root"), f"no folder {str(root)!r}{hint_at(root)}"))
        return None
    try:
        questions = read_questions(Path(about.questions), asdict(about.columns), root, warnings)
    except TableError as error:
        hint = "" if is_file(about.questions) else hint_at(about.questions)
        problems.append(Problem(("vqa", "questions"), f"{error}{hint}"))
        return None
    _check_excluded(questions, about, problems, warnings)
    dealt = deal(questions, about.shards)
    groups, grouping = _groups(about, dealt, cache, problems, warnings)
    return Vqa(
        root=str(root),
        models=models,
        shards={shard: shard_digest(part, root) for shard, part in dealt.items()},
        files=files,
        questions=dealt,
        content=hashlib.sha256(repr(questions).encode()).hexdigest(),
        images=len({question.image for part in dealt.values() for question in part}),
        groups=groups,
        grouping=grouping,
    )


def _groups(
    about: VqaSettings,
    dealt: Mapping[str, Sequence[Question]],
    cache: Path,
    problems: list[Problem],
    warnings: list[str],
) -> tuple[str | None, str | None]:
    """Which images belong together, kept in a folder of caches, and what tells it.

    Returns:
        A digest, and what tells groups, in words; None twice if nothing does.
    """
    told = {each.image: each.group for part in dealt.values() for each in part}
    images = sorted(told)
    key: Key = ("vqa", "group")
    by = f"the column {about.columns.group!r} of vqa.questions"
    stated = any(group is not None for group in told.values())
    if about.group is not None:
        by = PATTERNS[1]
        names = [without_ending(image) for image in images]
        if stated:
            message = (
                f"{about.questions} has a column {about.columns.group!r}, which says the same as "
                "this key does by a pattern: remove the key, or the column"
            )
            problems.append(Problem(key, message))
        elif wrong := pattern_problem(about.group) or unmatched(
            about.group, [names], "path below the questions' root"
        ):
            problems.append(Problem(key, wrong))
        else:
            told = dict(zip(images, groups_of(names, about.group), strict=True))
            stated = True
    if not stated or problems:
        return None, None
    found = Found(by)
    groups = [told[image] for image in images]
    found.count(images, groups, told)
    warnings += [f"{about.questions}: {sentence}" for sentence in found.sentences()]
    return keep_rows(cache, GROUPS, [images, groups]), by


def _check_excluded(
    questions: Sequence[Question], about: VqaSettings, problems: list[Problem], warnings: list[str]
) -> None:
    """Refuse questions that cannot be asked, or leave them out with a warning."""
    excluded = [question for question in questions if question.reason is not None]
    if excluded and about.invalid == "refuse":
        problems.append(Problem(("vqa", "questions"), _refusal(about.questions, excluded)))
    elif len(excluded) == len(questions):
        message = _refusal(about.questions, excluded)
        problems.append(Problem(("vqa", "questions"), f"no question can be asked: {message}"))
    elif excluded:
        warnings.append(
            f"{about.questions}: {len(excluded)} of {len(questions)} questions are left out; "
            "tables/excluded_questions.csv will say which and why"
        )


def other_spellings(vqa: Vqa | None, generators: Collection[str]) -> list[str]:
    """A note if questions spell generators otherwise than the folders of images do.

    Args:
        vqa: the questions.
        generators: those that have folders of images.
    """
    by_key = {name_key(name): name for name in sorted(generators)}
    shards = vqa.questions.values() if vqa is not None else ()
    asked = {each.generator for part in shards for each in part if each.generator is not None}
    pairs = [(name, by_key.get(name_key(name), name)) for name in sorted(asked)]
    named = [" and ".join(spelt(pair)) for pair in pairs if pair[0] != pair[1]]
    if not named:
        return []
    return [
        "generators are written otherwise in the questions than as folders of images: "
        f"{', '.join(named)}. Tables of questions and of images name them differently: give them "
        "one name"
    ]


def _refusal(file: str, excluded: Sequence[Question], most: int = 20) -> str:
    """The questions that cannot be asked, each with its line number."""
    lines = [f"line {question.line}: {question.reason}" for question in excluded[:most]]
    if len(excluded) > most:
        lines.append(f"... and {len(excluded) - most} more")
    return f"{len(excluded)} questions of {file} cannot be asked\n    " + "\n    ".join(lines)
