# Figures, each in the formats that are asked for: a rule for each row of synthsight.plan.figures.


def figure_files(row):
    """The outputs of a figure's rule, by format; one that a page can show is in Snakemake's own report."""
    files = {each: f"{FILES.run}/figures/{row.stem}.{each}" for each in SETTINGS.figures.formats}
    shown = next((each for each in ("png", "svg") if each in files), None)
    if shown:
        files[shown] = report(
            files[shown],
            caption=caption(f"figures/{row.name}"),
            category=row.section,
            labels=row.labels,
        )
    return files


for ROW in FILES.figure_rows:

    rule:
        name:
            f"plot_{ROW.name}"
        input:
            **FILES.inputs_of(ROW),
        output:
            **figure_files(ROW),
        log:
            f"{FILES.logs}/{ROW.log}.log",
        group:
            together(ROW.group)
        params:
            function=ROW.function,
            inputs=FILES.described(ROW),
            root=constant(ROW.root(EXPERIMENT)),
            spec=spec(ROW.settings, *ROW.wildcards),
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
                --figures {output:q} \
                >{log:q} 2>&1
            """
