# Figures of the statistics: rules, reference, generators, agreement, ranking, confusions.


rule plot_rules:
    input:
        accuracy=f"{RUN}/tables/accuracy.parquet",
    output:
        pdf=f"{RUN}/figures/rules.pdf",
        png=report(
            f"{RUN}/figures/rules.png",
            caption="../workflow/report/rules.rst",
            category="Accuracy",
            labels={"figure": "rules"},
        ),
    log:
        f"{LOGS}/plot_rules.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: {"rule": PRIMARY}),
        code=code("plot_rules"),
    shell:
        """
        with_worker.py --code {params.code} plot_rules.py \
            --accuracy {input.accuracy:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_reference:
    input:
        reference=f"{RUN}/tables/reference.parquet",
    output:
        pdf=f"{RUN}/figures/reference.pdf",
        png=report(
            f"{RUN}/figures/reference.png",
            caption="../workflow/report/reference.rst",
            category="Accuracy",
            labels={"figure": "reference"},
        ),
    log:
        f"{LOGS}/plot_reference.log",
    group:
        together("results")
    params:
        spec=spec(intervals_spec),
        code=code("plot_reference"),
    shell:
        """
        with_worker.py --code {params.code} plot_reference.py \
            --reference {input.reference:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_generators:
    input:
        accuracy=f"{RUN}/tables/accuracy.parquet",
        generators=f"{RUN}/tables/generators.parquet",
    output:
        pdf=f"{RUN}/figures/generators.pdf",
        png=report(
            f"{RUN}/figures/generators.png",
            caption="../workflow/report/generators.rst",
            category="Generators",
            labels={"figure": "generators"},
        ),
    log:
        f"{LOGS}/plot_generators.log",
    group:
        together("results")
    params:
        spec=spec(intervals_spec),
        code=code("plot_generators"),
    shell:
        """
        with_worker.py --code {params.code} plot_generators.py \
            --accuracy {input.accuracy:q} \
            --generators {input.generators:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_kappa:
    input:
        kappa=f"{RUN}/tables/kappa.parquet",
    output:
        pdf=f"{RUN}/figures/kappa.pdf",
        png=report(
            f"{RUN}/figures/kappa.png",
            caption="../workflow/report/kappa.rst",
            category="Agreement",
            labels={"figure": "kappa"},
        ),
    log:
        f"{LOGS}/plot_kappa.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: {"rule": PRIMARY}),
        code=code("plot_kappa"),
    shell:
        """
        with_worker.py --code {params.code} plot_kappa.py \
            --kappa {input.kappa:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_difficulty:
    input:
        difficulty=f"{RUN}/tables/difficulty.parquet",
    output:
        pdf=f"{RUN}/figures/difficulty.pdf",
        png=report(
            f"{RUN}/figures/difficulty.png",
            caption="../workflow/report/difficulty.rst",
            category="Agreement",
            labels={"figure": "difficulty"},
        ),
    log:
        f"{LOGS}/plot_difficulty.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: {"rule": PRIMARY}),
        code=code("plot_difficulty"),
    shell:
        """
        with_worker.py --code {params.code} plot_difficulty.py \
            --difficulty {input.difficulty:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_ranking:
    input:
        ranking=f"{RUN}/tables/ranking.parquet",
    output:
        pdf=f"{RUN}/figures/ranking.pdf",
        png=report(
            f"{RUN}/figures/ranking.png",
            caption="../workflow/report/ranking.rst",
            category="Accuracy",
            labels={"figure": "ranking"},
        ),
    log:
        f"{LOGS}/plot_ranking.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: {"rule": PRIMARY}),
        code=code("plot_ranking"),
    shell:
        """
        with_worker.py --code {params.code} plot_ranking.py \
            --ranking {input.ranking:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_confusions:
    input:
        confusions=f"{RUN}/tables/confusions.parquet",
    output:
        pdf=f"{RUN}/figures/confusions.pdf",
        png=report(
            f"{RUN}/figures/confusions.png",
            caption="../workflow/report/confusions.rst",
            category="Failures",
            labels={"figure": "confusions"},
        ),
    log:
        f"{LOGS}/plot_confusions.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: {"rule": PRIMARY}),
        code=code("plot_confusions"),
    shell:
        """
        with_worker.py --code {params.code} plot_confusions.py \
            --confusions {input.confusions:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """


rule plot_gallery:
    input:
        images=f"{RUN}/tables/images.parquet",
    output:
        pdf=f"{RUN}/figures/gallery.pdf",
        png=report(
            f"{RUN}/figures/gallery.png",
            caption="../workflow/report/gallery.rst",
            category="Agreement",
            labels={"figure": "gallery"},
        ),
    log:
        f"{LOGS}/plot_gallery.log",
    group:
        together("results")
    params:
        root=lambda wildcards: SETTINGS["images"]["root"],
        spec=spec(lambda wildcards: {"rule": PRIMARY}),
        code=code("plot_gallery"),
    shell:
        """
        with_worker.py --code {params.code} plot_gallery.py \
            --images {input.images:q} \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --pdf {output.pdf:q} \
            --png {output.png:q} \
            >{log:q} 2>&1
        """
