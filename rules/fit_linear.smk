# Adapted models with new last layers, fitted to features: a job a model, which predicts each image by a
# layer that was fitted without it.


rule fit_linear:
    input:
        features=lambda wildcards: FILES.featured.features_of(
            EXPERIMENT.adapted[wildcards.model].base
        ),
        sources=FILES.sources,
        duplicates=FILES.table("duplicates"),
    output:
        logits=expand(
            f"{FILES.run}/logits/{{{{model}}}}/{{category}}.parquet",
            category=EXPERIMENT.categories,
        ),
        parts=f"{FILES.run}/adapted/{{model}}/parts.parquet",
        layers=f"{FILES.run}/adapted/{{model}}/layers.safetensors",
        note=f"{FILES.run}/adapted/{{model}}.json",
    log:
        f"{FILES.logs}/fit_linear/{{model}}.log",
    wildcard_constraints:
        model=one_of(FILES.featured.linear),
    group:
        together("classify_{model}")
    threads: lambda wildcards: MACHINE.threads(len(FILES.featured.linear))
    params:
        folder=lambda wildcards: f"{FILES.run}/logits/{wildcards.model}",
        spec=spec(learning.fit_linear, "model"),
        code=code("fit_linear"),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --code {params.code} fit_linear.py \
            --features @<(printf '%s\\n' {input.features:q}) \
            --sources {input.sources:q} \
            --duplicates {input.duplicates:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --threads {threads} \
            --logits {params.folder:q} \
            --parts {output.parts:q} \
            --layers {output.layers:q} \
            --note {output.note:q} \
            >{log:q} 2>&1
        """
