# Figures, each as PDF and PNG, a rule for each.


rule plot_samples:
    input:
        manifests=MANIFESTS,
    output:
        pdf=f"{RUN}/figures/samples.pdf",
        png=report(
            f"{RUN}/figures/samples.png",
            caption="../workflow/report/samples.rst",
            category="Images",
            labels={"figure": "samples"},
        ),
    log:
        f"{LOGS}/plot_samples.log",
    group:
        together("images")
    params:
        root=lambda wildcards: SETTINGS["images"]["root"],
        code=code("plot_samples"),
    # Lists by category go through a pipe: the system bounds the length of a command.
    shell:
        """
        with_worker.py --code {params.code} plot_samples.py \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --root={params.root:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_overview:
    input:
        accuracy=f"{RUN}/tables/accuracy.parquet",
        agreement=f"{RUN}/tables/agreement.parquet",
        manifests=MANIFESTS,
        notes=NOTES,
    output:
        pdf=f"{RUN}/figures/overview.pdf",
        png=report(
            f"{RUN}/figures/overview.png",
            caption="../workflow/report/overview.rst",
            category="Accuracy",
            labels={"figure": "overview"},
        ),
    log:
        f"{LOGS}/plot_overview.log",
    group:
        together("results")
    params:
        spec=spec(intervals_spec),
        code=code("plot_overview"),
    # Lists by category go through a pipe: the system bounds the length of a command.
    shell:
        """
        with_worker.py --code {params.code} plot_overview.py \
            --accuracy {input.accuracy:q} \
            --agreement {input.agreement:q} \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --weights {input.notes:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_models:
    input:
        accuracy=f"{RUN}/tables/accuracy.parquet",
    output:
        pdf=f"{RUN}/figures/models_{{page}}.pdf",
        png=report(
            f"{RUN}/figures/models_{{page}}.png",
            caption="../workflow/report/models.rst",
            category="Accuracy",
            labels={"figure": "models", "page": "{page}"},
        ),
    log:
        f"{LOGS}/plot_models/{{page}}.log",
    group:
        together("results")
    params:
        spec=spec(models_spec),
        code=code("plot_models"),
    shell:
        """
        with_worker.py --code {params.code} plot_models.py \
            --accuracy {input.accuracy:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_failures:
    input:
        accuracy=f"{RUN}/tables/accuracy.parquet",
        scores=SCORES,
    output:
        pdf=f"{RUN}/figures/failures_{{category}}.pdf",
        png=report(
            f"{RUN}/figures/failures_{{category}}.png",
            caption="../workflow/report/failures.rst",
            category="Failures",
            labels={"figure": "failures", "category": "{category}"},
        ),
    log:
        f"{LOGS}/plot_failures/{{category}}.log",
    group:
        together("results")
    params:
        root=lambda wildcards: SETTINGS["images"]["root"],
        spec=spec(failures_spec),
        code=code("plot_failures"),
    shell:
        """
        with_worker.py --code {params.code} plot_failures.py \
            --accuracy {input.accuracy:q} \
            --scores {input.scores:q} \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """
