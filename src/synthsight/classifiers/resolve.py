"""Resolving a configuration's models: architecture, transform, number of classes.

The workflow must know every model's geometry before it plans its jobs, but importing torch takes
seconds. So this module runs as a separate program (``python -m synthsight.classifiers.resolve``),
with JSON in and out, and the workflow caches its answer until the models or the libraries change.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace
from typing import Any

from synthsight.classifiers.architectures import parse_encoder, parse_model, probe, published
from synthsight.classifiers.heads import source_of_features
from synthsight.classifiers.library import Architecture, ModelError, Published
from synthsight.errors import SynthsightError
from synthsight.images.geometry import Geometry
from synthsight.wording import one_line

#: The paper's recipe: the short side to 256 pixels, bicubic, no crop.
PAPER_GEOMETRY_SIDE = 256
PAPER_GEOMETRY = Geometry(resize=PAPER_GEOMETRY_SIDE, crop=None, interpolation="bicubic")


def resolve(entry: dict[str, Any], preprocess: str) -> dict[str, Any]:
    """Resolve one model of a configuration.

    Args:
        entry: the model's settings with defaults filled in, plus ``local``, whether it has a local
            checkpoint, ``classes``, how many classes its ``labels`` name, and for a repository's
            model ``files``, what these say (see :data:`synthsight.classifiers.library.Files`);
            ``features`` where these are asked for.
        preprocess: ``model`` for the published transform, ``paper`` for Borji's.

    Returns:
        ``architecture`` (see :class:`synthsight.classifiers.library.Architecture`),
        ``geometry``, ``mean``, ``std``, and ``layers`` and ``length`` of features that are asked
        for (see :class:`synthsight.classifiers.heads.Source`); ready for JSON.

    Raises:
        ModelError: the model cannot be used; the message leaves its name to the caller.
    """
    local = entry["local"]
    files = entry.get("files") or {}
    architecture = _with_arguments(parse_model(entry["model"], local, files), entry)
    about = published(architecture, files)
    classes = entry["classes"]
    if about.num_classes < 2:
        raise ModelError("has no classifier, only features; name weights with ImageNet classes")
    if not local and about.num_classes != classes:
        raise ModelError(
            f"has {about.num_classes} classes, but its `labels` ({entry['labels']}) name {classes}"
        )
    # A local checkpoint has a class for each label, unless the arguments say otherwise, or a
    # repository's config.json.
    says = files or "num_classes" in architecture.arguments
    if local and architecture.weights is None and not says:
        architecture = replace(architecture, num_classes=classes)
    geometry = _geometry(about, preprocess, entry)
    outputs = probe(architecture, geometry.crop)
    if outputs != classes:
        raise ModelError(
            f"gives {outputs} outputs, but its `labels` ({entry['labels']}) name {classes} classes"
        )
    resolved = _resolved(architecture, about, geometry, entry)
    if not entry.get("features"):
        return resolved
    try:
        return resolved | _source(architecture, geometry, classifies=True)
    except ModelError as error:
        raise ModelError(
            f"{error}. Leave `features` out of this model, and it out of `adapt`"
        ) from error


def resolve_encoder(entry: dict[str, Any], preprocess: str) -> dict[str, Any]:
    """Resolve one of a configuration's encoders, of which nothing but features is wanted.

    Args:
        entry: its settings with defaults filled in, plus ``local`` and ``files`` as of classifiers.
        preprocess: likewise.

    Returns:
        As :func:`resolve` does of a classifier with features.

    Raises:
        ModelError: likewise.
    """
    local, files = entry["local"], entry.get("files") or {}
    parsed, classifies = parse_encoder(entry["model"], local, files, entry["arguments"])
    architecture = _with_arguments(parsed, entry)
    about = published(architecture, files)
    geometry = _geometry(about, preprocess, entry)
    resolved = _resolved(architecture, about, geometry, entry)
    return resolved | _source(architecture, geometry, classifies)


def _with_arguments(architecture: Architecture, entry: dict[str, Any]) -> Architecture:
    """The architecture with the arguments of an entry as well."""
    if taken := sorted(entry["arguments"].keys() & architecture.arguments.keys()):
        raise ModelError(f"has no argument {taken[0]!r} (below `arguments`) that could be set")
    return replace(architecture, arguments={**entry["arguments"], **architecture.arguments})


def _source(architecture: Architecture, geometry: Geometry, classifies: bool) -> dict[str, Any]:
    found = source_of_features(architecture, geometry.crop, classifies)
    return {"layers": list(found.layers), "length": found.length}


def _resolved(
    architecture: Architecture, about: Published, geometry: Geometry, entry: dict[str, Any]
) -> dict[str, Any]:
    """What is resolved of all models alike."""
    mean, std = entry["mean"] or about.mean, entry["std"] or about.std
    if mean is None or std is None:
        raise ModelError(
            f"has a normalisation that is not known{_why(about)}: set `mean` and `std`"
        )
    return {
        "architecture": architecture.as_dict(),
        "geometry": geometry.as_dict(),
        "mean": list(mean),
        "std": list(std),
    }


def _why(about: Published) -> str:
    return f" ({about.why})" if about.why else ""


def _geometry(about: Published, preprocess: str, entry: dict[str, Any]) -> Geometry:
    """The published or the paper's geometry, with what the entry overrides."""
    overrides = {
        key: entry[key] for key in ("resize", "crop", "interpolation") if entry[key] is not None
    }
    if "crop" in overrides:
        crop = overrides["crop"]  # false is the whole image
        overrides["crop"] = None if crop is False else (crop, crop) if _is_int(crop) else crop
    base = PAPER_GEOMETRY if preprocess == "paper" else about.geometry
    if base is None:
        if len(overrides) < 3:
            raise ModelError(
                f"has a published transform that is not supported{_why(about)}: set `resize`, "
                "`crop` and `interpolation`"
            )
        base = PAPER_GEOMETRY
    if preprocess == "paper" and about.fixed_size is not None and "crop" not in overrides:
        # The paper's exception, DeiT: its position embeddings allow only one size.
        if max(about.fixed_size) > PAPER_GEOMETRY_SIDE and "resize" not in overrides:
            raise ModelError(
                f"accepts only images of {about.fixed_size[0]} x {about.fixed_size[1]} pixels, "
                "more than `preprocess: paper` leaves: set `resize`"
            )
        overrides["crop"] = about.fixed_size
    geometry = Geometry.from_dict(base.as_dict() | overrides)
    if {"resize", "crop"} & overrides.keys():
        _check_crop(geometry)
    return geometry


def _check_crop(geometry: Geometry) -> None:
    """Refuse a crop that may be larger than what is left of an image, and would be padded.

    Of images whose short side is given, the long side is known to be no shorter, and no more.
    """
    if geometry.crop is None:
        return
    if isinstance(geometry.resize, int):
        larger = max(geometry.crop) > geometry.resize
    else:
        larger = any(crop > side for crop, side in zip(geometry.crop, geometry.resize, strict=True))
    if larger:
        side = ", the short side" if isinstance(geometry.resize, int) else ""
        raise ModelError(
            f"cuts a `crop` of {geometry.crop[0]} x {geometry.crop[1]} pixels from an image that "
            f"`resize` makes smaller ({geometry.resize}{side}): the rest would be black. Set both, "
            "or a smaller `crop`"
        )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def main() -> None:
    """Read ``{"preprocess", "models"}`` from stdin; write one result or error per model."""
    warnings.simplefilter("ignore")  # libraries announce changes of defaults that are not used here
    request = json.load(sys.stdin)
    answers: list[dict[str, Any]] = []
    for entry in request["models"]:
        try:
            one = resolve_encoder if entry.get("encoder") else resolve
            answers.append({"model": one(entry, request["preprocess"])})
        except SynthsightError as error:
            answers.append({"error": str(error)})
        except Exception as error:  # builders raise nearly anything on unexpected arguments
            message = f"cannot be built: {type(error).__name__}: {one_line(error)}"
            answers.append({"error": message})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
