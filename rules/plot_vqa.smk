# Figures of the questions, each as PDF and PNG, a rule for each.


rule plot_vqa_samples:
    input:
        answers=f"{RUN}/vqa/{{vqa_model}}.parquet",
    output:
        pdf=f"{RUN}/figures/vqa_samples_{{vqa_model}}_{{page}}.pdf",
        png=report(
            f"{RUN}/figures/vqa_samples_{{vqa_model}}_{{page}}.png",
            caption="../workflow/report/vqa_samples.rst",
            category="Questions",
            labels={"figure": "samples", "model": "{vqa_model}", "page": "{page}"},
        ),
    log:
        f"{LOGS}/plot_vqa_samples/{{vqa_model}}_{{page}}.log",
    group:
        together("results")
    params:
        root=lambda wildcards: VQA.root,
        spec=spec(vqa_samples_spec),
        code=code("plot_vqa_samples"),
    shell:
        """
        with_worker.py --code {params.code} plot_vqa_samples.py \
            --answers {input.answers:q} \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_vqa_accuracy:
    input:
        vqa=f"{RUN}/tables/vqa.parquet",
    output:
        pdf=f"{RUN}/figures/vqa_accuracy.pdf",
        png=report(
            f"{RUN}/figures/vqa_accuracy.png",
            caption="../workflow/report/vqa_accuracy.rst",
            category="Questions",
            labels={"figure": "accuracy"},
        ),
    log:
        f"{LOGS}/plot_vqa_accuracy.log",
    group:
        together("results")
    params:
        spec=spec(level_spec),
        code=code("plot_vqa_accuracy"),
    shell:
        """
        with_worker.py --code {params.code} plot_vqa_accuracy.py \
            --vqa {input.vqa:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_vqa_kinds:
    input:
        groups=f"{RUN}/tables/vqa_groups.parquet",
        vqa=f"{RUN}/tables/vqa.parquet",
    output:
        pdf=f"{RUN}/figures/vqa_kinds.pdf",
        png=report(
            f"{RUN}/figures/vqa_kinds.png",
            caption="../workflow/report/vqa_kinds.rst",
            category="Questions",
            labels={"figure": "kinds"},
        ),
    log:
        f"{LOGS}/plot_vqa_kinds.log",
    group:
        together("results")
    params:
        spec=spec(level_spec),
        code=code("plot_vqa_kinds"),
    shell:
        """
        with_worker.py --code {params.code} plot_vqa_kinds.py \
            --groups {input.groups:q} \
            --vqa {input.vqa:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_vqa_calibration:
    input:
        calibration=f"{RUN}/tables/vqa_calibration.parquet",
        vqa=f"{RUN}/tables/vqa.parquet",
    output:
        pdf=f"{RUN}/figures/vqa_calibration.pdf",
        png=report(
            f"{RUN}/figures/vqa_calibration.png",
            caption="../workflow/report/vqa_calibration.rst",
            category="Questions",
            labels={"figure": "calibration"},
        ),
    log:
        f"{LOGS}/plot_vqa_calibration.log",
    group:
        together("results")
    params:
        spec=spec(level_spec),
        code=code("plot_vqa_calibration"),
    shell:
        """
        with_worker.py --code {params.code} plot_vqa_calibration.py \
            --calibration {input.calibration:q} \
            --vqa {input.vqa:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """
