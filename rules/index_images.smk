# The manifests: which files there are, and which of them can serve as images.


rule index_images:
    output:
        manifest=f"{RUN}/images/{{category}}.parquet",
    log:
        f"{LOGS}/index_images/{{category}}.log",
    group:
        together("images")
    threads: 1
    params:
        spec=spec(index_spec),
        code=code("index_images"),
    shell:
        """
        with_worker.py --code {params.code} index_images.py \
            --spec {params.spec:q} \
            --threads {threads} \
            --output {output.manifest:q} \
            >{log:q} 2>&1
        """


rule list_excluded:
    input:
        manifests=MANIFESTS,
    output:
        table=report(
            f"{RUN}/tables/excluded.csv",
            caption="../workflow/report/excluded.rst",
            category="Tables",
            labels={"table": "excluded"},
        ),
    log:
        f"{LOGS}/list_excluded.log",
    group:
        together("images")
    params:
        code=code("list_excluded"),
    # Lists by category go through a pipe: the system bounds the length of a command.
    shell:
        """
        with_worker.py --code {params.code} list_excluded.py \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --output {output.table:q} \
            >{log:q} 2>&1
        """
