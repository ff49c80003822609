# Classifiers' weights, from a library's hub or a local checkpoint. Like all rules that use the
# network (fetch_vqa and fetch_images are the others) it runs where Snakemake runs, never on a
# compute node.


localrules:
    fetch_weights,


rule fetch_weights:
    input:
        checkpoint=checkpoint_of,
    output:
        weights="resources/weights/{model}.safetensors",
        note="resources/weights/{model}.json",
    log:
        f"{LOGS}/fetch_weights/{{model}}.log",
    priority: 1000
    params:
        spec=spec(fetch_spec),
        code=lambda wildcards: code("fetch_weights", library_of(wildcards)),
        door=library_of,
    shell:
        """
        with_worker.py --code {params.code} --door {params.door} fetch_weights.py \
            --spec {params.spec:q} \
            --checkpoint {input.checkpoint:q} \
            --weights {output.weights:q} \
            --note {output.note:q} \
            >{log:q} 2>&1
        """
