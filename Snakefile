# synthsight: how well do vision models understand generated images?
# A table of contents: src/synthsight/plan decides what runs and why, the rest
# of src/synthsight does the work.

from snakemake.utils import min_version

min_version("9.21.1")


include: "rules/package.smk"


# A configuration is complete in itself: one given by --configfile replaces the demo's instead of
# being merged into it.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/captions.smk"


report: caption("workflow")


include: "rules/terminal.smk"
include: "rules/fetch_images.smk"
include: "rules/fetch_weights.smk"
include: "rules/fetch_vqa.smk"


# Without images there is nothing to make from them.
if not PENDING:

    include: "rules/index_images.smk"
    include: "rules/find_sources.smk"
    include: "rules/prepare_pixels.smk"
    include: "rules/classify.smk"
    include: "rules/embed.smk"
    include: "rules/train_heads.smk"
    include: "rules/measure_distances.smk"
    include: "rules/map_images.smk"
    include: "rules/export_split.smk"
    include: "rules/fit_linear.smk"
    include: "rules/finetune.smk"
    include: "rules/import_predictions.smk"
    include: "rules/label_audit.smk"
    include: "rules/score.smk"
    include: "rules/vqa.smk"
    include: "rules/ask_endpoint.smk"
    include: "rules/import_answers.smk"
    include: "rules/people.smk"
    include: "rules/tabulate.smk"
    include: "rules/plot.smk"
    include: "rules/export.smk"
    include: "rules/report.smk"
    include: "rules/rating.smk"


# Jobs on the local machine are limited by `--resources gpu=N`; on a cluster the limit applies to
# each submission, since there the scheduler assigns the devices.
resource_scopes:
    gpu="local",


localrules:
    all,
    weights,
    logits,
    features,
    answers,
    scores,
    tables,
    figures,
    rating,


# What a plain `snakemake` makes.
rule all:
    default_target: True
    input:
        with_images(FILES.targets["all"]),


# Intermediate targets, as in `snakemake logits`.
rule weights:
    input:
        FILES.targets["weights"],


rule logits:
    input:
        with_images(FILES.targets["logits"]),


rule features:
    input:
        with_images(FILES.targets["features"]),


rule answers:
    input:
        with_images(FILES.targets["answers"]),


rule scores:
    input:
        with_images(FILES.targets["scores"]),


rule tables:
    input:
        with_images(FILES.targets["tables"]),


rule figures:
    input:
        with_images(FILES.targets["figures"]),


# The pages that people rate images on. They are no part of `all`.
rule rating:
    input:
        with_images(FILES.targets["rating"]),
