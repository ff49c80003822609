"""Results in the forms that evaluation harnesses share, so that other tools can read them.

``results`` has the layout of the results.json of EleutherAI's LM Evaluation Harness: a task for
each model and kind of evaluation, a metric for each matching rule as its filter. ``records`` are
records of Every Eval Ever's schema, which has a place for intervals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.metadata import version
from typing import Any

import pandas as pd
from scipy.special import ndtri

from synthsight.tables import ALL

#: The version of Every Eval Ever's schema that :func:`records` keeps to.
SCHEMA = "0.3.0"

#: The version of what a task's numbers mean. It is raised when they come to mean something else.
TASK = 1

#: What each number is, by metric.
_SAID = {
    "top1": "Share of generated images whose first predicted class matches the category under the "
    "rule; the mean over categories",
    "top5": "Share of generated images of whose first five predicted classes one matches the "
    "category under the rule; the mean over categories",
    "acc": "Share of yes/no questions about generated images with the right answer",
    "balanced_acc": "The mean of the shares of right answers to yes and to no questions about "
    "generated images",
}

#: What has to be known of the numbers of a model that was trained on the run's images.
TRAINED = (
    "The model was trained on images of this run, each of which is predicted by a network that was "
    "trained without it; it chooses among the run's categories"
)

_METRICS = ("top1", "top5")

#: What a record has to say of a model that tables do not know.
_DETAILS = ("deployment_type", "model_availability")


def results(
    accuracy: pd.DataFrame,
    excluded: pd.DataFrame,
    level: float,
    run: str,
    vqa: pd.DataFrame | None = None,
    adapted: Collection[str] = (),
) -> dict[str, Any]:
    """All models' accuracies in the layout of LM Evaluation Harness's results.json.

    Args:
        accuracy: the accuracy table; means over categories of all generated images are told.
        excluded: the table of files that are left out, which belong to the original number.
        level: confidence level of the intervals.
        run: name of the run.
        vqa: the table of models that were asked questions, if any were.
        adapted: models that were trained on the run's images, which their metadata say.
    """
    found: dict[str, Any] = {}
    samples: dict[str, dict[str, int]] = {}
    better: dict[str, dict[str, bool]] = {}
    configs: dict[str, Any] = {}
    for task, about in _tasks(accuracy, vqa):
        metrics: dict[str, Any] = {"alias": about["model"]}
        for metric, rule, value, low, high in about["metrics"]:
            stated = {"": value, "_stderr": _error(low, high, level), "_low": low, "_high": high}
            metrics |= {f"{metric}{end},{rule}": _number(each) for end, each in stated.items()}
        found[task] = metrics
        left = about.get("unanswered", len(excluded))
        samples[task] = {"original": about["n"] + left, "effective": about["n"]}
        names = sorted({metric for metric, *_ in about["metrics"]})
        better[task] = dict.fromkeys(names, True)
        of_model = {"version": TASK, "model": about["model"], "confidence_level": level}
        configs[task] = {
            "task": task,
            "num_fewshot": 0,
            "output_type": about["kind"],
            "metric_list": [{"metric": name, "higher_is_better": True} for name in names],
            "metadata": of_model | ({"training": TRAINED} if _is(about, adapted) else {}),
        }
    return {
        "results": found,
        "configs": configs,
        "versions": dict.fromkeys(found, TASK),
        "n-shot": dict.fromkeys(found, 0),
        "higher_is_better": better,
        "n-samples": samples,
        "config": {"model": "synthsight", "model_args": f"run={run}"},
        "synthsight_version": version("synthsight"),
    }


def records(
    accuracy: pd.DataFrame,
    level: float,
    run: str,
    vqa: pd.DataFrame | None = None,
    adapted: Collection[str] = (),
) -> list[dict[str, Any]]:
    """All models' accuracies as records of Every Eval Ever's schema, one a model.

    Times are "unknown", since the same results are to give the same bytes.

    Args:
        accuracy: the accuracy table, as in :func:`results`.
        level: confidence level of the intervals.
        run: name of the run.
        vqa: as in :func:`results`.
        adapted: as in :func:`results`.
    """
    by_model: dict[str, list[dict[str, Any]]] = {}
    trained: set[str] = set()
    for _, about in _tasks(accuracy, vqa):
        trained |= {about["model"]} if _is(about, adapted) else set()
        for metric, rule, value, low, high in about["metrics"]:
            if value != value:
                continue
            bounds = {"lower": float(low), "upper": float(high), "confidence_level": level}
            by_model.setdefault(about["model"], []).append(
                {
                    "evaluation_name": f"{about['kind']}, {metric}"
                    + (f", {rule}" if rule != "none" else ""),
                    "source_data": {"dataset_name": run, "source_type": "other"},
                    "metric_config": {
                        "evaluation_description": _SAID[metric]
                        + (f". {TRAINED}" if _is(about, adapted) else ""),
                        "lower_is_better": False,
                        "score_type": "continuous",
                        "min_score": 0,
                        "max_score": 1,
                    },
                    "score_details": {
                        "score": float(value),
                        "uncertainty": {
                            **({"confidence_interval": bounds} if low == low else {}),
                            "num_samples": about["n"],
                        },
                    },
                }
            )
    return [
        {
            "schema_version": SCHEMA,
            "evaluation_id": f"{run}/{model}/unknown",
            "retrieved_timestamp": "unknown",
            "source_metadata": {
                "source_type": "evaluation_run",
                "source_organization_name": "unknown",
                "evaluator_relationship": "other",
            },
            "eval_library": {"name": "synthsight", "version": version("synthsight")},
            "model_info": {
                **{"name": model, "id": model},
                "additional_details": dict.fromkeys(_DETAILS, "unknown")
                | ({"training": TRAINED} if model in trained else {}),
            },
            "evaluation_results": found,
        }
        for model, found in by_model.items()
    ]


def _tasks(
    accuracy: pd.DataFrame, vqa: pd.DataFrame | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each model was evaluated on: name, numbers of samples, metrics with their bounds."""
    means = accuracy[(accuracy["category"] == ALL) & (accuracy["generator"] == ALL)]
    for model, rows in means.sort_values(["model", "rule"]).groupby("model", sort=True):
        metrics = [
            (metric, row["rule"], *(row[f"{metric}{end}"] for end in ("", "_low", "_high")))
            for row in rows.to_dict("records")
            for metric in _METRICS
        ]
        yield (
            f"classification/{model}",
            {
                "kind": "classification",
                "model": str(model),
                "n": int(rows["n"].max()),
                "metrics": metrics,
            },
        )
    if vqa is None:
        return
    for row in vqa.sort_values("model").to_dict("records"):
        balanced = (row["balanced_accuracy"], row["balanced_low"], row["balanced_high"])
        yield (
            f"questions/{row['model']}",
            {
                "kind": "questions",
                "model": str(row["model"]),
                "n": int(row["n"]),
                "unanswered": int(row["unanswered"]),
                "metrics": [
                    ("acc", "none", row["accuracy"], row["low"], row["high"]),
                    ("balanced_acc", "none", *balanced),
                ],
            },
        )


def _is(about: dict[str, Any], adapted: Collection[str]) -> bool:
    """Whether a task is that of a model that was trained on the run's images."""
    return about["kind"] == "classification" and about["model"] in adapted


def _error(low: float, high: float, level: float) -> float:
    """A standard error that gives an interval as wide as this one, were it normal."""
    return float((high - low) / (2 * ndtri((1 + level) / 2)))


def _number(value: float) -> float | str:
    """A number for JSON; what is not known is called as harnesses call it."""
    return float(value) if value == value else "N/A"
