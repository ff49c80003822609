"""The specs: for each rule, the settings that its output depends on.

A spec is passed to a rule's program as canonical JSON in the param ``spec``, which Snakemake
records: the rule reruns if something in it changes, and only then. Each function here has the name
of its rule, and takes the experiment and the rule's wildcards. A new setting must leave the spec as
it was while the setting has its default, or every finished run will rerun. Those of the rules about
questions are in :mod:`synthsight.plan.asking`; how figures look is in :mod:`synthsight.plan.looks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthsight.images.groups import PATTERNS
from synthsight.images.rows import digest_of_list
from synthsight.plan.experiment import Experiment
from synthsight.plan.left_out import as_spec
from synthsight.plan.pictures import fewer_pictures, most_pictures
from synthsight.plan.printed import printed
from synthsight.plan.settings import as_dict

Spec = Mapping[str, Any]


# Images ------------------------------------------------------------------------------------------


def fetch_images(experiment: Experiment) -> Spec:
    """The folder of the archive's images, the archive's checksum, and how a set is read."""
    archive = experiment.archive
    assert archive is not None
    return {
        "root": str(archive.root),
        "sha256": archive.sha256,
        **({"reading": archive.reading} if archive.reading else {}),
    }


def index_images(experiment: Experiment, category: str) -> Spec:
    """Where the files of a category are, or its rows of a table, and a digest of their listing."""
    about = experiment.categories[category]
    places = {"folders": about.folders} if about.rows is None else {"rows": about.rows.indexed}
    outside = experiment.roots.elsewhere
    makers = [name for name, _ in about.folders if name is not None]
    elsewhere = {name: str(outside[name]) for name in makers if name in outside}
    return {
        "root": experiment.settings.images.root,
        **({"elsewhere": elsewhere} if elsewhere else {}),
        "category": category,
        **places,
        "max_pixels": experiment.settings.images.max_pixels,
        "listing": about.listing.digest,
    }


def find_sources(experiment: Experiment) -> Spec:
    """Which images are real photographs, and by what images are told to belong together."""
    group, by = experiment.settings.images.group, experiment.grouping
    rows = known_rows(experiment)
    return {
        **({"real": sorted(experiment.real)} if experiment.real else {}),
        **({} if group is None else {"group": group}),
        **({"table": True} if group is not None and experiment.settings.images.table else {}),
        **({"rows": digest_of_list(rows)} if rows else {}),
        **({} if by is None else {"by": by}),
        **_left_out(experiment),
    }


def find_attributes(experiment: Experiment) -> Spec:
    """Which file says more of images, its content, and what of it are attributes."""
    about = experiment.attributes
    if about is None or about.table is None:
        return {}
    return {
        **{"content": about.content, "image": about.image, "columns": about.columns},
        "root": experiment.settings.images.root,
    }


def find_duplicates(experiment: Experiment) -> Spec:
    """Which images are real photographs."""
    return {"real": sorted(experiment.real)} if experiment.real else {}


def list_excluded(experiment: Experiment) -> Spec:
    """What is left out: duplicates, and what decides which; what is marked, or not predicted."""
    real = find_duplicates(experiment) if experiment.excludes_duplicates else {}
    root = {"root": experiment.settings.images.root} if experiment.marks else {}
    return {**_left_out(experiment), **real, **root}


def _left_out(experiment: Experiment) -> Spec:
    """Whether duplicates, marked images and those without a prediction are left out, if any are."""
    models = experiment.excludes_unpredicted
    return {
        **({"marks": dict(experiment.marks)} if experiment.marks else {}),
        **({"duplicates": "exclude"} if experiment.excludes_duplicates else {}),
        **({"without_prediction": models} if models else {}),
    }


def known_rows(experiment: Experiment) -> dict[str, str]:
    """By category, a digest of what a table or a set says of images but no manifest holds."""
    known = {name: category.known for name, category in experiment.categories.items()}
    return {name: digest for name, digest in known.items() if digest is not None}


def prepare_pixels(experiment: Experiment, geometry: str) -> Spec:
    """How the pixels for all models of a geometry are made."""
    found = next(
        model.geometry for model in experiment.loaded.values() if model.geometry.name == geometry
    )
    return {
        "root": experiment.settings.images.root,
        "max_pixels": experiment.settings.images.max_pixels,
        "geometry": found.as_dict(),
    }


def thumbnails(experiment: Experiment, category: str) -> Spec:
    """The size of small pictures, and the maximum number that the report may have of a category."""
    side = experiment.settings.report.thumbnail
    return {"side": side, "limit": most_pictures(experiment, category)}


def thumbnails_duplicates(experiment: Experiment) -> Spec:
    """The size of small pictures."""
    return {"side": experiment.settings.report.thumbnail}


# Classifiers -------------------------------------------------------------------------------------


def fetch_weights(experiment: Experiment, model: str) -> Spec:
    """Which weights, and what the user states about them."""
    about, classifier = experiment.loaded[model], experiment.networks.get(model)
    stated = None if classifier is None else classifier.reference
    return {
        "name": model,
        "architecture": about.architecture,
        "reference": None if stated is None else as_dict(stated),
        **({} if about.content is None else {"content": about.content}),
        **({"folder": about.checkpoint} if about.in_folder else {}),
    }


def classify(experiment: Experiment, model: str) -> Spec:
    """Everything that affects a model's logits."""
    about = experiment.networks[model]
    return {
        "model": about.name,
        "architecture": about.architecture,
        "geometry": about.geometry.as_dict(),
        "mean": about.mean,
        "std": about.std,
        "preprocess": experiment.settings.preprocess,
        "label_space": about.labels,
        "precision": experiment.settings.precision,
        "compile": experiment.settings.compile,
    }


def embed(experiment: Experiment, model: str) -> Spec:
    """Everything that affects a model's features.

    That is not what its classes are called, nor whether it is compiled: features are always read
    from the network as it is.
    """
    about = experiment.embedded[model]
    assert about.features is not None
    return {
        "model": model,
        "architecture": about.architecture,
        "geometry": about.geometry.as_dict(),
        "mean": about.mean,
        "std": about.std,
        "precision": experiment.settings.precision,
        "layers": about.features.layers,
        "length": about.features.length,
    }


def import_predictions(experiment: Experiment, model: str) -> Spec:
    """Which predictions made elsewhere, how they are read, and what becomes of missing ones."""
    about = experiment.imported[model]
    return {
        "name": about.name,
        "predictions": about.predictions,
        "content": about.content,
        "labels": about.labels,
        **({} if about.labels_content is None else {"labels_content": about.labels_content}),
        "missing": about.missing,
        "columns": about.columns,
        "reference": None if about.reference is None else as_dict(about.reference),
    }


def score(experiment: Experiment, model: str) -> Spec:
    """What counts as a hit for a model."""
    about = experiment.models[model]
    return {
        "model": model,
        "labels": about.labels,
        **({} if about.labels_content is None else {"content": about.labels_content}),
        "rules": sorted(experiment.settings.matching.rules),
        "aggregation": experiment.settings.matching.aggregation,
        "categories": {
            name: {"also": category.target.also, "classes": category.target.classes}
            for name, category in experiment.categories.items()
        },
    }


def label_audit(experiment: Experiment) -> Spec:
    """What counts as a hit, with the reasons given by people."""
    models = experiment.models.values()
    content = {model.labels: model.labels_content for model in models if model.labels_content}
    networks = experiment.networks.values()
    put = {model.name: [model.labels, model.text["names"]] for model in networks if model.text}
    return {
        "labels": sorted({model.labels for model in models}),
        **({"content": content} if content else {}),
        **({"names": put} if put else {}),
        "rules": sorted(experiment.settings.matching.rules),
        "categories": {
            name: {"also": category.definition.also, "classes": category.definition.classes}
            for name, category in experiment.categories.items()
        },
    }


# Pages for people to rate images on --------------------------------------------------------------


def rating_pictures(experiment: Experiment) -> Spec:
    """How many images people are shown, which, and how large."""
    about = experiment.settings.rating
    return {"limit": about.images, "seed": about.seed, "side": about.side}


def rating_pictures_vqa(experiment: Experiment) -> Spec:
    """How many questions people are asked, which, and how large the pictures are."""
    about = experiment.settings.rating
    return {"limit": about.questions, "seed": about.seed, "side": about.side}


def rating_page(experiment: Experiment) -> Spec:
    """What people are told, and can say of a picture. It is in the page: no generator, no path."""
    return {**rating_page_vqa(experiment), "categories": sorted(experiment.categories)}


def rating_page_vqa(experiment: Experiment) -> Spec:
    """What people are told who are asked questions."""
    about = experiment.settings.rating
    return {"categories": None, "instructions": about.instructions, "consent": about.consent}


# People ------------------------------------------------------------------------------------------


def import_people(experiment: Experiment) -> Spec:
    """The files of what people say, by their contents, and what people chose from."""
    settings, people = experiment.settings, experiment.people
    assert settings.people is not None and people is not None
    of_labels = {"categories": list(experiment.categories), "root": settings.images.root}
    of_answers = {"vqa_root": experiment.vqa.root} if experiment.vqa else {}
    return {
        "columns": as_dict(settings.people.columns),
        **({"labels": dict(people.labels), **of_labels} if people.labels else {}),
        **({"answers": dict(people.answers), **of_answers} if people.answers else {}),
    }


def people(experiment: Experiment) -> Spec:
    """For tables of people beside models: some are under the primary rule alone."""
    return {**rule(experiment), **people_answers(experiment), **adapted(experiment)}


def people_answers(experiment: Experiment) -> Spec:
    """For tables of people's answers beside models', with draws at random."""
    return drawn(experiment)


# Tables and figures: named in the rows of synthsight.plan.tables and synthsight.plan.figures ------


def ranked(experiment: Experiment) -> Spec:
    """For tables that draw at random, too, and rank models: not those trained on the images."""
    return {**as_dict(experiment.settings.intervals), **adapted(experiment)}


def attributes(experiment: Experiment) -> Spec:
    """For accuracy by what else is known of images: of adapted models none counts together."""
    about = experiment.attributes
    compare = None if about is None else about.compare
    return {**level_and_adapted(experiment), **({} if compare is None else {"compare": compare})}


def drawn(experiment: Experiment) -> Spec:
    """For tables whose intervals are drawn at random."""
    return {**level(experiment), "seed": experiment.settings.intervals.seed}


def level_and_adapted(experiment: Experiment) -> Spec:
    """For tables that say something of all models, or of the best: adapted ones do not count."""
    return {**level(experiment), **adapted(experiment)}


def adapted(experiment: Experiment) -> Spec:
    """Which models were trained on the images, if any, which say nothing of all models."""
    return {"adapted": sorted(experiment.adapted)} if experiment.adapted else {}


def level(experiment: Experiment) -> Spec:
    """For tables and figures with intervals."""
    return {"level": experiment.settings.intervals.level}


def level_and_unit(experiment: Experiment) -> Spec:
    """For figures of questions with intervals; the unit of chance is an image, unless stated."""
    grouped = experiment.vqa is not None and experiment.vqa.groups is not None
    return {**level(experiment), **({"unit": "group of images"} if grouped else {})}


def rule(experiment: Experiment) -> Spec:
    """For figures under the primary rule."""
    return {"rule": experiment.settings.matching.primary}


def rule_and_adapted(experiment: Experiment) -> Spec:
    """For figures of what is counted over all models under the primary rule."""
    return {**rule(experiment), **adapted(experiment)}


def rule_level_and_adapted(experiment: Experiment) -> Spec:
    """The same for figures with intervals."""
    return {**rule_and_level(experiment), **adapted(experiment)}


def rule_and_level(experiment: Experiment) -> Spec:
    """For figures with intervals under the primary rule."""
    return {**rule(experiment), **level(experiment)}


def models(experiment: Experiment) -> Spec:
    """What classifiers see of an image: height and width, where these are the same for all."""
    seen = {
        name: model.geometry.crop or model.geometry.resize
        for name, model in experiment.networks.items()
    }
    return {"inputs": {name: list(each) for name, each in seen.items() if isinstance(each, tuple)}}


def failures(experiment: Experiment, category: str) -> Spec:
    """For figures/failures_{category}."""
    return {**rule(experiment), "category": category}


# The report --------------------------------------------------------------------------------------


def report(experiment: Experiment) -> Spec:
    """Everything that the page shows but that is in none of its inputs."""
    settings, vqa = experiment.settings, experiment.vqa
    return {
        "run": settings.run,
        **rule_and_level(experiment),
        "images": settings.report.images,
        **({"pictures": fewer} if (fewer := fewer_pictures(experiment)) else {}),
        "preprocessing": {
            model.name: {
                **model.geometry.as_dict(),
                **{"mean": model.mean, "std": model.std},
                **({"text": model.text} if model.text else {}),
            }
            for model in experiment.networks.values()
        },
        "labels": {model.name: model.labels for model in experiment.models.values()},
        "roots": {"images": settings.images.root, "questions": vqa.root if vqa else None},
        **({"excludes": True} if experiment.excludes_unpredicted or experiment.marks else {}),
        "questions": vqa.content if vqa else None,
        "settings": printed(experiment),
        **({"groups": told} if (told := _told(experiment)) else {}),
        **({"left_out": as_spec(experiment.left_out)} if experiment.left_out else {}),
    }


def _told(experiment: Experiment) -> dict[str, str]:
    """What tells groups of images, and of images with questions, in words, if anything does."""
    images = experiment.grouping
    if experiment.settings.images.group is not None:
        images = PATTERNS[0]
    questions = experiment.vqa.grouping if experiment.vqa else None
    found = {"images": images, "questions": questions}
    return {kind: by for kind, by in found.items() if by is not None}
