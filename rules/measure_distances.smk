# How far generated images are from photographs, in the features of a model: a job a model.


rule measure_distances:
    input:
        features=of(FILES.featured.features_of, "model"),
        sources=FILES.sources,
        duplicates=FILES.table("duplicates"),
    output:
        measured=f"{FILES.run}/distances/{{model}}.parquet",
    log:
        f"{FILES.logs}/measure_distances/{{model}}.log",
    wildcard_constraints:
        model=one_of(FILES.featured.models_of("distances")),
    group:
        together("embed_{model}")
    threads: lambda wildcards: MACHINE.threads(len(FILES.featured.models_of("distances")))
    params:
        spec=spec(learning.measure_distances, "model"),
        code=code("measure_distances"),
    # Lists by category go through a pipe: the system limits the length of a command. What is left
    # out is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} measure_distances.py \
            --features @<(printf '%s\\n' {input.features:q}) \
            --sources {input.sources:q} \
            --duplicates {input.duplicates:q} \
            --spec {params.spec:q} \
            --threads {threads} \
            --measured {output.measured:q} \
            2>&1 | tee {log:q}
        """
