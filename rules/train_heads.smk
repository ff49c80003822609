# Classifiers trained on the features of one source of images and tested on another: a job a model.


rule train_heads:
    input:
        features=of(FILES.featured.features_of, "model"),
        sources=FILES.sources,
        duplicates=FILES.table("duplicates"),
    output:
        pairs=f"{FILES.run}/heads/{{model}}/pairs.parquet",
        categories=f"{FILES.run}/heads/{{model}}/categories.parquet",
    log:
        f"{FILES.logs}/train_heads/{{model}}.log",
    wildcard_constraints:
        model=one_of(FILES.featured.models_of("transfer")),
    group:
        together("embed_{model}")
    threads: lambda wildcards: MACHINE.threads(len(FILES.featured.models_of("transfer")))
    params:
        spec=spec(learning.train_heads, "model"),
        code=code("train_heads"),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --code {params.code} train_heads.py \
            --features @<(printf '%s\\n' {input.features:q}) \
            --sources {input.sources:q} \
            --duplicates {input.duplicates:q} \
            --spec {params.spec:q} \
            --threads {threads} \
            --pairs {output.pairs:q} \
            --categories {output.categories:q} \
            >{log:q} 2>&1
        """
