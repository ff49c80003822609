# Figures, each as PDF and PNG: a rule for each row of synthsight.plan.figures.


for ROW in FILES.figure_rows:

    rule:
        name:
            f"plot_{ROW.name}"
        input:
            **FILES.inputs_of(ROW),
        output:
            pdf=f"{FILES.run}/figures/{ROW.stem}.pdf",
            png=report(
                f"{FILES.run}/figures/{ROW.stem}.png",
                caption=caption(f"figures/{ROW.name}"),
                category=ROW.section,
                labels=ROW.labels,
            ),
        log:
            f"{FILES.logs}/{ROW.log}.log",
        group:
            together(ROW.group)
        params:
            function=ROW.function,
            inputs=FILES.described(ROW),
            root=constant(ROW.root(EXPERIMENT)),
            spec=spec(ROW.spec, *ROW.wildcards),
            doors=doors(module_of(ROW.function)),
            code=code("plot", module_of(ROW.function)),
        # Lists may be by category, so they go through a pipe: the system limits the length of a
        # command.
        shell:
            """
            with_worker.py --code {params.code} {params.doors} plot.py \
                --function {params.function} \
                --inputs {params.inputs} \
                --files @<(printf '%s\\n' {input:q}) \
                --root {params.root:q} \
                --spec {params.spec:q} \
                --pdf {output.pdf:q} \
                --png {output.png:q} \
                >{log:q} 2>&1
            """
