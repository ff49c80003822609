# Classifiers' weights, from a library's hub or a local checkpoint. Like all rules that use the
# network (the others are fetch_vqa and fetch_images), it runs where Snakemake runs, never on a
# compute node.


localrules:
    fetch_weights,


rule fetch_weights:
    input:
        # Not its time but its content decides, which is in the spec.
        checkpoint=ancient(of(FILES.checkpoint_of, "stem")),
    output:
        weights=f"{WEIGHTS}/{{stem}}.safetensors",
        note=f"{WEIGHTS}/{{stem}}.json",
    log:
        f"{FILES.logs}/fetch_weights/{{stem}}.log",
    priority: 1000
    params:
        spec=of(FILES.fetch_spec, "stem"),
        code=lambda wildcards: code(
            "fetch_weights", library_door(EXPERIMENT, FILES.model_of(wildcards.stem))
        ),
        doors=lambda wildcards: doors(library_door(EXPERIMENT, FILES.model_of(wildcards.stem))),
    shell:
        """
        with_worker.py --code {params.code} {params.doors} fetch_weights.py \
            --spec {params.spec:q} \
            --checkpoint {input.checkpoint:q} \
            --weights {output.weights:q} \
            --note {output.note:q} \
            >{log:q} 2>&1
        """
