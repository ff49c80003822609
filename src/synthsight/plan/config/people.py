"""The files of what people say: which they are, and whether they can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from synthsight.bounds import Key
from synthsight.files import Digests, hint_at, is_file
from synthsight.people.responses import KINDS, read_responses
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path, named_files
from synthsight.plan.settings import PeopleSettings, Settings
from synthsight.tabular import TableError


@dataclass(frozen=True)
class People:
    """The files of an experiment that hold what people say.

    Attributes:
        labels: the sha256 of each file of labels, by its path.
        answers: likewise, of each file of answers to questions.
    """

    labels: Mapping[str, str]
    answers: Mapping[str, str]

    @property
    def files(self) -> list[str]:
        """All of them, sorted."""
        return sorted({*self.labels, *self.answers})


def files_of(people: PeopleSettings, kind: str) -> Iterator[tuple[Key, str]]:
    """The files of ``labels``, or of ``answers``, each with its key."""
    yield from named_files(("people", kind), getattr(people, kind))


def people_files(settings: Settings) -> Iterator[tuple[Key, str]]:
    """All files of what people say, each with its key."""
    for kind in KINDS if settings.people is not None else ():
        assert settings.people is not None
        yield from files_of(settings.people, kind)


def load_people(
    settings: Settings, cache: Path, problems: list[Problem], warnings: list[str]
) -> People | None:
    """The files of what people say; None if there are none, or if something is wrong.

    Each is read to its end, so that what cannot be read at all is said before any job runs. Which
    rows count is found out when the images are known (:mod:`synthsight.people.import_people`).

    Args:
        settings: settings of the experiment.
        cache: folder that caches digests of files.
        problems: to which everything wrong is added.
        warnings: to which everything else that the user should know is added.
    """
    about = settings.people
    if about is None:
        return None
    if about.labels is None and about.answers is None:
        message = "give `labels`, `answers` or both: files of what people say"
        problems.append(Problem(("people",), message))
    if about.answers is not None and settings.vqa is None:
        message = "people answer the questions of `vqa`, and none are asked: add `vqa`"
        problems.append(Problem(("people", "answers"), message))
    digests = Digests(cache / "sha256_people.json")
    found: dict[str, dict[str, str]] = {}
    for kind in KINDS:
        found[kind] = {}
        for key, path in files_of(about, kind):
            reason = bad_path(path) or _unreadable(path, about, kind, warnings)
            if reason is None:
                digest = digests.of(path)
                same = next((f for f, other in found[kind].items() if other == digest), None)
                if same is not None:
                    reason = f"{path!r} is the same file as {same!r}: list it once"
                found[kind][path] = digest
            if reason is not None:
                problems.append(Problem(key, reason))
    digests.save()
    return People(found["labels"], found["answers"])


def _unreadable(path: str, about: PeopleSettings, kind: str, warnings: list[str]) -> str | None:
    """Why a file cannot be read, or None; notes on it are added to ``warnings``."""
    try:
        read_responses(Path(path), asdict(about.columns), kind, warnings)
    except TableError as error:
        return f"{error}{'' if is_file(path) else hint_at(path)}"
    return None
