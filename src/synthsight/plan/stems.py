"""What the weights of a run's models are called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from synthsight.canonical import canonical_json
from synthsight.files import is_file
from synthsight.origin import Origin, read_origin
from synthsight.plan import asking, specs
from synthsight.plan.experiment import Experiment

#: Where weights are kept, for all runs.
WEIGHTS = "resources/weights"


def fetched_specs(experiment: Experiment) -> dict[str, str]:
    """The specs of the weights of all models that are run, of either kind, by name."""
    vqa_models = sorted(experiment.vqa.networks) if experiment.vqa else []
    classifiers = ((n, specs.fetch_weights(experiment, n)) for n in sorted(experiment.networks))
    others = ((name, asking.fetch_vqa(experiment, name)) for name in vqa_models)
    return {name: canonical_json(spec) for name, spec in (*classifiers, *others)}


def stems_of(fetched: Mapping[str, str]) -> dict[str, str]:
    """How each model's weights are called, by its name.

    By the model's name; but where weights of this name were fetched with other settings, as another
    run may need them, a digest is added, so that runs never replace each other's.

    Args:
        fetched: from :func:`fetched_specs`.
    """
    stems = {}
    for name, text in fetched.items():
        own = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        there = read_origin(f"{WEIGHTS}/{name}.json")
        others = isinstance(there, Origin) and there.spec != text
        stems[name] = own if others or is_file(f"{WEIGHTS}/{own}.json") else name
    return stems
