# VQA models, from a hub or local files. They have their own rule since they include a vocabulary.


localrules:
    fetch_vqa,


rule fetch_vqa:
    input:
        files=of(FILES.vqa_files_of, "vqa_model"),
    output:
        weights=f"{WEIGHTS}/{{vqa_model}}.safetensors",
        note=f"{WEIGHTS}/{{vqa_model}}.json",
        folder=directory(f"{WEIGHTS}/{{vqa_model}}"),
    log:
        f"{FILES.logs}/fetch_vqa/{{vqa_model}}.log",
    priority: 1000
    params:
        spec=spec(specs.fetch_vqa, "vqa_model"),
        code=lambda wildcards: code("fetch_vqa", *families(wildcards)),
        doors=lambda wildcards: doors(*families(wildcards)),
    shell:
        """
        with_worker.py --code {params.code} {params.doors} fetch_vqa.py \
            --spec {params.spec:q} \
            --weights {output.weights:q} \
            --note {output.note:q} \
            --folder {output.folder:q} \
            >{log:q} 2>&1
        """
