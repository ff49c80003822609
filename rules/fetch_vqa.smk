# VQA models, from a hub or local files. A rule of their own, since they come with a vocabulary.


localrules:
    fetch_vqa,


rule fetch_vqa:
    input:
        files=vqa_files_of,
    output:
        weights="resources/weights/{vqa_model}.safetensors",
        note="resources/weights/{vqa_model}.json",
        folder=directory("resources/weights/{vqa_model}"),
    log:
        f"{LOGS}/fetch_vqa/{{vqa_model}}.log",
    priority: 1000
    params:
        spec=spec(fetch_vqa_spec),
        code=lambda wildcards: code("fetch_vqa", *families_of(wildcards)),
        doors=lambda wildcards: doors(*families_of(wildcards)),
    shell:
        """
        with_worker.py --code {params.code} {params.doors} fetch_vqa.py \
            --spec {params.spec:q} \
            --weights {output.weights:q} \
            --note {output.note:q} \
            --folder {output.folder:q} \
            >{log:q} 2>&1
        """
