# Logits: one job for each model and category, one device for each job.


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
