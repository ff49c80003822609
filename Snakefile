# synthsight: how well do vision models understand generated images?
# A table of contents; the logic is in rules/common.smk, the work in src/synthsight.

from snakemake.utils import min_version

min_version("9.21.1")


# A configuration is complete in itself: one given by --configfile replaces the demo's, instead of
# being laid over it.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/fetch_images.smk"
include: "rules/fetch_weights.smk"
include: "rules/fetch_vqa.smk"


# Without images there is nothing to be made of them.
if not PENDING:

    include: "rules/index_images.smk"
    include: "rules/prepare_pixels.smk"
    include: "rules/classify.smk"
    include: "rules/label_audit.smk"
    include: "rules/score.smk"
    include: "rules/aggregate.smk"
    include: "rules/agreement.smk"
    include: "rules/compare.smk"
    include: "rules/plot.smk"
    include: "rules/plot_statistics.smk"
    include: "rules/vqa.smk"
    include: "rules/plot_vqa.smk"
    include: "rules/report.smk"


# A job on the local machine is bounded by `--resources gpu=N`; on a cluster the bound is for each
# submission, since there the scheduler hands out the devices.
resource_scopes:
    gpu="local",


onstart:
    handle_term_aside()


localrules:
    all,
    weights,
    logits,
    answers,
    scores,
    tables,
    figures,


# What a plain `snakemake` makes. The logits are named so that a deleted file is made again.
rule all:
    default_target: True
    input:
        with_images(LOGITS, ANSWERS, TABLES, FIGURES, REPORT),


# Stops on the way, as in `snakemake logits`.
rule weights:
    input:
        WEIGHTS,
        VQA_WEIGHTS,


rule logits:
    input:
        with_images(LOGITS),


rule answers:
    input:
        with_images(ANSWERS),


rule scores:
    input:
        with_images(SCORES, VQA_SCORES),


rule tables:
    input:
        with_images(TABLES),


rule figures:
    input:
        with_images(FIGURES),
