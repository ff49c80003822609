# Classifiers' weights, from a library's hub or a local checkpoint. Like all rules that use the
# network (the others are fetch_vqa and fetch_images), it runs where Snakemake runs, never on a
# compute node.


localrules:
    fetch_weights,


rule fetch_weights:
    input:
        checkpoint=of(FILES.checkpoint_of, "model"),
    output:
        weights=f"{WEIGHTS}/{{model}}.safetensors",
        note=f"{WEIGHTS}/{{model}}.json",
    log:
        f"{FILES.logs}/fetch_weights/{{model}}.log",
    priority: 1000
    params:
        spec=spec(specs.fetch_weights, "model"),
        code=lambda wildcards: code("fetch_weights", library(wildcards)),
        doors=lambda wildcards: doors(library(wildcards)),
    shell:
        """
        with_worker.py --code {params.code} {params.doors} fetch_weights.py \
            --spec {params.spec:q} \
            --checkpoint {input.checkpoint:q} \
            --weights {output.weights:q} \
            --note {output.note:q} \
            >{log:q} 2>&1
        """
