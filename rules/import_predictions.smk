# Predictions made elsewhere, joined with the run's images. Nothing is classified for them.


rule import_predictions:
    input:
        # Not their times but their contents decide, which are in the spec.
        file=ancient(lambda wildcards: EXPERIMENT.imported[wildcards.model].predictions),
        labels=ancient(of(FILES.label_file_of, "model")),
        manifests=FILES.manifests,
    output:
        predictions=f"{FILES.run}/predictions/{{model}}.parquet",
        note=f"{FILES.run}/predictions/{{model}}.json",
    log:
        f"{FILES.logs}/import_predictions/{{model}}.log",
    wildcard_constraints:
        model=one_of(EXPERIMENT.imported),
    group:
        together("images")
    params:
        spec=spec(specs.import_predictions, "model"),
        code=code("import_predictions"),
    # Lists by category go through a pipe: the system limits the length of a command. What is
    # missing is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} import_predictions.py \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --spec {params.spec:q} \
            --output {output.predictions:q} \
            --note {output.note:q} \
            2>&1 | tee {log:q}
        """
