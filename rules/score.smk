# Hits: which images a model gets, under each matching rule.


rule score:
    input:
        logits=of(FILES.logits_of, "model"),
        predictions=of(FILES.predictions_of, "model"),
        sources=FILES.sources,
        excluded=FILES.excluded,
        # Not its time but its content decides, which is in the spec.
        labels=ancient(of(FILES.label_file_of, "model")),
    output:
        scores=f"{FILES.run}/scores/{{model}}.parquet",
    log:
        f"{FILES.logs}/score/{{model}}.log",
    group:
        together("classify_{model}")
    params:
        spec=spec(specs.score, "model"),
        code=code("score"),
    # Lists by category go through a pipe: the system limits the length of a command.
    shell:
        """
        with_worker.py --code {params.code} score.py \
            --logits @<(printf '%s\\n' {input.logits:q}) \
            --predictions {input.predictions:q} \
            --sources {input.sources:q} \
            --excluded {input.excluded:q} \
            --spec @<(printf '%s\\n' {params.spec:q}) \
            --output {output.scores:q} \
            >{log:q} 2>&1
        """
