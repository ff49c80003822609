# The manifests: which files there are, and which of them can be used as images. Those of categories
# with many images are joined from their parts' (src/synthsight/plan/parts.py).


rule index_images:
    output:
        manifest=f"{FILES.run}/images/{{category}}.parquet",
    log:
        f"{FILES.logs}/index_images/{{category}}.log",
    wildcard_constraints:
        category=one_of(FILES.parts.whole),
    group:
        together("images")
    threads: 1
    params:
        spec=spec(specs.index_images, "category"),
        code=code("index_images"),
        kept=constant(str(KEPT)),
    shell:
        """
        with_worker.py --code {params.code} index_images.py \
            --spec {params.spec:q} \
            --kept {params.kept} \
            --threads {threads} \
            --output {output.manifest:q} \
            >{log:q} 2>&1
        """


if FILES.parts.divided:

    use rule index_images as index_images_part with:
        output:
            manifest=FILES.parts.path(f"{FILES.run}/images/{{category}}.parquet", "{part}"),
        log:
            f"{FILES.logs}/index_images/{{part}}/{{category}}.log",
        wildcard_constraints:
            category=one_of(FILES.parts.divided),
        group:
            together("images_{part}")
        params:
            spec=of(lambda *part: canonical_json(FILES.parts.index_part(*part)), "category", "part"),

    rule join_manifests:
        input:
            parts=of(lambda category: FILES.parts.files(FILES.manifest_of(category)), "category"),
        output:
            manifest=f"{FILES.run}/images/{{category}}.parquet",
        log:
            f"{FILES.logs}/join_manifests/{{category}}.log",
        wildcard_constraints:
            category=one_of(FILES.parts.divided),
        group:
            together("images")
        params:
            spec=of(lambda name: canonical_json(FILES.parts.join_manifests(name)), "category"),
            code=code("join_manifests"),
        # Lists of parts go through a pipe: the system limits the length of a command.
        shell:
            """
            with_worker.py --code {params.code} join_manifests.py \
                --parts @<(printf '%s\\n' {input.parts:q}) \
                --spec {params.spec:q} \
                --output {output.manifest:q} \
                >{log:q} 2>&1
            """


rule list_excluded:
    input:
        manifests=FILES.manifests,
        duplicates=FILES.duplicates_to_exclude,
        predictions=FILES.predictions_to_exclude,
        # Not their times but their contents decide, which are in the spec.
        marks=ancient(list(EXPERIMENT.marks)),
    output:
        csv=in_report("excluded", f"{FILES.run}/tables/excluded.csv"),
        parquet=f"{FILES.run}/tables/excluded.parquet",
    log:
        f"{FILES.logs}/list_excluded.log",
    group:
        together("images")
    params:
        spec=spec(specs.list_excluded),
        code=code("list_excluded"),
    # Lists by category go through a pipe: the system limits the length of a command. What was left
    # out is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} list_excluded.py \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --duplicates {input.duplicates:q} \
            --predictions {input.predictions:q} \
            --marks {input.marks:q} \
            --spec {params.spec:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            2>&1 | tee {log:q}
        """


rule find_duplicates:
    input:
        manifests=FILES.manifests,
    output:
        csv=in_report("duplicates", f"{FILES.run}/tables/duplicates.csv"),
        parquet=f"{FILES.run}/tables/duplicates.parquet",
    log:
        f"{FILES.logs}/find_duplicates.log",
    group:
        together("images")
    params:
        spec=spec(specs.find_duplicates),
        code=code("find_duplicates"),
    # Lists by category go through a pipe: the system limits the length of a command. What is there
    # more than once is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} find_duplicates.py \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --spec {params.spec:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            2>&1 | tee {log:q}
        """
