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
    group:
        together("classify_{model}")
    params:
        spec=spec(score_spec),
        code=code("score"),
    # Lists by category go through a pipe: the system bounds the length of a command.
    shell:
        """
        with_worker.py --code {params.code} score.py \
            --logits @<(printf '%s\\n' {input.logits:q}) \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --output {output.scores:q} \
            >{log:q} 2>&1
        """
