# Yes/no questions about images: OFA and other VQA models. The stages parallel those of the
# classifiers.


rule index_questions:
    output:
        shard=f"{FILES.run}/vqa/questions/{{shard}}.parquet",
    log:
        f"{FILES.logs}/index_questions/{{shard}}.log",
    group:
        together("images")
    params:
        spec=spec(asking.index_questions, "shard"),
        code=code("index_questions"),
    shell:
        """
        with_worker.py --code {params.code} index_questions.py \
            --spec {params.spec:q} \
            --output {output.shard:q} \
            >{log:q} 2>&1
        """


rule list_excluded_questions:
    input:
        shards=FILES.question_shards,
    output:
        csv=in_report("excluded_questions", f"{FILES.run}/tables/excluded_questions.csv"),
        parquet=f"{FILES.run}/tables/excluded_questions.parquet",
    log:
        f"{FILES.logs}/list_excluded_questions.log",
    group:
        together("images")
    params:
        spec=spec(asking.list_excluded_questions),
        code=code("list_excluded_questions"),
    shell:
        """
        with_worker.py --code {params.code} list_excluded_questions.py \
            --shards {input.shards:q} \
            --spec {params.spec:q} \
            --csv {output.csv:q} \
            --parquet {output.parquet:q} \
            >{log:q} 2>&1
        """


rule ask:
    input:
        shard=f"{FILES.run}/vqa/questions/{{shard}}.parquet",
        weights=of(FILES.weights_of, "vqa_model"),
        note=of(FILES.note_of, "vqa_model"),
        folder=of(FILES.folder_of, "vqa_model"),
    output:
        answers=f"{FILES.run}/vqa/answers/{{vqa_model}}/{{shard}}.parquet",
    log:
        f"{FILES.logs}/ask/{{vqa_model}}/{{shard}}.log",
    wildcard_constraints:
        vqa_model=one_of(FILES.vqa_networks),
    priority: of(partial(order.of_vqa_model, EXPERIMENT), "vqa_model")
    group:
        together("ask_{vqa_model}")
    threads: threads
    resources:
        gpu=1,
        batch_size=batch_size(SETTINGS.vqa.batch_size if SETTINGS.vqa else 1),
    params:
        spec=spec(asking.ask, "vqa_model"),
        code=lambda wildcards: code("ask", *family_doors(EXPERIMENT, wildcards.vqa_model)),
        doors=lambda wildcards: doors(*family_doors(EXPERIMENT, wildcards.vqa_model)),
    shell:
        """
        with_worker.py --on-device --code {params.code} {params.doors} ask.py \
            --shard {input.shard:q} \
            --weights {input.weights:q} \
            --note {input.note:q} \
            --folder {input.folder:q} \
            --spec {params.spec:q} \
            --batch-size {resources.batch_size} \
            --threads {threads} \
            --output {output.answers:q} \
            >{log:q} 2>&1
        """


# The same, without seeing the images: what a model gets by guessing from the questions.
use rule ask as ask_blind with:
    output:
        answers=f"{FILES.run}/vqa/answers/{{vqa_model}}/blind/{{shard}}.parquet",
    log:
        f"{FILES.logs}/ask_blind/{{vqa_model}}/{{shard}}.log",
    wildcard_constraints:
        vqa_model=one_of(FILES.vqa_networks),
    params:
        spec=spec(asking.ask_blind, "vqa_model"),
        code=lambda wildcards: code("ask", *family_doors(EXPERIMENT, wildcards.vqa_model)),
        doors=lambda wildcards: doors(*family_doors(EXPERIMENT, wildcards.vqa_model)),


rule score_vqa:
    input:
        questions=FILES.question_shards,
        answers=of(FILES.answers_of, "vqa_model"),
        blind=of(FILES.blind_answers_of, "vqa_model"),
    output:
        scores=f"{FILES.run}/vqa/{{vqa_model}}.parquet",
    log:
        f"{FILES.logs}/score_vqa/{{vqa_model}}.log",
    group:
        together("ask_{vqa_model}")
    params:
        spec=spec(asking.score_vqa, "vqa_model"),
        code=code("score_vqa"),
        kept=constant(str(KEPT)),
    shell:
        """
        with_worker.py --code {params.code} score_vqa.py \
            --questions {input.questions:q} \
            --answers {input.answers:q} \
            --blind {input.blind:q} \
            --spec {params.spec:q} \
            --kept {params.kept} \
            --output {output.scores:q} \
            >{log:q} 2>&1
        """
