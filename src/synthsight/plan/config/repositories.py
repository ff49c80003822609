"""The classifiers of a configuration whose models are repositories, and what these say.

The files are small, and those of a hub are downloaded once: what they say is kept, with the commit,
so that a run needs no network to be planned again and the hub's later commits change nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synthsight.bounds import Key
from synthsight.classifiers.registry import OF_REPOSITORIES, OF_TEXTS, library_of
from synthsight.classifiers.repositories import Repository, RepositoryError, read_repository
from synthsight.errors import SynthsightError
from synthsight.files import keep, read_kept
from synthsight.labels.matching import Target
from synthsight.labels.spaces import space_of, space_of_length, wordnet_names
from synthsight.plan.config.messages import Problem
from synthsight.plan.settings import ModelSettings
from synthsight.wording import one_line

#: The default of the key `labels`, and what it says if the run's categories are the classes.
LABELS = "imagenet-1k"
CATEGORIES = "categories"


@dataclass(frozen=True)
class Repositories:
    """What the repositories of a configuration's classifiers say.

    Attributes:
        models: all classifiers' settings; where a repository names the classes, `labels` is where
            its names are kept.
        files: what a repository says, by the model's name.
        notes: what the user should know.
    """

    models: tuple[ModelSettings, ...]
    files: dict[str, Repository] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_repositories(
    models: Sequence[ModelSettings],
    labelled: Collection[int],
    cache: Path,
    problems: list[Problem],
) -> Repositories:
    """Read what the repositories of classifiers say.

    Args:
        models: the classifiers; those of libraries that know their models are left as they are.
        labelled: the places of those whose key `labels` is written, which then holds.
        cache: folder that keeps what a hub's repositories say, and the names of classes.
        problems: to which everything wrong is added.
    """
    found: list[ModelSettings] = []
    files: dict[str, Repository] = {}
    notes: list[str] = []
    for index, model in enumerate(models):
        library, name = library_of(model.model or "")
        settled = model
        if library in OF_REPOSITORIES:
            try:
                files[model.name] = read_kept_repository(name, model.checkpoint, cache)
                if library not in OF_TEXTS and index not in labelled:
                    settled = _labelled(model, files[model.name], cache, notes)
            except SynthsightError as error:
                local = model.checkpoint is not None
                key = "checkpoint" if local else "model"
                said = str(error) if local else f"{error}{ADVICE}"
                problems.append(Problem(("models", index, key), said))
        found.append(settled)
    return Repositories(tuple(found), files, notes)


#: What else to do about a hub that cannot be reached; the names are of one such model each.
ADVICE = (
    ". What a run is planned by, config.json and preprocessor_config.json, is fetched when the "
    "workflow starts: run `snakemake --dry-run` here once, while there is internet access"
)


def with_categories(
    models: Sequence[ModelSettings],
    targets: Sequence[Target],
    cache: Path,
    problems: list[Problem],
    notes: list[str],
) -> tuple[ModelSettings, ...]:
    """The classifiers' settings, `labels: categories` replaced by where these classes are kept.

    A category's class has its name and, so that the rules that go by chosen classes accept it, the
    names of the classes that a person chose for it.

    Args:
        models: the classifiers.
        targets: the run's categories; none as long as an archive has yet to be unpacked.
        cache: folder that keeps the names.
        problems: to which everything wrong is added.
        notes: to which everything else that the user should know is added.
    """
    found = []
    for index, model in enumerate(models):
        if model.labels == CATEGORIES:
            key: Key = ("models", index, "labels")
            if model.library not in OF_TEXTS and model.predictions is None:
                said = "the categories can only be the classes of a zero-shot classifier"
                said += ", zeroshot/OWNER/NAME, or of `predictions`"
                problems.append(Problem(key, said))
            elif len(targets) < 2:
                said = f"found {len(targets)} categories"
                if not targets:
                    said = "the categories are not known before the images are unpacked"
                problems.append(Problem(key, f"{said}; a choice needs two: list names in a file"))
            else:
                model = replace(model, labels=str(keep_categories(cache, targets)[0]))
                notes.append(
                    f"{model.name} chooses among this run's {len(targets)} categories, under every "
                    "rule: compare it with models of other classes under `restricted` alone"
                )
        found.append(model)
    return tuple(found)


def keep_categories(cache: Path, targets: Sequence[Target]) -> tuple[Path, tuple[str, ...]]:
    """A label file whose classes are a run's categories.

    Args:
        cache: folder that keeps it.
        targets: the categories.

    Returns:
        The file, and the names of the categories in the order of their classes.
    """
    classes = sorted((_class_of(target), target.name) for target in targets)
    path = _keep_classes(cache, CATEGORIES, [each for each, _ in classes])
    return path, tuple(name for _, name in classes)


def are_of_run(labels: str) -> bool:
    """Whether a label file is one that :func:`with_categories` has kept."""
    path = Path(labels)
    return path.parent.name == "classes" and path.name.startswith(f"{CATEGORIES}-")


def _class_of(target: Target) -> str:
    """The names of the class that a category is, as a label file has them."""
    known = wordnet_names()
    chosen = [name for each in target.classes or () for name in known.get(each, (each,))]
    plain = " ".join(target.name.replace("_", " ").replace(",", " ").split())
    return ", ".join(dict.fromkeys([plain, *chosen]))


def read_kept_repository(name: str, checkpoint: str | None, cache: Path) -> Repository:
    """What a repository says: of a local folder, or of the hub's, once, and then kept.

    Args:
        name: OWNER/NAME on the hub, perhaps with @REVISION.
        checkpoint: a local folder in its place, or None.
        cache: folder that keeps what a hub's repositories say.

    Raises:
        SynthsightError: it cannot be read or fetched.
    """
    if checkpoint is not None:
        return read_repository(name, checkpoint)
    digest = hashlib.sha256(name.encode()).hexdigest()[:24]
    path = cache / f"repository-{digest}.json"
    kept = read_kept(path, _is_repository)
    if kept is not None:
        return Repository(**kept)
    found = read_repository(name, None)
    keep(path, json.dumps(found.as_dict()))
    return found


def _is_repository(kept: Any) -> bool:
    """Whether a cache holds what a repository says, in the form that it is read in."""
    try:
        return (
            kept.keys() == {"config", "preprocessor", "revision"}
            and isinstance(kept["config"], dict)
            and isinstance(kept["preprocessor"], dict | None)
            and isinstance(kept["revision"], str)
        )
    except (KeyError, TypeError, AttributeError):
        return False


def _labelled(
    model: ModelSettings, repository: Repository, cache: Path, notes: list[str]
) -> ModelSettings:
    """The model with the label space that its repository means.

    Raises:
        RepositoryError: its classes have no names.
    """
    names = repository.classes
    if names is None and not repository.classifies:
        return model  # what it is instead is said where it is resolved
    if names is None:
        count = repository.count
        if space := space_of_length(count):
            notes.append(
                f"{model.name}: its config.json does not name its {count:,} classes; they are "
                f"taken for those of {space}, in their order"
            )
            return replace(model, labels=space)
        raise RepositoryError(
            f"its config.json has no names for its {count:,} classes: name a file with their names "
            "in `labels`"
        )
    known = space_of(names)
    if known is not None:
        return replace(model, labels=known)
    path = _keep_classes(cache, model.name, names)
    shown = one_line(", ".join(names[:3]), 80)
    notes.append(
        f"{model.name}: its {len(names):,} classes are those of its config.json ({shown}, ...), "
        f"kept in {path}; `labels` names others"
    )
    return replace(model, labels=str(path))


def _keep_classes(cache: Path, name: str, classes: Sequence[str]) -> Path:
    """A label file in the cache, called by what it holds; one that was edited is written again."""
    text = json.dumps(list(classes), ensure_ascii=False, indent=0)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    path = cache / "classes" / f"{name}-{digest}.json"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        keep(path, text)
    return path
