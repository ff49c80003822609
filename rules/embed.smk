# Features: one job for each model and category, one device for each job. They are what enters a
# classifier's last layer, or an encoder's embedding; the model is the one that classifies.


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
        group:
            together("embed_{model}")


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
