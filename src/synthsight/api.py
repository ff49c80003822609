"""synthsight as a library: a run's numbers as frames, and a model on a folder of images.

::

    from synthsight import api

    run = api.open_run("results/demo")
    accuracy = run.table("accuracy")
    hits = api.score(run.logits("demo_resnet"), labels="resources/demo/labels.txt", rule="classes")
    mine = api.classify("pictures", "timm/resnet50.a1_in1k")

A run's files are read as they are; scoring and classifying call the same functions as the
workflow's programs. Snakemake is not needed, and only :func:`classify` imports torch. No program of
the workflow imports this module, so an edit here makes nothing run again.
"""

from __future__ import annotations

from synthsight.errors import SynthsightError
from synthsight.library.errors import ApiError
from synthsight.library.folders import classify
from synthsight.library.runs import Run, open_run
from synthsight.library.scores import rules, score

__all__ = ["ApiError", "Run", "SynthsightError", "classify", "open_run", "rules", "score"]
