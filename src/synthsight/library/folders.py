"""One model on a folder of images, through the stages of the workflow."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthsight.canonical import canonical_json
from synthsight.files import FileError, hint_at_home, read_json, sha256_of
from synthsight.images.manifest import ImageRecord, index_images, index_rows
from synthsight.images.pixels import prepare_pixels
from synthsight.images.rows import INDEXED, KNOWN, known_of, read_kept_rows
from synthsight.images.sources import SCHEMA, Sources, describe
from synthsight.labels.spaces import load_labels
from synthsight.library import arguments
from synthsight.library.errors import ApiError
from synthsight.library.scores import rules, score_files
from synthsight.plan import standalone
from synthsight.plan.config.categories import Category
from synthsight.plan.config.models import Model
from synthsight.plan.experiment import Experiment


def classify(
    folder: str | os.PathLike[str],
    model: str,
    *,
    categories: Iterable[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    definitions: str | os.PathLike[str] | None = None,
    preprocess: str = "model",
    precision: str = "fp32",
    batch_size: int = 64,
    cache: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Classify the images in a folder with one classifier.

    This is equivalent to a run of the workflow with this one model, with the same error messages.
    Weights are fetched once, into the cache, and compared with what was noted about them each time
    they are used; an accelerator is used if there is one. Files that
    cannot be used are left out, and a warning says which.

    Args:
        folder: images, as ``<category>/<file>`` or ``<generator>/<category>/<file>``.
        model: ``timm/NAME``, ``torchvision/NAME``, ``transformers/OWNER/NAME`` or
            ``zeroshot/OWNER/NAME``, as in a configuration.
        categories: a list of the categories to take; None for all folders.
        table: a file that says what each image below ``folder`` shows, in the place of folders; see
            ``images.table`` in a configuration.
        definitions: file of category definitions; None for the project's
            ``resources/categories.yaml``.
        preprocess: ``model`` or ``paper``.
        precision: ``fp32``, ``tf32`` or ``bf16``.
        batch_size: initial number of images per batch.
        cache: folder for weights; None for ``~/.cache/synthsight``.
        **settings: further keys of a model in a configuration: ``checkpoint``, ``labels``,
            ``arguments``, ``resize``, ``crop``, ``interpolation``, ``mean``, ``std``, ``names``,
            ``templates``, ``name``.

    Returns:
        A frame like that of :meth:`Run.scores`, under all rules.

    Raises:
        synthsight.plan.config.messages.ConfigError: images, model or settings cannot be used; all
            problems are reported at once.
        synthsight.classifiers.weights.WeightsError: the weights cannot be fetched or do not fit.
        ApiError: a category has no usable image, the cache begins with ``~``, or an argument is
            neither a path nor a name where it must be one.
    """
    root = Path(arguments.path("the folder", folder))
    arguments.text("`model`", model)
    if definitions is None:
        definitions = standalone.definitions_file()
    entry = {"model": model, **settings}
    config = {
        "run": "api",
        "images": {
            "root": arguments.path("the folder", folder),
            "table": None if table is None else arguments.path("`table`", table),
        },
        "categories": None if categories is None else arguments.texts("`categories`", categories),
        "category_definitions": arguments.path("`definitions`", definitions),
        "models": [{key: _yaml_value(value) for key, value in entry.items()}],
        "preprocess": preprocess,
        "precision": precision,
        "batch_size": _yaml_value(batch_size),
    }
    if cache is not None and (home := hint_at_home(arguments.path("`cache`", cache))):
        raise ApiError(f"cache={os.fspath(cache)!r}: {home}")
    kept = standalone.cache_folder() if cache is None else Path(cache)
    found = standalone.check(config, cache=kept)
    for warning in found.warnings:
        warnings.warn(warning, stacklevel=2)
    manifests = {name: _index(root, category, kept) for name, category in found.categories.items()}
    if left_out := _left_out(manifests):
        warnings.warn(left_out, stacklevel=2)
    return _run(root, found, manifests, int(batch_size), precision, kept)


def _index(root: Path, category: Category, cache: Path) -> list[ImageRecord]:
    """The manifest of a category."""
    name, processes = category.target.name, os.cpu_count() or 1
    if category.rows is None:
        return index_images(root, name, list(category.folders), processes=processes)
    rows = read_kept_rows(cache, category.rows.indexed, INDEXED).to_pydict()
    found = list(zip(*(rows[column] for column in INDEXED.names), strict=True))
    return index_rows(root, name, found, processes=processes)


def _describe(
    category: Category, usable: Sequence[ImageRecord], real: frozenset[str], cache: Path
) -> pa.Table:
    """The sources of a category's usable images."""
    images = [record.image for record in usable]
    generators = [record.generator for record in usable]
    known = None
    if category.known is not None:
        known = known_of(read_kept_rows(cache, category.known, KNOWN))
    table = describe(category.target.name, images, generators, Sources(real), known)
    return table.select(SCHEMA.names)  # prompts and splits are not scored


def _run(
    root: Path,
    found: Experiment,
    manifests: Mapping[str, Sequence[ImageRecord]],
    batch_size: int,
    precision: str,
    cache: Path,
) -> pd.DataFrame:
    """From manifests to scores, through the same files as between the workflow's stages."""
    from synthsight.classifiers.classify import classify, load_model, write_logits
    from synthsight.classifiers.library import Architecture
    from synthsight.inference.batches import choose_device

    (model,) = found.networks.values()
    network = load_model(
        Architecture(**model.architecture), _weights(model, cache), choose_device()
    )
    files: dict[str, Path] = {}
    sources = []
    with TemporaryDirectory(prefix="synthsight-") as folder:
        for number, (name, records) in enumerate(manifests.items()):
            pixels, logits = (Path(folder, f"{number}.{what}") for what in ("pixels", "logits"))
            usable = [record for record in records if record.status == "ok"]
            sources.append(_describe(found.categories[name], usable, found.real, cache))
            prepare_pixels(
                [
                    (record.image, record.width, record.height)
                    for record in records
                    if record.width is not None and record.height is not None
                ],
                root,
                model.geometry,
                pixels,
                threads=os.cpu_count() or 1,
                sha256={record.image: record.sha256 for record in records},
            )
            images, values = classify(network, pixels, model.mean, model.std, batch_size, precision)
            pixels.unlink()
            write_logits(logits, images, values, {"model": model.name})
            files[name] = logits
        targets = {name: category.target for name, category in found.categories.items()}
        labels = load_labels(model.labels)
        return score_files(files, sources, targets, labels, sorted(rules()), "max", Path(folder))


def _weights(model: Model, cache: Path) -> Path:
    """A model's weights, fetched into the cache unless they are there as they were."""
    from synthsight.classifiers.library import Architecture
    from synthsight.classifiers.weights import fetch_weights

    checkpoint = None if model.checkpoint is None else Path(model.checkpoint)
    whole = model.content if model.in_folder else None  # of all files, and so in the key alone
    content = None if checkpoint is None or model.in_folder else sha256_of(checkpoint)
    key = sha256(canonical_json([model.architecture, whole or content]).encode()).hexdigest()
    weights = cache / "weights" / f"{key}.safetensors"
    note = weights.with_suffix(".json")
    if weights.is_file():
        if _are_sound(weights, note, model.architecture, content):
            return weights
        warnings.warn(
            f"{weights} is not the file that {note} describes: one of them was damaged or "
            f"exchanged, and the weights of {model.name!r} are fetched again",
            stacklevel=4,
        )
    fetch_weights(model.name, Architecture(**model.architecture), checkpoint, weights, note)
    return weights


def _are_sound(
    weights: Path, note: Path, architecture: Mapping[str, Any], content: str | None
) -> bool:
    """Whether cached weights are what was fetched for an architecture.

    Args:
        weights: the file.
        note: what was noted when it was written.
        architecture: which network it must be for.
        content: the sha256 of the checkpoint that it must have been made of; None if published.
    """
    try:
        stated = read_json(note, ["architecture", "sha256", "safetensors_sha256"])
    except (FileError, OSError):
        return False
    return (
        canonical_json(stated["architecture"]) == canonical_json(architecture)
        and content in (None, stated["sha256"])
        and stated["safetensors_sha256"] == sha256_of(weights)
    )


def _left_out(manifests: Mapping[str, Sequence[ImageRecord]]) -> str | None:
    """A sentence about the files that cannot be used, if there are any.

    Raises:
        ApiError: a category has no other files.
    """
    excluded = [record for records in manifests.values() for record in records if record.reason]
    for name, records in manifests.items():
        if all(record.reason for record in records):
            first = f"{records[0].image!r}: {records[0].reason}"
            raise ApiError(
                f"no image of the category {name!r} can be used ({first}). Repair or add images, "
                "or list the other categories in `categories`"
            )
    if not excluded:
        return None
    reasons = [f"{record.image!r}: {record.reason}" for record in excluded[:5]]
    more = [f"and {len(excluded) - 5} more"] if len(excluded) > 5 else []
    return f"files left out ({len(excluded)}): " + "; ".join(reasons + more)


def _yaml_value(value: Any) -> Any:
    """A setting as read from YAML: paths are text, tuples lists, and numpy's numbers Python's."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _yaml_value(each) for key, each in value.items()}
    return [_yaml_value(each) for each in value] if isinstance(value, list | tuple) else value
