"""Models of a configuration that are trained on the run's own images."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthsight.bounds import Key
from synthsight.files import sha256_of
from synthsight.labels.matching import RULES, Target, accepted_classes
from synthsight.labels.spaces import LabelSpace, load_labels
from synthsight.plan.config.categories import Category
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import check_model_name
from synthsight.plan.config.networks import Features, Network
from synthsight.plan.config.predictions import Classifier
from synthsight.plan.config.repositories import keep_categories
from synthsight.plan.settings import AdaptSettings, Settings
from synthsight.wording import did_you_mean

#: What an adapted model can be trained on besides a list of generators.
SOURCES = ("generated", "real", "all")

#: The methods.
LINEAR, FINETUNE = "linear", "finetune"

#: What is about training a whole network alone.
OF_TRAINING = ("epochs", "learning_rate", "batch_size")


@dataclass(frozen=True)
class Adapted(Classifier):
    """A model of the run that was trained on its images; each is predicted by one that saw it not.

    Attributes:
        base: the name of the model or encoder that it is made from.
        is_encoder: whether that names no classes itself.
        method: ``linear`` or ``finetune``.
        sources: what it is trained on: one of :data:`SOURCES`, or generators, sorted.
        folds: the number of parts of the images.
        seed: of the parts, and of what training draws.
        training: epochs, rate and batch of ``finetune``; empty for ``linear``.
        classes: the run's categories in the order of its classes.
        head: where in the base features are, which its new layer takes.
        unnamed: the categories of which the base has no class under the rule ``restricted``, so
            that it cannot choose them; none of an encoder, which chooses nothing.
    """

    base: str
    is_encoder: bool
    method: str
    sources: str | tuple[str, ...]
    folds: int
    seed: int
    training: Mapping[str, Any]
    classes: tuple[str, ...]
    head: Features
    unnamed: tuple[str, ...]


def named_adapted(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an adapted model, defaults filled in, with a name even if none was given."""
    return {**entry, "name": entry["name"] or f"{entry['model']}+{entry['method']}"}


def unused_keys(entries: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """What is written of adapted models and would do nothing.

    Args:
        entries: as they are written; the schema accepts them.
    """
    for index, entry in enumerate(entries):
        if entry.get("method", LINEAR) == LINEAR:
            for key in OF_TRAINING:
                if key in entry:
                    message = "is of `method: finetune`: a linear layer is fitted until nothing "
                    message += "changes. Remove it, or write that method"
                    yield Problem(("adapt", index, key), message)


def bases_of(settings: Settings) -> frozenset[str]:
    """The names of what is adapted."""
    return frozenset(entry.model for entry in settings.adapt)


def with_features(settings: Settings) -> Settings:
    """The settings, with the features that new linear layers are fitted to asked for."""
    linear = {entry.model for entry in settings.adapt if entry.method == LINEAR}
    models = tuple(
        replace(each, features=True) if each.name in linear and each.predictions is None else each
        for each in settings.models
    )
    return replace(settings, models=models)


def check_adapt(
    settings: Settings,
    categories: Mapping[str, Category],
    real: Collection[str],
    pending: bool,
    problems: list[Problem],
) -> None:
    """Check what is to be adapted, and to what.

    Args:
        settings: the configuration.
        categories: those of the run; none as long as images have yet to be unpacked.
        real: the generators whose images are real photographs.
        pending: whether images have yet to be unpacked.
        problems: to which what is wrong is added.
    """
    if not settings.adapt:
        return
    taken = {each.name: f"models[{index}]" for index, each in enumerate(settings.models)}
    taken |= {each.name: f"encoders[{index}]" for index, each in enumerate(settings.encoders)}
    if settings.vqa is not None:
        asked = enumerate(settings.vqa.models)
        taken |= {each.name: f"vqa.models[{index}]" for index, each in asked}
    bases = [each.name for each in settings.models if each.predictions is None]
    bases += [each.name for each in settings.encoders]
    imported = {each.name for each in settings.models if each.predictions is not None}
    for index, entry in enumerate(settings.adapt):
        key: Key = ("adapt", index)
        check_model_name(entry.name, taken, key, problems)
        taken[entry.name] = f"adapt[{index}]"
        if entry.model in imported:
            message = f"{entry.model!r} has predictions made elsewhere: no network could be trained"
            problems.append(Problem((*key, "model"), message))
        elif entry.model not in bases:
            hint = did_you_mean(entry.model, bases) or f"; there are {', '.join(bases) or 'none'}"
            message = f"no model or encoder is called {entry.model!r}{hint}"
            problems.append(Problem((*key, "model"), message))
        if not pending:
            _check_sources(entry, categories, real, key, problems)
    rules = settings.matching.rules
    if not any(name in RULES and RULES[name].choice for name in rules):
        message = (
            "adapted models choose among the run's categories, and are compared with others under "
            f"the rule restricted: write `rules: [{', '.join(rules)}, restricted]`"
        )
        problems.append(Problem(("matching", "rules"), message))
    if not pending and len(categories) < 2:
        message = f"models are trained to tell categories apart, and there is {len(categories)}"
        problems.append(Problem(("adapt",), message))


def _check_sources(
    entry: AdaptSettings,
    categories: Mapping[str, Category],
    real: Collection[str],
    key: Key,
    problems: list[Problem],
) -> None:
    """Check that what a model is to be trained on is there, in every category."""
    key = (*key, "sources")
    makers = {each: set(found.generators) for each, found in categories.items()}
    known = sorted({name for found in makers.values() for name in found if name is not None})
    chosen = entry.sources
    if isinstance(chosen, str) and chosen not in SOURCES:
        hint = did_you_mean(chosen, SOURCES) or f"; write one of {', '.join(SOURCES)}"
        hint = f"; write [{chosen}]" if chosen in known else f"{hint}, or a list of generators"
        problems.append(Problem(key, f"found {chosen!r}{hint}"))
        return
    if chosen == "real" and not real:
        message = "there are no photographs to train on: name them in `images.real`"
        problems.append(Problem(key, message))
        return
    for place, name in enumerate(chosen if not isinstance(chosen, str) else ()):
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
            problems.append(Problem((*key, place), f"no generator is called {name!r}{hint}"))
            return
        if name in chosen[:place]:
            problems.append(Problem((*key, place), f"{name!r} is listed twice"))
            return
    lacking = [
        category
        for category, found in sorted(makers.items())
        if not any(is_chosen(name, name in real, chosen) for name in found)
    ]
    if lacking:
        message = (
            f"there is no image of {lacking[0]!r} to train on: choose `sources` that have every "
            "category, or leave it out of `categories`"
        )
        problems.append(Problem(key, message))


def is_chosen(generator: str | None, real: bool, sources: str | Sequence[str]) -> bool:
    """Whether a model is trained on images of a generator.

    Args:
        generator: whose images, or None.
        real: whether they are photographs.
        sources: one of :data:`SOURCES`, or generators.
    """
    if not isinstance(sources, str):
        return generator in sources
    return sources == "all" or real == (sources == "real")


def resolve_adapted(
    settings: Settings,
    networks: Mapping[str, Any],
    encoders: Collection[str],
    targets: Sequence[Target],
    cache: Path,
    spaces: dict[str, LabelSpace],
) -> tuple[dict[str, Adapted], list[str]]:
    """The adapted models by name, in the configuration's order, and what to know about them.

    Args:
        settings: the configuration, which has been checked.
        networks: the models and encoders that are run.
        encoders: the names of those that are encoders.
        targets: the run's categories, two at least.
        cache: folder that keeps the names of their classes.
        spaces: label spaces by name, to which that of the categories is added.
    """
    if not settings.adapt:
        return {}, []
    path, classes = keep_categories(cache, targets)
    labels = str(path)
    spaces[labels] = load_labels(labels)
    content = sha256_of(path)
    found, notes = {}, []
    for entry in settings.adapt:
        head = networks[entry.model].features
        assert head is not None
        tuned = entry.method == FINETUNE
        found[entry.name] = Adapted(
            name=entry.name,
            reference=None,
            labels=labels,
            labels_content=content,
            base=entry.model,
            is_encoder=entry.model in encoders,
            method=entry.method,
            sources=entry.sources
            if isinstance(entry.sources, str)
            else tuple(sorted(entry.sources)),
            folds=entry.folds,
            seed=entry.seed,
            training={key: getattr(entry, key) for key in OF_TRAINING} if tuned else {},
            classes=classes,
            head=head,
            unnamed=()
            if entry.model in encoders
            else _unnamed(spaces[networks[entry.model].labels], targets),
        )
    notes.append(
        f"{' and '.join(found)} choose{'s' if len(found) == 1 else ''} among this run's "
        f"{len(classes)} categories, under every rule: compare with models of other classes under "
        "`restricted` alone"
    )
    return found, notes


def _unnamed(labels: LabelSpace, targets: Sequence[Target]) -> tuple[str, ...]:
    """The categories of which a label space has no class under the rule of choice."""
    (rule,) = (name for name, each in RULES.items() if each.choice)
    return tuple(each.name for each in targets if not accepted_classes(each, labels, rule).any())


def without_heads(networks: Mapping[str, Any], wanted: Collection[str]) -> dict[str, Any]:
    """Models without features that were looked for only to replace what these enter.

    Args:
        networks: classifiers by name.
        wanted: the names of those whose features are asked for.
    """
    return {
        name: replace(each, features=None)
        if isinstance(each, Network) and each.features is not None and name not in wanted
        else each
        for name, each in networks.items()
    }
