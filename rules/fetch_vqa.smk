# VQA models, from a hub or local files. They have their own rule since they include a vocabulary.


localrules:
    fetch_vqa,


rule fetch_vqa:
    input:
        # Not their times but their content decides, which is in the spec.
        files=ancient(of(FILES.vqa_files_of, "vqa_stem")),
    output:
        weights=f"{WEIGHTS}/{{vqa_stem}}.safetensors",
        note=f"{WEIGHTS}/{{vqa_stem}}.json",
        folder=directory(f"{WEIGHTS}/{{vqa_stem}}"),
    log:
        f"{FILES.logs}/fetch_vqa/{{vqa_stem}}.log",
    priority: 1000
    params:
        spec=of(FILES.fetch_spec, "vqa_stem"),
        code=lambda wildcards: code(
            "fetch_vqa", *family_doors(EXPERIMENT, FILES.model_of(wildcards.vqa_stem))
        ),
        doors=lambda wildcards: doors(*family_doors(EXPERIMENT, FILES.model_of(wildcards.vqa_stem))),
    shell:
        """
        with_worker.py --code {params.code} {params.doors} fetch_vqa.py \
            --spec {params.spec:q} \
            --weights {output.weights:q} \
            --note {output.note:q} \
            --folder {output.folder:q} \
            >{log:q} 2>&1
        """
