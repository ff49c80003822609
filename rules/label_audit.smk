# What each category accepts under each rule, why, and what looks wrong about it.


rule label_audit:
    input:
        labels=LABEL_FILES,
    output:
        csv=report(
            f"{RUN}/tables/label_audit.csv",
            caption="../workflow/report/label_audit.rst",
            category="Tables",
            labels={"table": "label_audit"},
        ),
        parquet=f"{RUN}/tables/label_audit.parquet",
    log:
        f"{LOGS}/label_audit.log",
    params:
        spec=spec(audit_spec),
        code=code("label_audit"),
    # The flags are for people, so they are printed, too: once, since the job runs once.
    shell:
        """
        label_audit.py \
            --spec {params.spec:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            2>&1 | tee {log:q}
        """
