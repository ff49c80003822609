# Tables computed from scores and answers: one rule for each row of synthsight.plan.tables.


for ROW in FILES.statistics:
    if ROW.function is None:
        continue  # it has a program of its own

    rule:
        name:
            ROW.rule
        input:
            **FILES.inputs_of(ROW),
        output:
            **table_files(ROW),
        log:
            f"{FILES.logs}/{ROW.rule}.log",
        group:
            together("results")
        params:
            function=ROW.function,
            inputs=FILES.described(ROW),
            spec=spec(ROW.spec),
            doors=doors(module_of(ROW.function)),
            code=code("tabulate", module_of(ROW.function)),
        # Lists may be by category, so they go through a pipe: the system limits the length of a
        # command.
        shell:
            """
            with_worker.py --code {params.code} {params.doors} tabulate.py \
                --function {params.function} \
                --inputs {params.inputs} \
                --files @<(printf '%s\\n' {input:q}) \
                --spec {params.spec:q} \
                --tables {output:q} \
                >{log:q} 2>&1
            """
