# Where models agree: the images that all of them get, and those that none gets.


rule agreement:
    input:
        scores=SCORES,
    output:
        csv=report(
            f"{RUN}/tables/agreement.csv",
            caption="../workflow/report/agreement.rst",
            category="Tables",
        ),
        parquet=f"{RUN}/tables/agreement.parquet",
    log:
        f"{LOGS}/agreement.log",
    params:
        code=code("agreement"),
    shell:
        """
        agreement.py \
            --scores {input.scores:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            >{log:q} 2>&1
        """
