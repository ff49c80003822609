# Logits: one job for each model and category, or part of one, one device for each job.


rule classify:
    input:
        pixels=of(FILES.pixels_of, "model", "category"),
        weights=of(FILES.weights_of, "model"),
        note=of(FILES.note_of, "model"),
    output:
        logits=f"{FILES.run}/logits/{{model}}/{{category}}.parquet",
    log:
        f"{FILES.logs}/classify/{{model}}/{{category}}.log",
    wildcard_constraints:
        model=one_of(FILES.networks),
        category=one_of(FILES.parts.whole),
    priority: of(partial(order.of_model, EXPERIMENT), "model")
    group:
        together("classify_{model}")
    threads: threads
    resources:
        gpu=1,
        batch_size=batch_size(SETTINGS.batch_size),
    params:
        spec=spec(specs.classify, "model"),
        code=lambda wildcards: code("classify", library_door(EXPERIMENT, wildcards.model)),
        doors=lambda wildcards: doors(library_door(EXPERIMENT, wildcards.model)),
    shell:
        """
        with_worker.py --on-device --code {params.code} {params.doors} classify.py \
            --pixels {input.pixels:q} \
            --weights {input.weights:q} \
            --note {input.note:q} \
            --spec {params.spec:q} \
            --batch-size {resources.batch_size} \
            --threads {threads} \
            --output {output.logits:q} \
            >{log:q} 2>&1
        """


if FILES.parts.divided:

    # Submitted part by part, so that as many devices as there are share a category.
    use rule classify as classify_part with:
        input:
            pixels=of(FILES.pixels_of_part, "model", "category", "part"),
            weights=of(FILES.weights_of, "model"),
            note=of(FILES.note_of, "model"),
        output:
            logits=FILES.parts.path(f"{FILES.run}/logits/{{model}}/{{category}}.parquet", "{part}"),
        log:
            f"{FILES.logs}/classify/{{model}}/{{part}}/{{category}}.log",
        wildcard_constraints:
            model=one_of(FILES.networks),
            category=one_of(FILES.parts.divided),
        group:
            together("classify_{model}_{part}")

    rule join_logits:
        input:
            parts=lambda wildcards: FILES.parts.files(
                f"{FILES.run}/logits/{wildcards.model}/{wildcards.category}.parquet"
            ),
            manifest=f"{FILES.run}/images/{{category}}.parquet",
        output:
            logits=f"{FILES.run}/logits/{{model}}/{{category}}.parquet",
        log:
            f"{FILES.logs}/join_logits/{{model}}/{{category}}.log",
        wildcard_constraints:
            model=one_of(FILES.networks),
            category=one_of(FILES.parts.divided),
        priority: of(partial(order.of_model, EXPERIMENT), "model")
        group:
            together("classify_{model}")
        params:
            spec=constant(canonical_json({"column": COLUMNS["classify"]})),
            code=code("join_vectors"),
        # Lists of parts go through a pipe: the system limits the length of a command.
        shell:
            """
            with_worker.py --code {params.code} join_vectors.py \
                --parts @<(printf '%s\\n' {input.parts:q}) \
                --manifest {input.manifest:q} \
                --spec {params.spec:q} \
                --output {output:q} \
                >{log:q} 2>&1
            """
