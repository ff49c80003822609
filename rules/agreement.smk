# Where models agree: images that all get or none gets, how many models get each, pairwise kappa,
# and which wrong class each category is taken for.


rule agreement:
    input:
        scores=SCORES,
    output:
        agreement_csv=report(
            f"{RUN}/tables/agreement.csv",
            caption="../workflow/report/agreement.rst",
            category="Tables",
            labels={"table": "agreement"},
        ),
        agreement_parquet=f"{RUN}/tables/agreement.parquet",
        difficulty_csv=report(
            f"{RUN}/tables/difficulty.csv",
            caption="../workflow/report/difficulty_table.rst",
            category="Tables",
            labels={"table": "difficulty"},
        ),
        difficulty_parquet=f"{RUN}/tables/difficulty.parquet",
        images_parquet=f"{RUN}/tables/images.parquet",
        kappa_csv=report(
            f"{RUN}/tables/kappa.csv",
            caption="../workflow/report/kappa_table.rst",
            category="Tables",
            labels={"table": "kappa"},
        ),
        kappa_parquet=f"{RUN}/tables/kappa.parquet",
    log:
        f"{LOGS}/agreement.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: {"level": SETTINGS["intervals"]["level"]}),
        code=code("agreement"),
    shell:
        """
        with_worker.py --code {params.code} agreement.py \
            --scores {input.scores:q} \
            --spec {params.spec:q} \
            --agreement-csv {output.agreement_csv:q} \
            --agreement-parquet {output.agreement_parquet:q} \
            --difficulty-csv {output.difficulty_csv:q} \
            --difficulty-parquet {output.difficulty_parquet:q} \
            --images-parquet {output.images_parquet:q} \
            --kappa-csv {output.kappa_csv:q} \
            --kappa-parquet {output.kappa_parquet:q} \
            >{log:q} 2>&1
        """


rule confusions:
    input:
        scores=SCORES,
    output:
        csv=report(
            f"{RUN}/tables/confusions.csv",
            caption="../workflow/report/confusions_table.rst",
            category="Tables",
            labels={"table": "confusions"},
        ),
        parquet=f"{RUN}/tables/confusions.parquet",
    log:
        f"{LOGS}/confusions.log",
    group:
        together("results")
    params:
        code=code("confusions"),
    shell:
        """
        with_worker.py --code {params.code} confusions.py \
            --scores {input.scores:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            >{log:q} 2>&1
        """
