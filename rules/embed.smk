# Features: one job for each model and category, or part of one, one device for each job. They are
# what enters a classifier's last layer, or an encoder's embedding; the model is the one that
# classifies.


# Pixels that are not kept are deleted once a category has been classified. If features were to read
# the same files, these would be made again for them, and all be classified again.
if not SETTINGS.keep_pixels:

    use rule prepare_pixels as prepare_pixels_to_embed with:
        output:
            pixels=temp(f"{FILES.pixels_to_embed}/{{category}}.arrow"),
        log:
            f"{FILES.logs}/prepare_pixels/{Path(FILES.pixels_to_embed).name}/{{category}}.log",
        wildcard_constraints:
            model=one_of(EXPERIMENT.embedded),
            category=one_of(FILES.parts.whole),
        group:
            together("embed_{model}")

    if FILES.parts.divided:

        use rule prepare_pixels_part as prepare_pixels_to_embed_part with:
            output:
                pixels=temp(
                    FILES.parts.path(f"{FILES.pixels_to_embed}/{{category}}.arrow", "{part}")
                ),
            log:
                f"{FILES.logs}/prepare_pixels/{Path(FILES.pixels_to_embed).name}/{{part}}/{{category}}.log",
            wildcard_constraints:
                model=one_of(EXPERIMENT.embedded),
                category=one_of(FILES.parts.divided),
            group:
                together("embed_{model}_{part}")


rule embed:
    input:
        pixels=of(partial(FILES.pixels_of, to_embed=True), "model", "category"),
        weights=of(FILES.weights_of, "model"),
        note=of(FILES.note_of, "model"),
    output:
        features=f"{FILES.run}/features/{{model}}/{{category}}.parquet",
    log:
        f"{FILES.logs}/embed/{{model}}/{{category}}.log",
    wildcard_constraints:
        model=one_of(EXPERIMENT.embedded),
        category=one_of(FILES.parts.whole),
    priority: of(partial(order.of_features, EXPERIMENT), "model")
    group:
        together("embed_{model}")
    threads: threads
    resources:
        gpu=1,
        batch_size=batch_size(SETTINGS.batch_size),
    params:
        spec=spec(specs.embed, "model"),
        code=lambda wildcards: code("embed", library_door(EXPERIMENT, wildcards.model)),
        doors=lambda wildcards: doors(library_door(EXPERIMENT, wildcards.model)),
    shell:
        """
        with_worker.py --on-device --code {params.code} {params.doors} embed.py \
            --pixels {input.pixels:q} \
            --weights {input.weights:q} \
            --note {input.note:q} \
            --spec {params.spec:q} \
            --batch-size {resources.batch_size} \
            --threads {threads} \
            --output {output.features:q} \
            >{log:q} 2>&1
        """


if FILES.parts.divided:

    use rule embed as embed_part with:
        input:
            pixels=of(partial(FILES.pixels_of_part, to_embed=True), "model", "category", "part"),
            weights=of(FILES.weights_of, "model"),
            note=of(FILES.note_of, "model"),
        output:
            features=FILES.parts.path(
                f"{FILES.run}/features/{{model}}/{{category}}.parquet", "{part}"
            ),
        log:
            f"{FILES.logs}/embed/{{model}}/{{part}}/{{category}}.log",
        wildcard_constraints:
            model=one_of(EXPERIMENT.embedded),
            category=one_of(FILES.parts.divided),
        group:
            together("embed_{model}_{part}")

    use rule join_logits as join_features with:
        input:
            parts=lambda wildcards: FILES.parts.files(
                f"{FILES.run}/features/{wildcards.model}/{wildcards.category}.parquet"
            ),
            manifest=f"{FILES.run}/images/{{category}}.parquet",
        output:
            features=f"{FILES.run}/features/{{model}}/{{category}}.parquet",
        log:
            f"{FILES.logs}/join_features/{{model}}/{{category}}.log",
        wildcard_constraints:
            model=one_of(EXPERIMENT.embedded),
            category=one_of(FILES.parts.divided),
        priority: of(partial(order.of_features, EXPERIMENT), "model")
        group:
            together("embed_{model}")
        params:
            spec=constant(canonical_json({"column": COLUMNS["embed"]})),
