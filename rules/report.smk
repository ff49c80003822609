# The page that people open. Its pictures are made category by category, so that a new image remakes
# only those of one category.


rule thumbnails:
    input:
        manifest=f"{FILES.run}/images/{{category}}.parquet",
    output:
        pictures=f"{FILES.run}/thumbnails/images/{{category}}.parquet",
    log:
        f"{FILES.logs}/thumbnails/{{category}}.log",
    group:
        together("images")
    params:
        root=constant(SETTINGS.images.root),
        spec=spec(specs.thumbnails, "category"),
        code=code("thumbnails"),
    shell:
        """
        with_worker.py --code {params.code} thumbnails.py \
            --images {input.manifest:q} \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --output {output.pictures:q} \
            >{log:q} 2>&1
        """


rule thumbnails_vqa:
    input:
        shard=f"{FILES.run}/vqa/questions/{{shard}}.parquet",
    output:
        pictures=f"{FILES.run}/thumbnails/questions/{{shard}}.parquet",
    log:
        f"{FILES.logs}/thumbnails_vqa/{{shard}}.log",
    group:
        together("images")
    params:
        root=constant(EXPERIMENT.vqa.root if EXPERIMENT.vqa else ""),
        spec=spec(asking.thumbnails_vqa),
        code=code("thumbnails"),
    shell:
        """
        with_worker.py --code {params.code} thumbnails.py \
            --images {input.shard:q} \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --output {output.pictures:q} \
            >{log:q} 2>&1
        """


rule thumbnails_duplicates:
    input:
        duplicates=FILES.table("duplicates"),
        manifests=FILES.manifests,
    output:
        pictures=f"{FILES.run}/thumbnails/duplicates.parquet",
    log:
        f"{FILES.logs}/thumbnails_duplicates.log",
    group:
        together("images")
    params:
        root=constant(SETTINGS.images.root),
        spec=spec(specs.thumbnails_duplicates),
        code=code("thumbnails_duplicates"),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --code {params.code} thumbnails_duplicates.py \
            --duplicates {input.duplicates:q} \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --output {output.pictures:q} \
            >{log:q} 2>&1
        """


rule report:
    input:
        tables=FILES.report_tables,
        manifests=FILES.manifests,
        scores=FILES.scores,
        notes=FILES.notes,
        pictures=FILES.thumbnails,
        duplicate_pictures=f"{FILES.run}/thumbnails/duplicates.parquet",
        vqa_scores=FILES.vqa_scores,
        vqa_notes=FILES.vqa_notes,
        vqa_pictures=FILES.vqa_thumbnails,
        maps=FILES.featured.maps,
        attributes=FILES.said.attributes,
    output:
        page=report(
            FILES.report,
            caption=caption("report"),
            category="Report",
            labels={"page": "results and images"},
        ),
    log:
        f"{FILES.logs}/report.log",
    group:
        together("results")
    params:
        spec=spec(specs.report),
        code=code("report"),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --code {params.code} report.py \
            --tables {input.tables:q} \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --scores {input.scores:q} \
            --notes {input.notes:q} \
            --pictures @<(printf '%s\\n' {input.pictures:q}) \
            --duplicate-pictures {input.duplicate_pictures:q} \
            --vqa-scores {input.vqa_scores:q} \
            --vqa-notes {input.vqa_notes:q} \
            --vqa-pictures {input.vqa_pictures:q} \
            --maps {input.maps:q} \
            --attributes {input.attributes:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --output {output.page:q} \
            >{log:q} 2>&1
        """
