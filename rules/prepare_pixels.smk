# Decoded, resized and cropped images, once per geometry and not once per model. Where they are not
# kept, each model has its own: deleted, shared ones would have to be made again for a new model, and
# Snakemake would then run all models again that share them.


rule prepare_pixels:
    input:
        manifest=f"{RUN}/images/{{category}}.parquet",
    output:
        pixels=if_kept(f"{RUN}/pixels/{PIXELS}/{{category}}.arrow"),
    log:
        f"{LOGS}/prepare_pixels/{PIXELS}/{{category}}.log",
    priority: pixels_priority
    group:
        together(PIXELS_GROUP)
    threads: 1
    params:
        spec=spec(pixels_spec),
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
