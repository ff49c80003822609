# Where the usable images come from, and which belong together. This is no part of the manifests: no
# model has to classify anything again when it changes.


rule find_sources:
    input:
        manifests=FILES.manifests,
        excluded=FILES.excluded,
    output:
        sources=FILES.sources,
    log:
        f"{FILES.logs}/find_sources.log",
    group:
        together("images")
    params:
        spec=spec(specs.find_sources),
        code=code("find_sources"),
        kept=constant(str(KEPT)),
    # Lists by category go through a pipe: the system limits the length of a command. What is
    # found of groups is for people, so it is also printed.
    shell:
        """
        with_worker.py --code {params.code} find_sources.py \
            --manifests @<(printf '%s\\n' {input.manifests:q}) \
            --excluded {input.excluded:q} \
            --spec {params.spec:q} \
            --kept {params.kept} \
            --output {output.sources:q} \
            2>&1 | tee {log:q}
        """


# What else is said of images, as prompts. It decides no hit: tables and the page run when it changes.

if EXPERIMENT.attributes:

    rule find_attributes:
        input:
            sources=FILES.sources,
            # Not its time but its content decides, which is in the spec.
            table=ancient([*filter(None, [EXPERIMENT.attributes.table])]),
        output:
            attributes=FILES.said.attributes,
        log:
            f"{FILES.logs}/find_attributes.log",
        group:
            together("images")
        params:
            spec=spec(specs.find_attributes),
            code=code("find_attributes"),
        # What of the file cannot count is for people, so it is also printed.
        shell:
            """
            with_worker.py --code {params.code} find_attributes.py \
                --sources {input.sources:q} \
                --table {input.table:q} \
                --spec {params.spec:q} \
                --output {output.attributes:q} \
                2>&1 | tee {log:q}
            """
