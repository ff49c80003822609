# Answers made elsewhere, joined with the run's questions. Nothing is asked for them.


rule import_answers:
    input:
        # Not its time but its content decides, which is in the spec.
        file=ancient(lambda wildcards: EXPERIMENT.vqa.imported[wildcards.vqa_model].answers),
        questions=FILES.question_shards,
    output:
        answers=f"{FILES.run}/vqa/answers/{{vqa_model}}.parquet",
        note=f"{FILES.run}/vqa/answers/{{vqa_model}}.json",
    log:
        f"{FILES.logs}/import_answers/{{vqa_model}}.log",
    wildcard_constraints:
        vqa_model=one_of(EXPERIMENT.vqa.imported if EXPERIMENT.vqa else ()),
    group:
        together("images")
    params:
        spec=spec(asking.import_answers, "vqa_model"),
        code=code("import_answers"),
    # What is missing is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} import_answers.py \
            --questions {input.questions:q} \
            --spec {params.spec:q} \
            --output {output.answers:q} \
            --note {output.note:q} \
            2>&1 | tee {log:q}
        """
