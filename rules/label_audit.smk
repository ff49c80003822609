# What each category accepts under each rule, why, and what looks wrong about it.


rule label_audit:
    input:
        labels=FILES.label_files,
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
    # What goes through a pipe grows with the categories, and the system bounds the length of a
    # command. The flags are for people, so they are printed, too: once, since the job runs once.
    shell:
        """
        with_worker.py --code {params.code} label_audit.py \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            2>&1 | tee {log:q}
        """
