"""How a run scores a model's logits: a frame of them carries it from the run to scoring.

It is among what pandas calls a frame's attributes, which pandas keeps in what is selected or
computed from a frame and writes into Parquet files, as JSON. It forgets them where frames that
differ in them are joined, and in CSV files: :func:`is_of_run` tells by its form that a frame was
once a run's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from synthsight.labels.definitions import Definition
from synthsight.library.errors import ApiError

#: Where a frame keeps it.
_ATTRIBUTE = "synthsight"

#: The names of the index of a run's frame of logits, and of its columns.
INDEX = ("category", "image")
COLUMNS = "class"


@dataclass(frozen=True)
class AsScored:
    """How a run scores a model's logits; by default, how logits of no run are scored.

    Attributes:
        labels: its label space, or the label file.
        content: the sha256 of the label file, if it is one.
        definitions: those of the run's categories; None for the project's.
        aggregation: ``max`` or ``mean``.
    """

    labels: str = "imagenet-1k"
    content: str | None = None
    definitions: Mapping[str, Definition] | None = None
    aggregation: str = "max"


def with_scoring(
    logits: pd.DataFrame, spec: Mapping[str, Any] | None, project: Path
) -> pd.DataFrame:
    """The logits of a run, with how the run scores them.

    Args:
        logits: the frame, to whose attributes this is added.
        spec: the settings with which the run's plan has the model scored; None if it does not say,
            so that :func:`as_scored` knows nothing.
        project: the folder that the run's relative paths start at.
    """
    if spec is not None:
        kept = {key: spec[key] for key in ("labels", "aggregation", "categories")}
        if "content" in spec:
            kept |= {"content": spec["content"], "labels": str(project / spec["labels"])}
        logits.attrs[_ATTRIBUTE] = kept
    return logits


def as_scored(logits: pd.DataFrame) -> AsScored | None:
    """What a frame knows of it; None if it knows nothing.

    Raises:
        ApiError: something else stands in its place, as in a file of another version.
    """
    kept = logits.attrs.get(_ATTRIBUTE)
    if kept is None:
        return None
    try:
        definitions = {
            name: Definition(
                tuple(about["also"]),
                None if about["classes"] is None else dict.fromkeys(about["classes"], ""),
            )
            for name, about in kept["categories"].items()
        }
        return AsScored(kept["labels"], kept.get("content"), definitions, kept["aggregation"])
    except (KeyError, TypeError, AttributeError):
        raise ApiError(
            f"the frame's `attrs[{_ATTRIBUTE!r}]` is not what this version's `run.logits` puts "
            "there: get the frame from the run again"
        ) from None


def is_of_run(logits: pd.DataFrame) -> bool:
    """Whether a frame has the form of a run's, whatever it knows: by the names of its axes."""
    return logits.columns.name == COLUMNS or {*INDEX} <= {*logits.index.names}
