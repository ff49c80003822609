# Logits: one job for each model and category, one device for each job.


rule classify:
    input:
        pixels=pixels_of,
        weights="resources/weights/{model}.safetensors",
        note="resources/weights/{model}.json",
    output:
        logits=f"{RUN}/logits/{{model}}/{{category}}.parquet",
    log:
        f"{LOGS}/classify/{{model}}/{{category}}.log",
    priority: model_priority
    # For a job killed for want of memory; one that merely gets no more halves its batches itself.
    retries: 2
    group:
        together("classify_{model}")
    threads: classify_threads
    resources:
        gpu=1,
        batch_size=lambda wildcards, attempt: max(1, SETTINGS["batch_size"] // 2 ** (attempt - 1)),
    params:
        spec=spec(classify_spec),
        code=lambda wildcards: code("classify", library_of(wildcards)),
        door=library_of,
    shell:
        """
        with_worker.py --on-device --code {params.code} --door {params.door} classify.py \
            --pixels {input.pixels:q} \
            --weights {input.weights:q} \
            --note {input.note:q} \
            --spec {params.spec:q} \
            --batch-size {resources.batch_size} \
            --threads {threads} \
            --output {output.logits:q} \
            >{log:q} 2>&1
        """
