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
