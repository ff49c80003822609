# The pages on which people say what they see, for `snakemake rating`: one of images and, if there are
# questions, one of these. No model has a part in them.


rule rating_pictures:
    input:
        sources=FILES.sources,
        manifests=FILES.manifests,
    output:
        pictures=f"{FILES.rating}/pictures.parquet",
    log:
        f"{FILES.logs}/rating_pictures.log",
    group:
        together("images")
    params:
        root=constant(SETTINGS.images.root),
        spec=spec(specs.rating_pictures),
        code=code("rating_pictures"),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --code {params.code} rating_pictures.py \
            --sources {input.sources:q} \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --output {output.pictures:q} \
            >{log:q} 2>&1
        """


rule rating_pictures_vqa:
    input:
        shards=FILES.question_shards,
    output:
        pictures=f"{FILES.rating}/pictures_questions.parquet",
    log:
        f"{FILES.logs}/rating_pictures_vqa.log",
    group:
        together("images")
    params:
        root=constant(EXPERIMENT.vqa.root if EXPERIMENT.vqa else ""),
        spec=spec(specs.rating_pictures_vqa),
        code=code("rating_pictures_vqa"),
    shell:
        """
        with_worker.py --code {params.code} rating_pictures_vqa.py \
            --shards {input.shards:q} \
            --root {params.root:q} \
            --spec {params.spec:q} \
            --output {output.pictures:q} \
            >{log:q} 2>&1
        """


# How large a page is has to be known by who sends it, so it is also printed.
rule rating_page:
    input:
        pictures=f"{FILES.rating}/pictures.parquet",
    output:
        page=FILES.rating_pages[0],
    log:
        f"{FILES.logs}/rating_page.log",
    group:
        together("images")
    params:
        spec=spec(specs.rating_page),
        code=code("rating_page"),
    shell:
        """
        with_worker.py --code {params.code} rating_page.py \
            --pictures {input.pictures:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --output {output.page:q} \
            2>&1 | tee {log:q}
        """


rule rating_page_vqa:
    input:
        pictures=f"{FILES.rating}/pictures_questions.parquet",
    output:
        page=f"{FILES.rating}/rating_questions.html",
    log:
        f"{FILES.logs}/rating_page_vqa.log",
    group:
        together("images")
    params:
        spec=spec(specs.rating_page_vqa),
        code=code("rating_page"),
    shell:
        """
        with_worker.py --code {params.code} rating_page.py \
            --pictures {input.pictures:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --output {output.page:q} \
            2>&1 | tee {log:q}
        """
