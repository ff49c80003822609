# Adapted models of which the whole network is trained: one job for each part of the images, which
# trains on all others; one device for each job.


# Pixels that are not kept are deleted once a network has been trained. Were they shared, they would be
# made again for one network that is to be trained again, and all others be trained again with it.
if not SETTINGS.keep_pixels:

    use rule prepare_pixels as prepare_pixels_to_adapt with:
        output:
            pixels=temp(f"{FILES.featured.pixels_to_adapt}/{{category}}.arrow"),
        log:
            f"{FILES.logs}/prepare_pixels/{Path(FILES.featured.pixels_to_adapt).name}/{{category}}.log",
        wildcard_constraints:
            model=one_of(FILES.featured.finetuned),
            fold="[0-9]+",
            category=one_of(FILES.parts.whole),
        priority: 0
        group:
            together("finetune_{model}_{fold}")

    if FILES.parts.divided:

        use rule prepare_pixels_part as prepare_pixels_to_adapt_part with:
            output:
                pixels=temp(
                    FILES.parts.path(
                        f"{FILES.featured.pixels_to_adapt}/{{category}}.arrow", "{part}"
                    )
                ),
            log:
                f"{FILES.logs}/prepare_pixels/{Path(FILES.featured.pixels_to_adapt).name}/{{part}}/{{category}}.log",
            wildcard_constraints:
                model=one_of(FILES.featured.finetuned),
                fold="[0-9]+",
                category=one_of(FILES.parts.divided),
            priority: 0
            group:
                together("finetune_{model}_{fold}")


rule finetune:
    input:
        pixels=of(FILES.featured.pixels_to_train, "model", "fold"),
        weights=lambda wildcards: FILES.weights_of(EXPERIMENT.adapted[wildcards.model].base),
        note=lambda wildcards: FILES.note_of(EXPERIMENT.adapted[wildcards.model].base),
        sources=FILES.sources,
        duplicates=FILES.table("duplicates"),
    output:
        network=f"{FILES.run}/adapted/{{model}}/{{fold}}.safetensors",
        predicted=f"{FILES.run}/adapted/{{model}}/{{fold}}.parquet",
    log:
        f"{FILES.logs}/finetune/{{model}}/{{fold}}.log",
    wildcard_constraints:
        model=one_of(FILES.featured.finetuned),
        fold="[0-9]+",
    priority: of(partial(order.of_model, EXPERIMENT), "model")
    group:
        together("finetune_{model}_{fold}")
    threads: threads
    resources:
        gpu=1,
        batch_size=batch_size(SETTINGS.batch_size),
    params:
        spec=spec(learning.finetune, "model", "fold"),
        code=lambda wildcards: code("finetune", base_door(EXPERIMENT, wildcards.model)),
        doors=lambda wildcards: doors(base_door(EXPERIMENT, wildcards.model)),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --on-device --code {params.code} {params.doors} finetune.py \
            --pixels @<(printf '%s\\n' {input.pixels:q}) \
            --weights {input.weights:q} \
            --note {input.note:q} \
            --sources {input.sources:q} \
            --duplicates {input.duplicates:q} \
            --spec {params.spec:q} \
            --batch-size {resources.batch_size} \
            --threads {threads} \
            --network {output.network:q} \
            --output {output.predicted:q} \
            >{log:q} 2>&1
        """


# What the networks say, each of the part that it was trained without: the logits of one model.
rule join_folds:
    input:
        folds=lambda wildcards: [
            FILES.featured.fold_of(wildcards.model, fold)[-1]
            for fold in FILES.featured.folds_of(wildcards.model)
        ],
        sources=FILES.sources,
    output:
        logits=expand(
            f"{FILES.run}/logits/{{{{model}}}}/{{category}}.parquet",
            category=EXPERIMENT.categories,
        ),
        parts=f"{FILES.run}/adapted/{{model}}/parts.parquet",
        note=f"{FILES.run}/adapted/{{model}}.json",
    log:
        f"{FILES.logs}/join_folds/{{model}}.log",
    wildcard_constraints:
        model=one_of(FILES.featured.finetuned),
    group:
        together("classify_{model}")
    params:
        folder=lambda wildcards: f"{FILES.run}/logits/{wildcards.model}",
        spec=spec(learning.join_folds, "model"),
        code=code("join_folds"),
    shell:
        """
        with_worker.py --code {params.code} join_folds.py \
            --folds {input.folds:q} \
            --sources {input.sources:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --logits {params.folder:q} \
            --parts {output.parts:q} \
            --note {output.note:q} \
            >{log:q} 2>&1
        """
