# Yes/no questions about images: OFA and other VQA models. All that follows parallels the
# classifiers' stages.


rule index_questions:
    output:
        shard=f"{RUN}/vqa/questions/{{shard}}.parquet",
    log:
        f"{LOGS}/index_questions/{{shard}}.log",
    group:
        together("images")
    params:
        spec=spec(index_questions_spec),
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
        shards=SHARDS,
    output:
        table=report(
            f"{RUN}/tables/excluded_questions.csv",
            caption="../workflow/report/excluded_questions.rst",
            category="Tables",
            labels={"table": "excluded_questions"},
        ),
    log:
        f"{LOGS}/list_excluded_questions.log",
    group:
        together("images")
    params:
        spec=spec(excluded_questions_spec),
        code=code("list_excluded_questions"),
    shell:
        """
        with_worker.py --code {params.code} list_excluded_questions.py \
            --shards {input.shards:q} \
            --spec {params.spec:q} \
            --output {output.table:q} \
            >{log:q} 2>&1
        """


rule ask:
    input:
        shard=f"{RUN}/vqa/questions/{{shard}}.parquet",
        weights="resources/weights/{vqa_model}.safetensors",
        note="resources/weights/{vqa_model}.json",
        folder="resources/weights/{vqa_model}",
    output:
        answers=f"{RUN}/vqa/answers/{{vqa_model}}/{{shard}}.parquet",
    log:
        f"{LOGS}/ask/{{vqa_model}}/{{shard}}.log",
    priority: vqa_model_priority
    # As for classify: for a job killed for want of memory.
    retries: 2
    group:
        together("ask_{vqa_model}")
    threads: classify_threads
    resources:
        gpu=1,
        batch_size=lambda wildcards, attempt: max(
            1, SETTINGS["vqa"]["batch_size"] // 2 ** (attempt - 1)
        ),
    params:
        spec=spec(ask_spec),
        code=lambda wildcards: code("ask", *families_of(wildcards)),
        doors=lambda wildcards: doors(*families_of(wildcards)),
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


rule score_vqa:
    input:
        questions=SHARDS,
        answers=answers_of,
    output:
        scores=f"{RUN}/vqa/{{vqa_model}}.parquet",
    log:
        f"{LOGS}/score_vqa/{{vqa_model}}.log",
    group:
        together("ask_{vqa_model}")
    params:
        code=code("score_vqa"),
    shell:
        """
        with_worker.py --code {params.code} score_vqa.py \
            --questions {input.questions:q} \
            --answers {input.answers:q} \
            --output {output.scores:q} \
            >{log:q} 2>&1
        """


rule aggregate_vqa:
    input:
        answers=VQA_SCORES,
        notes=VQA_NOTES,
    output:
        vqa_csv=report(
            f"{RUN}/tables/vqa.csv",
            caption="../workflow/report/vqa_table.rst",
            category="Tables",
            labels={"table": "vqa"},
        ),
        vqa_parquet=f"{RUN}/tables/vqa.parquet",
        groups_csv=report(
            f"{RUN}/tables/vqa_groups.csv",
            caption="../workflow/report/vqa_groups.rst",
            category="Tables",
            labels={"table": "vqa_groups"},
        ),
        groups_parquet=f"{RUN}/tables/vqa_groups.parquet",
        questions_csv=report(
            f"{RUN}/tables/vqa_questions.csv",
            caption="../workflow/report/vqa_questions.rst",
            category="Tables",
            labels={"table": "vqa_questions"},
        ),
        questions_parquet=f"{RUN}/tables/vqa_questions.parquet",
        calibration_csv=report(
            f"{RUN}/tables/vqa_calibration.csv",
            caption="../workflow/report/vqa_calibration_table.rst",
            category="Tables",
            labels={"table": "vqa_calibration"},
        ),
        calibration_parquet=f"{RUN}/tables/vqa_calibration.parquet",
        comparisons_csv=report(
            f"{RUN}/tables/vqa_comparisons.csv",
            caption="../workflow/report/vqa_comparisons.rst",
            category="Tables",
            labels={"table": "vqa_comparisons"},
        ),
        comparisons_parquet=f"{RUN}/tables/vqa_comparisons.parquet",
    log:
        f"{LOGS}/aggregate_vqa.log",
    group:
        together("results")
    params:
        spec=spec(level_spec),
        code=code("aggregate_vqa"),
    shell:
        """
        with_worker.py --code {params.code} aggregate_vqa.py \
            --answers {input.answers:q} \
            --notes {input.notes:q} \
            --spec {params.spec:q} \
            --vqa-csv {output.vqa_csv:q} \
            --vqa-parquet {output.vqa_parquet:q} \
            --groups-csv {output.groups_csv:q} \
            --groups-parquet {output.groups_parquet:q} \
            --questions-csv {output.questions_csv:q} \
            --questions-parquet {output.questions_parquet:q} \
            --calibration-csv {output.calibration_csv:q} \
            --calibration-parquet {output.calibration_parquet:q} \
            --comparisons-csv {output.comparisons_csv:q} \
            --comparisons-parquet {output.comparisons_parquet:q} \
            >{log:q} 2>&1
        """
