"""What is to be learned of features: transfer, distances, maps."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from synthsight.bounds import Key
from synthsight.plan.config.categories import Category
from synthsight.plan.config.messages import Problem
from synthsight.plan.settings import DistanceSettings, MapSettings, Settings, TransferSettings
from synthsight.wording import did_you_mean

#: Keys of which each names models with features.
_KEYS = ("transfer", "distances", "map")


def check_learning(
    settings: Settings,
    categories: Mapping[str, Category],
    real: Collection[str],
    pending: bool,
    problems: list[Problem],
    warnings: list[str],
) -> None:
    """Check what is to be learned of features.

    Args:
        settings: the configuration.
        categories: those of the run; none as long as images have yet to be unpacked.
        real: the generators whose images are real photographs.
        pending: whether images have yet to be unpacked.
        problems: to which what is wrong is added.
        warnings: to which is added what makes numbers say less.
    """
    embedded = [each.name for each in settings.models if each.features]
    embedded += [each.name for each in settings.encoders]
    every = {*embedded, *(each.name for each in settings.models)}
    elsewhere = {each.name for each in settings.models if each.predictions is not None}
    for key in _KEYS:
        about: TransferSettings | DistanceSettings | MapSettings | None = getattr(settings, key)
        if about is None:
            continue
        for index, name in enumerate(about.models or ()):
            place: Key = (key, "models", index)
            if name in embedded:
                if name in about.models[:index]:  # type: ignore[index]
                    problems.append(Problem(place, f"{name!r} is listed twice"))
            elif name in elsewhere:
                message = f"{name!r} has no features: its predictions were made elsewhere"
                problems.append(Problem(place, message))
            elif name in every:
                message = f"no features of {name!r} are kept: write `features: true` there"
                problems.append(Problem(place, message))
            else:
                hint = (
                    did_you_mean(name, embedded) or f"; there are {', '.join(embedded) or 'none'}"
                )
                problems.append(Problem(place, f"no model or encoder {name!r} has features{hint}"))
        if about.models is None and not embedded:
            message = (
                "no model has features: write `features: true` below one of `models`, or name "
                "`encoders`"
            )
            problems.append(Problem((key,), message))
    if pending:
        return
    if settings.transfer is not None:
        _check_transfer(settings.transfer, categories, real, problems, warnings)
    if settings.distances is not None:
        if not real:
            message = "measures how far images are from photographs: name these in `images.real`"
            problems.append(Problem(("distances",), message))
        elif len(settings.distances.models or embedded) == 1:
            warnings.append(
                "distances: in the features of one model alone. Which generator is nearest depends "
                "on the features: add a model that was trained otherwise, such as "
                "timm/vit_small_patch14_dinov2.lvd142m below `encoders`"
            )


def _check_transfer(
    transfer: TransferSettings,
    categories: Mapping[str, Category],
    real: Collection[str],
    problems: list[Problem],
    warnings: list[str],
) -> None:
    """Check that there is something to tell apart, and what it can be compared with."""
    for index, size in enumerate(transfer.per_category):
        if size in transfer.per_category[:index]:
            message = f"{size} is listed twice"
            problems.append(Problem(("transfer", "per_category", index), message))
    if categories and len(categories) < 2:
        message = (
            f"classifiers are trained to tell categories apart, and there is {len(categories)}"
        )
        problems.append(Problem(("transfer",), message))
    if not real:
        warnings.append(
            "transfer: without photographs (images.real), nothing says how well a classifier "
            "trained on real images would do"
        )
