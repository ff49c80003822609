"""The specs of the rules about questions; see :mod:`synthsight.plan.specs`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from synthsight.plan.config.questions import Vqa, question_files
from synthsight.plan.config.vqa_models import columns_of
from synthsight.plan.experiment import Experiment
from synthsight.plan.looks import narrow
from synthsight.plan.settings import ENDPOINT_WAYS, VqaSettings, as_dict
from synthsight.plan.specs import Spec

#: Images on one page of figures/vqa_samples_*: the paper's Figures 4, 21 and 22; on a narrow one.
IMAGES_PER_PAGE, IMAGES_NARROW = 8, 4


#: Settings of a model of which a network has none.
_OF_OTHERS = ("endpoint", "answers", "columns", "missing")


def _questions(experiment: Experiment) -> tuple[VqaSettings, Vqa]:
    assert experiment.settings.vqa is not None and experiment.vqa is not None
    return experiment.settings.vqa, experiment.vqa


def _read_columns(settings: VqaSettings) -> dict[str, str]:
    """The columns that decide what is asked: all but the one of groups."""
    return {key: name for key, name in as_dict(settings.columns).items() if key != "group"}


def _files(settings: VqaSettings) -> dict[str, Any]:
    """The files of questions, in an order that the configuration's does not change."""
    if isinstance(settings.questions, str) and settings.annotations is None:
        return {"questions": settings.questions}
    files, annotations = question_files(settings)
    return {"questions": files, **({"annotations": annotations} if annotations else {})}


def _without(about: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in names}


def index_questions(experiment: Experiment, shard: str) -> Spec:
    """Which questions are in a shard, and where their images are."""
    settings, vqa = _questions(experiment)
    return {
        **_files(settings),
        "columns": _read_columns(settings),
        "root": vqa.root,
        "max_pixels": experiment.settings.images.max_pixels,
        "shards": settings.shards,
        "shard": shard,
        "content": vqa.shards[shard],
    }


def list_excluded_questions(experiment: Experiment) -> Spec:
    """Which questions there are, and what happens to those that cannot be asked."""
    settings, vqa = _questions(experiment)
    return {
        **_files(settings),
        "columns": _read_columns(settings),
        "root": vqa.root,
        "invalid": settings.invalid,
        "content": vqa.content,
    }


def fetch_vqa(experiment: Experiment, vqa_model: str) -> Spec:
    """All settings of a VQA model, and a digest of its local files."""
    vqa = _questions(experiment)[1]
    content = vqa.files.get(vqa_model)
    about = _without(as_dict(vqa.networks[vqa_model]), _OF_OTHERS)
    return about if content is None else {**about, "content": content}


def score_vqa(experiment: Experiment, vqa_model: str) -> Spec:
    """Whose answers are scored, and which images belong together."""
    groups = _questions(experiment)[1].groups
    return {"model": vqa_model, **({} if groups is None else {"groups": groups})}


def import_answers(experiment: Experiment, vqa_model: str) -> Spec:
    """Which file a model's answers are in, how it is read, and what they are joined to."""
    vqa = _questions(experiment)[1]
    about = vqa.imported[vqa_model]
    return {
        "name": vqa_model,
        "answers": about.answers,
        "content": vqa.files[vqa_model],
        "columns": columns_of(about),
        "missing": about.missing,
        "reference": None if about.reference is None else as_dict(about.reference),
    }


def ask_endpoint(experiment: Experiment, vqa_model: str) -> Spec:
    """Everything that affects an endpoint's answers, apart from the questions."""
    vqa = _questions(experiment)[1]
    about = vqa.endpoints[vqa_model]
    assert about.endpoint is not None
    return {
        "model": vqa_model,
        "root": vqa.root,
        "prompt": about.prompt,
        "endpoint": _without(as_dict(about.endpoint), ENDPOINT_WAYS),
    }


def ask_endpoint_blind(experiment: Experiment, vqa_model: str) -> Spec:
    """The same, of answers without seeing the images."""
    return {**ask_endpoint(experiment, vqa_model), "blind": True}


def describe_endpoint(experiment: Experiment, vqa_model: str) -> Spec:
    """Whose answers are described, and what the user states about the model."""
    about = _questions(experiment)[1].endpoints[vqa_model]
    reference = None if about.reference is None else as_dict(about.reference)
    return {"model": vqa_model, "reference": reference}


def ask(experiment: Experiment, vqa_model: str) -> Spec:
    """Everything that affects a model's answers, apart from its weights and the questions."""
    return {
        "model": vqa_model,
        "root": _questions(experiment)[1].root,
        "precision": experiment.settings.precision,
    }


def ask_blind(experiment: Experiment, vqa_model: str) -> Spec:
    """The same, of answers without seeing the images."""
    return {**ask(experiment, vqa_model), "blind": True}


def images_per_page(experiment: Experiment) -> int:
    """Images on one page of figures/vqa_samples_*."""
    return IMAGES_NARROW if narrow(experiment) else IMAGES_PER_PAGE


def vqa_samples_page(experiment: Experiment, vqa_model: str, page: str) -> Spec:
    """For a page of figures/vqa_samples_{vqa_model}_*."""
    return {"page": int(page), "per_page": images_per_page(experiment)}


def thumbnails_vqa(experiment: Experiment) -> Spec:
    """The size of small pictures, and the maximum number in the report."""
    about = experiment.settings.report
    return {"side": about.thumbnail, "limit": about.images}
