# Hits: which images a model gets, under each matching rule.


rule score:
    input:
        logits=[f"{RUN}/logits/{{model}}/{category}.parquet" for category in CATEGORIES],
        manifests=MANIFESTS,
        labels=label_file_of,
    output:
        scores=f"{RUN}/scores/{{model}}.parquet",
    log:
        f"{LOGS}/score/{{model}}.log",
    params:
        spec=spec(score_spec),
        code=code("score"),
    shell:
        """
        with_worker.py --code {params.code} score.py \
            --logits {input.logits:q} \
            --manifests {input.manifests:q} \
            --spec {params.spec:q} \
            --output {output.scores:q} \
            >{log:q} 2>&1
        """
