# What people say of the images, and of the questions, joined to the run. No model runs again when it
# changes, and no table about models alone.

if EXPERIMENT.people:

    rule import_people:
        input:
            # Not their times but their contents decide, which are in the spec.
            files=ancient(EXPERIMENT.people.files),
            manifests=FILES.manifests,
            sources=FILES.sources,
            excluded=FILES.excluded,
            questions=FILES.question_shards,
        output:
            labels=FILES.said.people("labels"),
            answers=FILES.said.people("answers"),
            csv=in_report("people_excluded", f"{FILES.run}/tables/people_excluded.csv"),
            parquet=FILES.table("people_excluded"),
        log:
            f"{FILES.logs}/import_people.log",
        group:
            together("results")
        params:
            spec=spec(specs.import_people),
            code=code("import_people"),
        # Lists by category go through a pipe: the system limits the length of a command. What is
        # found of the files is for people, so it is also printed.
        shell:
            """
            with_worker.py --code {params.code} import_people.py \
                --manifests @<(printf '%s\\n' {input.manifests:q}) \
                --sources {input.sources:q} \
                --excluded {input.excluded:q} \
                --questions {input.questions:q} \
                --spec @<(printf '%s\\n' {params.spec:q}) \
                --labels-output {output.labels:q} \
                --answers-output {output.answers:q} \
                --csv {output.csv:q} \
                --parquet {output.parquet:q} \
                2>&1 | tee {log:q}
            """
