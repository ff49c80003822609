# A division of the images into training and test, as folders of links for programs that train networks.


if FILES.featured.split:

    rule export_split:
        input:
            sources=FILES.sources,
            duplicates=FILES.table("duplicates"),
            manifests=FILES.manifests,
        output:
            folder=directory(FILES.featured.split[0]),
            table=FILES.featured.split[1],
        log:
            f"{FILES.logs}/export_split.log",
        group:
            together("images")
        params:
            spec=spec(learning.export_split),
            code=code("export_split"),
        # Lists by category go through a pipe: the system limits the length of a command. What a
        # side lacks is for people, so it is also printed.
        shell:
            """
            with_worker.py --code {params.code} export_split.py \
                --sources {input.sources:q} \
                --duplicates {input.duplicates:q} \
                --manifests @<(printf '%s\\n' {input.manifests:q}) \
                --spec {params.spec:q} \
                --folder {output.folder:q} \
                --table {output.table:q} \
                2>&1 | tee {log:q}
            """
