"""The encoders of a configuration: models of which nothing but features is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthsight.bounds import Key
from synthsight.classifiers.registry import OF_REPOSITORIES, library_of
from synthsight.classifiers.repositories import Repository
from synthsight.errors import SynthsightError
from synthsight.files import Digests
from synthsight.plan.config import models
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import check_model_name
from synthsight.plan.config.networks import Encoder, check_network, content_of, settled
from synthsight.plan.config.repositories import ADVICE, read_kept_repository
from synthsight.plan.settings import EncoderSettings, Settings

#: The settings that are resolved.
_RESOLVED = (
    *("model", "arguments", "resize", "crop", "interpolation"),
    *("mean", "std"),
)


def check_encoders(settings: Settings, problems: list[Problem]) -> None:
    """Check the encoders' settings themselves; their names stand beside those of all models."""
    taken = {model.name: f"models[{index}]" for index, model in enumerate(settings.models)}
    if settings.vqa is not None:
        asked = enumerate(settings.vqa.models)
        taken |= {model.name: f"vqa.models[{index}]" for index, model in asked}
    for index, encoder in enumerate(settings.encoders):
        key: Key = ("encoders", index)
        check_model_name(encoder.name, taken, key, problems)
        taken[encoder.name] = f"encoders[{index}]"
        check_network(encoder, key, problems)


def resolve_encoders(
    entries: Sequence[EncoderSettings], preprocess: str, cache: Path, problems: list[Problem]
) -> dict[str, Encoder]:
    """Resolve the encoders, by name, in the configuration's order."""
    if not entries:
        return {}
    wrong: list[Problem] = []
    repositories = [_repository(*each, cache, wrong) for each in enumerate(entries)]
    problems += wrong
    if wrong:
        return {}
    requests = [
        {key: getattr(entry, key) for key in _RESOLVED}
        | {"encoder": True, "local": entry.checkpoint is not None}
        | ({} if said is None else {"files": said.as_dict()})
        for entry, said in zip(entries, repositories, strict=True)
    ]
    answers = models.resolve_cached(requests, preprocess, cache)
    digests = Digests(cache / "sha256.json")
    found = {}
    for index, (entry, answer) in enumerate(zip(entries, answers, strict=True)):
        key: Key = ("encoders", index)
        if "error" in answer:
            message = answer["error"].removeprefix(f"{entry.model}: ")
            problems.append(Problem(key, f"{entry.model}: {message}"))
            continue
        content = content_of(entry.checkpoint, (*key, "checkpoint"), digests, problems)
        about = settled(answer["model"], entry.checkpoint, content)
        found[entry.name] = Encoder(name=entry.name, **about)
    digests.save()
    return found


def _repository(
    index: int, encoder: EncoderSettings, cache: Path, problems: list[Problem]
) -> Repository | None:
    """What an encoder's repository says of it, if it is one."""
    library, name = library_of(encoder.model)
    if library not in OF_REPOSITORIES:
        return None
    try:
        return read_kept_repository(name, encoder.checkpoint, cache)
    except SynthsightError as error:
        local = encoder.checkpoint is not None
        said = str(error) if local else f"{error}{ADVICE}"
        problems.append(Problem(("encoders", index, "checkpoint" if local else "model"), said))
        return None
