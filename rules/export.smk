# What papers and other tools take: a rule for each row of synthsight.plan.exports.


for ROW in exports_of(EXPERIMENT):

    rule:
        name:
            ROW.rule
        input:
            **FILES.inputs_of(ROW),
        output:
            file=path_of(ROW, FILES.run),
        log:
            f"{FILES.logs}/{ROW.rule}.log",
        group:
            together("results")
        params:
            function=ROW.function,
            inputs=FILES.described(ROW),
            spec=spec(ROW.settings),
            doors=doors(module_of(ROW.function)),
            code=code("export", module_of(ROW.function)),
        shell:
            """
            with_worker.py --code {params.code} {params.doors} export.py \
                --function {params.function} \
                --inputs {params.inputs} \
                --files @<(printf '%s\\n' {input:q}) \
                --spec {params.spec:q} \
                --file {output.file:q} \
                >{log:q} 2>&1
            """
