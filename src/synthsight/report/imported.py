"""What a reader should know about predictions that were made elsewhere, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synthsight.classifiers.judging import TOP
from synthsight.people import marks
from synthsight.predictions.importing import these, ties_of
from synthsight.predictions.stored import REASON

#: What may say which class was predicted, the surest first.
_TAKEN = ("label", "index", "guesses", "logits", "probability")

#: Images that a sentence names.
_NAMED = 3


def no_duplicates(excluded: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The usable images that are left out for another reason than being duplicates.

    That is because a model has no prediction for them, or because people marked them.

    Args:
        excluded: images with the reasons why they are left out, from the table ``excluded``.

    Returns:
        The reasons by image.
    """
    return {image: why for image, why in excluded if why.startswith((REASON, marks.REASON))}


def of_predictions(note: Mapping[str, Any]) -> list[str]:
    """About a model whose predictions were made elsewhere; nothing of another.

    Args:
        note: about its weights or predictions.
    """
    about = note.get("predictions")
    if about is None:
        return []
    name, missing, unknown = note["name"], about["missing"], about["unknown"]
    said = []
    if missing["count"]:
        done = {
            "wrong": "are counted as wrong (missing: wrong)",
            "exclude": "are left out for all models (missing: exclude)",
        }[missing["what"]]
        said.append(
            f"{missing['count']:,} of {about['images']:,} images have no prediction of {name} and "
            f"{done}: {_named(missing)}"
        )
    if unknown["count"]:
        said.append(
            f"The predictions of {name} are also about {unknown['count']:,} images that the run "
            f"does not have: {_named(unknown)}"
        )
    if about.get("unread"):
        columns = about["columns"]
        role = next((each for each in _TAKEN if each in columns), "label")
        taken = columns.get(role, "")
        taken = taken if isinstance(taken, str) else these(taken)
        said.append(
            f"What {name} predicts is read from the {role} in {taken!r}; other columns of its file "
            f"are not read: {these(about['unread'])}"
        )
    if about.get("folders"):
        written, image = about["example"]
        said.append(
            f"The paths in the predictions of {name} have {about['folders']} in front of the "
            f"run's: {written} is taken for {image}"
        )
    if ties := ties_of(about):
        said.append(f"The predictions of {name} have {ties}")
    if about["kind"] == "ranks" and about["ranks"] < min(TOP, about["classes"]):
        many = "one class" if about["ranks"] == 1 else f"{about['ranks']} classes"
        said.append(
            f"Top-5 of {name} is not known, since its predictions name no more than {many} of some "
            "images: agreement and differences at top-5 are about the other models"
        )
    return said


def _named(about: Mapping[str, Any]) -> str:
    first = about["first"][:_NAMED]
    more = about["count"] - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")
