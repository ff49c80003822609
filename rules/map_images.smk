# Where images lie on a map of a model's features: a job a model.


rule map_images:
    input:
        features=of(FILES.featured.features_of, "model"),
        sources=FILES.sources,
        duplicates=FILES.table("duplicates"),
    output:
        places=f"{FILES.run}/maps/{{model}}.parquet",
    log:
        f"{FILES.logs}/map_images/{{model}}.log",
    wildcard_constraints:
        model=one_of(FILES.featured.models_of("map")),
    group:
        together("embed_{model}")
    params:
        spec=spec(learning.map_images, "model"),
        code=code("map_images"),
    # Lists by category go through a pipe: the system limits the length of a command. What is left
    # out is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} map_images.py \
            --features @<(printf '%s\\n' {input.features:q}) \
            --sources {input.sources:q} \
            --duplicates {input.duplicates:q} \
            --spec {params.spec:q} \
            --places {output.places:q} \
            2>&1 | tee {log:q}
        """
