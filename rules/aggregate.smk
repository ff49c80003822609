# Accuracies with their intervals.


rule aggregate:
    input:
        scores=SCORES,
    output:
        csv=report(
            f"{RUN}/tables/accuracy.csv",
            caption="../workflow/report/accuracy.rst",
            category="Tables",
            labels={"table": "accuracy"},
        ),
        parquet=f"{RUN}/tables/accuracy.parquet",
    log:
        f"{LOGS}/aggregate.log",
    group:
        together("results")
    params:
        spec=spec(lambda wildcards: SETTINGS["intervals"]),
        code=code("aggregate"),
    shell:
        """
        with_worker.py --code {params.code} aggregate.py \
            --scores {input.scores:q} \
            --spec {params.spec:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            >{log:q} 2>&1
        """
