"""Paths of a configuration that begin with ``~``, which shells expand and YAML does not."""

from __future__ import annotations

from collections.abc import Iterator

from synthsight.archives.archive import local_path
from synthsight.bounds import Key
from synthsight.files import hint_at_home
from synthsight.plan.config.elsewhere import real_entries
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import named_files
from synthsight.plan.config.people import people_files
from synthsight.plan.settings import Settings, urls_of


def home_problems(settings: Settings) -> list[Problem]:
    """A problem for each such path, with what to write.

    They are refused before anything is looked for, also where a folder would be made.
    """
    return [
        Problem(key, f"{path!r}: {hint}")
        for key, path in _paths(settings)
        if path is not None and (hint := hint_at_home(path))
    ]


def _paths(settings: Settings) -> Iterator[tuple[Key, str | None]]:
    """Every key that holds a path on this machine."""
    yield ("images", "root"), settings.images.root
    yield ("images", "table"), settings.images.table
    yield from real_entries(settings.images)
    yield from named_files(("images", "marks"), settings.images.marks)
    if settings.images.attributes is not None:
        yield ("images", "attributes", "table"), settings.images.attributes.table
    if settings.images.archive is not None:
        archive = settings.images.archive
        one = isinstance(archive.url, str)
        for index, url in enumerate(urls_of(archive)):
            file = local_path(url)
            key: Key = ("images", "archive", "url")
            yield key if one else (*key, index), None if file is None else str(file)
        yield ("images", "archive", "labels"), archive.labels
    yield ("category_definitions",), settings.category_definitions
    for index, model in enumerate(settings.models):
        yield ("models", index, "checkpoint"), model.checkpoint
        yield ("models", index, "predictions"), model.predictions
        yield ("models", index, "labels"), model.labels
    for index, encoder in enumerate(settings.encoders):
        yield ("encoders", index, "checkpoint"), encoder.checkpoint
    yield from people_files(settings)
    if settings.vqa is not None:
        yield from named_files(("vqa", "questions"), settings.vqa.questions)
        yield from named_files(("vqa", "annotations"), settings.vqa.annotations)
        yield ("vqa", "root"), settings.vqa.root
        for index, asked in enumerate(settings.vqa.models):
            yield ("vqa", "models", index, "checkpoint"), asked.checkpoint
            yield ("vqa", "models", index, "tokenizer"), asked.tokenizer
            yield ("vqa", "models", index, "answers"), asked.answers
