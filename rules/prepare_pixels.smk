# Decoded, resized and cropped images, once per geometry, not once per model. If they are not kept,
# each model has its own: shared ones, once deleted, would have to be remade for a new model, and
# Snakemake would then rerun all models that share them.


def if_kept(pixels):
    """Pixels that are kept, or deleted as soon as they have been classified."""
    return pixels if SETTINGS.keep_pixels else temp(pixels)


def pixels_priority(wildcards):
    """The priority of pixels: those not kept are made as needed, one model's before the next's."""
    return 0 if SETTINGS.keep_pixels else FILES.priority(wildcards.model) - 0.5


rule prepare_pixels:
    input:
        manifest=f"{FILES.run}/images/{{category}}.parquet",
    output:
        pixels=if_kept(f"{FILES.pixels}/{{category}}.arrow"),
    log:
        f"{FILES.logs}/prepare_pixels/{Path(FILES.pixels).name}/{{category}}.log",
    priority: pixels_priority
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
