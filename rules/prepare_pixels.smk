# Decoded, resized and cropped images, once per geometry, not once per model. If they are not kept,
# each model has its own: shared ones, once deleted, would have to be remade for a new model, and
# Snakemake would then rerun all models that share them. Those of parts are not joined: what reads
# pixels reads several files.


rule prepare_pixels:
    input:
        manifest=f"{FILES.run}/images/{{category}}.parquet",
    output:
        # Deleted as soon as they have been classified, unless they are kept.
        pixels=(str if SETTINGS.keep_pixels else temp)(f"{FILES.pixels}/{{category}}.arrow"),
    log:
        f"{FILES.logs}/prepare_pixels/{Path(FILES.pixels).name}/{{category}}.log",
    wildcard_constraints:
        model=one_of(FILES.networks),
        category=one_of(FILES.parts.whole),
    # Pixels that are not kept are made as they are used: a model's before the next model's.
    priority: 0 if SETTINGS.keep_pixels else of(partial(order.of_pixels, EXPERIMENT), "model")
    group:
        together("images" if SETTINGS.keep_pixels else "classify_{model}")
    threads: 1
    params:
        spec=spec(specs.prepare_pixels, "geometry"),
        code=code("prepare_pixels"),
    shell:
        """
        with_worker.py --code {params.code} prepare_pixels.py \
            --manifest {input.manifest:q} \
            --spec {params.spec:q} \
            --threads {threads} \
            --output {output.pixels:q} \
            >{log:q} 2>&1
        """


if FILES.parts.divided:

    use rule prepare_pixels as prepare_pixels_part with:
        input:
            manifest=FILES.parts.path(f"{FILES.run}/images/{{category}}.parquet", "{part}"),
        output:
            pixels=(str if SETTINGS.keep_pixels else temp)(
                FILES.parts.path(f"{FILES.pixels}/{{category}}.arrow", "{part}")
            ),
        log:
            f"{FILES.logs}/prepare_pixels/{Path(FILES.pixels).name}/{{part}}/{{category}}.log",
        wildcard_constraints:
            model=one_of(FILES.networks),
            category=one_of(FILES.parts.divided),
        group:
            together("images_{part}" if SETTINGS.keep_pixels else "classify_{model}_{part}")
