# What each category accepts under each rule, why, and what looks wrong with it.


rule label_audit:
    input:
        # Not their times but their content decides, which is in the spec.
        labels=ancient(FILES.label_files),
    output:
        csv=in_report("label_audit", f"{FILES.run}/tables/label_audit.csv"),
        parquet=f"{FILES.run}/tables/label_audit.parquet",
    log:
        f"{FILES.logs}/label_audit.log",
    group:
        together("results")
    params:
        spec=spec(specs.label_audit),
        code=code("label_audit"),
    # The spec grows with the categories, so it goes through a pipe: the system limits the length of
    # a command. The flags are for people, so they are also printed: once, since the job runs once.
    shell:
        """
        with_worker.py --code {params.code} label_audit.py \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            2>&1 | tee {log:q}
        """
