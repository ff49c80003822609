# The page that people open. Its pictures are made category by category, so that a new image makes
# those of one category again.


rule thumbnails:
    input:
        manifest=f"{RUN}/images/{{category}}.parquet",
    output:
        pictures=f"{RUN}/thumbnails/images/{{category}}.parquet",
    log:
        f"{LOGS}/thumbnails/{{category}}.log",
    group:
        together("images")
    params:
        root=lambda wildcards: SETTINGS["images"]["root"],
        spec=spec(thumbnails_spec),
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
        shard=f"{RUN}/vqa/questions/{{shard}}.parquet",
    output:
        pictures=f"{RUN}/thumbnails/questions/{{shard}}.parquet",
    log:
        f"{LOGS}/thumbnails_vqa/{{shard}}.log",
    group:
        together("images")
    params:
        root=lambda wildcards: VQA.root,
        spec=spec(thumbnails_spec),
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


rule report:
    input:
        tables=REPORT_TABLES,
        manifests=MANIFESTS,
        scores=SCORES,
        notes=NOTES,
        pictures=[f"{RUN}/thumbnails/images/{category}.parquet" for category in CATEGORIES],
        vqa_scores=VQA_SCORES,
        vqa_notes=VQA_NOTES,
        vqa_pictures=(
            [f"{RUN}/thumbnails/questions/{shard}.parquet" for shard in VQA.shards] if VQA else []
        ),
    output:
        page=report(
            f"{RUN}/report.html",
            caption="../workflow/report/report.rst",
            category="Report",
            labels={"page": "results and images"},
        ),
    log:
        f"{LOGS}/report.log",
    group:
        together("results")
    params:
        spec=spec(report_spec),
        assets=ASSETS,
        code=code("report"),
    # Lists by category go through a pipe: the system bounds the length of a command.
    shell:
        """
        with_worker.py --code {params.code} report.py \
            --tables {input.tables:q} \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --scores {input.scores:q} \
            --notes {input.notes:q} \
            --pictures @<(printf '%s\\n' {input.pictures:q}) \
            --vqa-scores {input.vqa_scores:q} \
            --vqa-notes {input.vqa_notes:q} \
            --vqa-pictures {input.vqa_pictures:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --output {output.page:q} \
            >{log:q} 2>&1
        """
