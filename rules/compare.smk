# How sure the differences are: between models, rules and generators, and against real photographs.


rule compare:
    input:
        scores=SCORES,
    output:
        comparisons_csv=report(
            f"{RUN}/tables/comparisons.csv",
            caption="../workflow/report/comparisons.rst",
            category="Tables",
            labels={"table": "comparisons"},
        ),
        comparisons_parquet=f"{RUN}/tables/comparisons.parquet",
        ranking_csv=report(
            f"{RUN}/tables/ranking.csv",
            caption="../workflow/report/ranking_table.rst",
            category="Tables",
            labels={"table": "ranking"},
        ),
        ranking_parquet=f"{RUN}/tables/ranking.parquet",
    log:
        f"{LOGS}/compare.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: SETTINGS["intervals"]),
        code=code("compare"),
    shell:
        """
        with_worker.py --code {params.code} compare.py \
            --scores {input.scores:q} \
            --spec {params.spec:q} \
            --comparisons-csv {output.comparisons_csv:q} \
            --comparisons-parquet {output.comparisons_parquet:q} \
            --ranking-csv {output.ranking_csv:q} \
            --ranking-parquet {output.ranking_parquet:q} \
            >{log:q} 2>&1
        """


rule generators:
    input:
        scores=SCORES,
    output:
        csv=report(
            f"{RUN}/tables/generators.csv",
            caption="../workflow/report/generators_table.rst",
            category="Tables",
            labels={"table": "generators"},
        ),
        parquet=f"{RUN}/tables/generators.parquet",
    log:
        f"{LOGS}/generators.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: SETTINGS["intervals"]),
        code=code("generators"),
    shell:
        """
        with_worker.py --code {params.code} generators.py \
            --scores {input.scores:q} \
            --spec {params.spec:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            >{log:q} 2>&1
        """


rule reference:
    input:
        accuracy=f"{RUN}/tables/accuracy.parquet",
        notes=NOTES,
    output:
        csv=report(
            f"{RUN}/tables/reference.csv",
            caption="../workflow/report/reference_table.rst",
            category="Tables",
            labels={"table": "reference"},
        ),
        parquet=f"{RUN}/tables/reference.parquet",
    log:
        f"{LOGS}/reference.log",
    group:
        together("results")
    params:
        code=code("reference"),
    shell:
        """
        with_worker.py --code {params.code} reference.py \
            --accuracy {input.accuracy:q} \
            --notes {input.notes:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            >{log:q} 2>&1
        """
