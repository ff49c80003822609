# Models that a server answers for. The jobs need no GPU and use the network, so they run where
# Snakemake runs: nodes of a cluster often have no internet, and the key stays on one machine.


# One job at a time, unless `--resources endpoint=N` says otherwise, each with as many questions under
# way as its model's `concurrency`.
if endpoints.names(EXPERIMENT):
    workflow.global_resources.setdefault("endpoint", 1)


localrules:
    ask_endpoint,
    ask_endpoint_blind,


rule ask_endpoint:
    input:
        shard=f"{FILES.run}/vqa/questions/{{shard}}.parquet",
    output:
        answers=f"{FILES.run}/vqa/answers/{{vqa_model}}/{{shard}}.parquet",
    log:
        f"{FILES.logs}/ask_endpoint/{{vqa_model}}/{{shard}}.log",
    wildcard_constraints:
        vqa_model=one_of(endpoints.names(EXPERIMENT)),
    priority: of(partial(order.of_vqa_model, EXPERIMENT), "vqa_model")
    resources:
        endpoint=1,
        # How it is asked and what is allowed changes no answer, so it is no param.
        concurrency=of(partial(endpoints.way, EXPERIMENT, "concurrency"), "vqa_model"),
        timeout=of(partial(endpoints.way, EXPERIMENT, "timeout"), "vqa_model"),
        allow_unanswered=of(partial(endpoints.way, EXPERIMENT, "allow_unanswered"), "vqa_model"),
        key_env=of(partial(endpoints.way, EXPERIMENT, "key_env"), "vqa_model"),
    params:
        spec=spec(asking.ask_endpoint, "vqa_model"),
        code=code("ask_endpoint"),
        # No output: Snakemake deletes what a failed job was making, and answers cost money.
        journal=of(partial(endpoints.journal_of, FILES), "vqa_model", "shard"),
    # It may take hours, and warns, so progress is also shown on the terminal.
    shell:
        """
        with_worker.py --code {params.code} ask_endpoint.py \
            --shard {input.shard:q} \
            --spec {params.spec:q} \
            --journal {params.journal:q} \
            --concurrency {resources.concurrency} \
            --timeout {resources.timeout} \
            --allow-unanswered {resources.allow_unanswered} \
            --key-env {resources.key_env:q} \
            --output {output.answers:q} \
            2>&1 | tee {log:q}
        """


# The same, without seeing the images.
use rule ask_endpoint as ask_endpoint_blind with:
    output:
        answers=f"{FILES.run}/vqa/answers/{{vqa_model}}/blind/{{shard}}.parquet",
    log:
        f"{FILES.logs}/ask_endpoint_blind/{{vqa_model}}/{{shard}}.log",
    params:
        spec=spec(asking.ask_endpoint_blind, "vqa_model"),
        code=code("ask_endpoint"),
        journal=of(partial(endpoints.journal_of, FILES, blind=True), "vqa_model", "shard"),


rule describe_endpoint:
    input:
        answers=of(FILES.answers_of, "vqa_model"),
        blind=of(FILES.blind_answers_of, "vqa_model"),
    output:
        note=f"{FILES.run}/vqa/answers/{{vqa_model}}.json",
    log:
        f"{FILES.logs}/describe_endpoint/{{vqa_model}}.log",
    wildcard_constraints:
        vqa_model=one_of(endpoints.names(EXPERIMENT)),
    group:
        together("ask_{vqa_model}")
    params:
        spec=spec(asking.describe_endpoint, "vqa_model"),
        code=code("describe_endpoint"),
    shell:
        """
        with_worker.py --code {params.code} describe_endpoint.py \
            --answers {input.answers:q} \
            --blind {input.blind:q} \
            --spec {params.spec:q} \
            --note {output.note:q} \
            >{log:q} 2>&1
        """
