"""The configuration's settings, typed: a class for each mapping, a field for each key.

The schema (``workflow/schemas/config.schema.yaml``) has the same keys and explains each; a test
keeps the two in sync.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from synthsight.classifiers.registry import library_of
from synthsight.plan.attribute_settings import AttributeSettings
from synthsight.plan.shown import FigureSettings, RatingSettings, ReportSettings

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class SetColumnSettings:
    """``images.archive.columns``."""

    image: str | None
    category: str | None
    generator: str | None
    group: str | None
    prompt: str | None


@dataclass(frozen=True)
class ArchiveSettings:
    """``images.archive``."""

    url: str | tuple[str, ...]
    sha256: str | tuple[str, ...] | None
    folder: str
    columns: SetColumnSettings
    labels: str | None


def urls_of(archive: ArchiveSettings) -> tuple[str, ...]:
    """What ``images.archive.url`` names: one, or a list."""
    return (archive.url,) if isinstance(archive.url, str) else archive.url


@dataclass(frozen=True)
class ImageColumnSettings:
    """``images.columns``."""

    image: str
    category: str
    generator: str
    group: str
    prompt: str
    real: str
    split: str


@dataclass(frozen=True)
class ImageSettings:
    """``images``. With an archive, ``root`` is the folder in it that holds the images."""

    root: str
    max_pixels: int
    part: int
    archive: ArchiveSettings | None
    table: str | None
    columns: ImageColumnSettings
    split: str | None
    real: str | tuple[str, ...] | None
    group: str | None
    duplicates: str
    marks: str | tuple[str, ...] | None
    attributes: AttributeSettings | None


@dataclass(frozen=True)
class ReferenceSettings:
    """``models[].reference``: the accuracy on real photographs, as fractions."""

    top1: float
    top5: float
    source: str


@dataclass(frozen=True)
class PredictionColumnSettings:
    """``models[].columns``."""

    image: str | None
    label: str | None
    index: str | None
    rank: str | None
    probability: str | None
    logits: str | None


@dataclass(frozen=True)
class ModelSettings:
    """``models[]``: one classifier. ``name`` is filled in where it was left out.

    One of ``model`` and ``predictions`` is given.
    """

    model: str | None
    predictions: str | None
    missing: str
    columns: PredictionColumnSettings
    name: str
    checkpoint: str | None
    arguments: dict[str, Any]
    labels: str
    names: str | None
    templates: str | tuple[str, ...] | None
    resize: int | tuple[int, ...] | None
    crop: int | bool | tuple[int, ...] | None
    interpolation: str | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    reference: ReferenceSettings | None
    features: bool

    @property
    def library(self) -> str:
        """The library of the model; empty of predictions made elsewhere."""
        return "" if self.model is None else library_of(self.model)[0]


@dataclass(frozen=True)
class EncoderSettings:
    """``encoders[]``: a model of which nothing but features is wanted, named like a classifier."""

    model: str
    name: str
    checkpoint: str | None
    arguments: dict[str, Any]
    resize: int | tuple[int, ...] | None
    crop: int | bool | tuple[int, ...] | None
    interpolation: str | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None

    @property
    def library(self) -> str:
        """The library of the model."""
        return library_of(self.model)[0]


@dataclass(frozen=True)
class TransferSettings:
    """``transfer``."""

    models: tuple[str, ...] | None
    per_category: tuple[int | str, ...]
    folds: int
    resamples: int
    export: bool


@dataclass(frozen=True)
class DistanceSettings:
    """``distances``."""

    models: tuple[str, ...] | None
    nearest: int
    halves: int
    permutations: int


@dataclass(frozen=True)
class MapSettings:
    """``map``."""

    models: tuple[str, ...] | None
    perplexity: float
    images: int


@dataclass(frozen=True)
class AdaptSettings:
    """``adapt[]``: a model that is trained on the run's images, named like a classifier."""

    model: str
    method: str
    name: str
    sources: str | tuple[str, ...]
    folds: int
    epochs: int
    learning_rate: float
    batch_size: int
    seed: int


@dataclass(frozen=True)
class MatchingSettings:
    """``matching``."""

    rules: tuple[str, ...]
    primary: str
    aggregation: str


@dataclass(frozen=True)
class IntervalSettings:
    """``intervals``."""

    level: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class VqaReferenceSettings:
    """``vqa.models[].reference``: the accuracy on VQA-v2, as fractions."""

    yes_no: float | None
    overall: float | None
    source: str


#: Settings of an endpoint that say how it is asked and what is allowed, not what it answers.
ENDPOINT_WAYS = ("key_env", "concurrency", "timeout", "allow_upload", "allow_unanswered")


@dataclass(frozen=True)
class EndpointSettings:
    """``vqa.models[].endpoint``."""

    url: str
    model: str
    key_env: str | None
    logprobs: str
    max_side: int | None
    max_tokens: int
    concurrency: int
    timeout: float
    allow_upload: bool
    allow_unanswered: float


@dataclass(frozen=True)
class AnswerColumnSettings:
    """``vqa.models[].columns``."""

    image: str | None
    question: str | None
    answer: str | None
    p_yes: str | None


@dataclass(frozen=True)
class VqaModelSettings:
    """``vqa.models[]``: one VQA model. ``name`` is filled in where it was left out.

    One of ``model``, ``checkpoint``, ``endpoint`` and ``answers`` is given.
    """

    model: str | None
    checkpoint: str | None
    endpoint: EndpointSettings | None
    answers: str | None
    columns: AnswerColumnSettings
    missing: str
    name: str
    tokenizer: str | None
    image_size: int | None
    prompt: str | None
    interpolate_position: bool | None
    reference: VqaReferenceSettings | None


@dataclass(frozen=True)
class ColumnSettings:
    """``vqa.columns``."""

    image: str
    question: str
    answer: str
    generator: str
    objects: str
    group: str


@dataclass(frozen=True)
class VqaSettings:
    """``vqa``."""

    questions: str | tuple[str, ...]
    annotations: str | tuple[str, ...] | None
    root: str | None
    columns: ColumnSettings
    group: str | None
    invalid: str
    blind: bool
    shards: int
    batch_size: int
    models: tuple[VqaModelSettings, ...]


@dataclass(frozen=True)
class PeopleColumnSettings:
    """``people.columns``."""

    rater: str
    image: str
    question: str
    response: str


@dataclass(frozen=True)
class PeopleSettings:
    """``people``."""

    labels: str | tuple[str, ...] | None
    answers: str | tuple[str, ...] | None
    columns: PeopleColumnSettings


@dataclass(frozen=True)
class Settings:
    """The whole configuration, defaults filled in."""

    run: str
    images: ImageSettings
    categories: tuple[str, ...] | None
    category_definitions: str
    models: tuple[ModelSettings, ...]
    encoders: tuple[EncoderSettings, ...]
    transfer: TransferSettings | None
    distances: DistanceSettings | None
    map: MapSettings | None
    adapt: tuple[AdaptSettings, ...]
    preprocess: str
    matching: MatchingSettings
    intervals: IntervalSettings
    figures: FigureSettings
    report: ReportSettings
    rating: RatingSettings
    batch_size: int
    precision: str
    compile: bool
    worker: bool
    keep_pixels: bool
    versions: str
    on_failure: str
    people: PeopleSettings | None
    vqa: VqaSettings | None


def typed(kind: type[Thing], content: Mapping[str, Any]) -> Thing:
    """Build one of these classes from a mapping that the schema accepts, defaults filled in.

    Nested mappings become instances of their field's type, lists become tuples.

    Raises:
        TypeError: a key is missing or unknown, which means that schema and classes differ.
    """
    hints = typing.get_type_hints(kind)
    unknown = set(content) - set(hints)
    if unknown:
        raise TypeError(f"{kind.__name__} has no field for {sorted(unknown)}")
    return kind(**{name: _value(hints[name], value) for name, value in content.items()})


def _value(hint: Any, value: Any) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, Mapping):
        kinds = [option for option in options if dataclasses.is_dataclass(option)]
        return typed(typing.cast(type, kinds[0]), value) if kinds else dict(value)
    if isinstance(value, list):
        inner = next(
            (typing.get_args(option)[0] for option in options if typing.get_args(option)), Any
        )
        return tuple(_value(inner, item) for item in value)
    return value


def as_dict(settings: Any) -> dict[str, Any]:
    """Settings as a mapping for JSON: the inverse of :func:`typed`."""
    return dataclasses.asdict(settings)
