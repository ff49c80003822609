# The images, from an archive. The categories are read from their folders when this file is parsed.
# So as long as the archive is not unpacked, unpacking it is all that can be planned: every target
# that needs images becomes this job, and once it is done, the same command starts anew. (A
# checkpoint would put the whole workflow behind it; fetching while parsing would make dry runs and
# jobs download.)


localrules:
    images,


# An intermediate target, as in `snakemake images`.
rule images:
    input:
        with_images(FILES.unpacked),


if PENDING:

    if workflow.is_main_process:
        logger.info(
            f"Note: {EXPERIMENT.archive.name} has yet to be unpacked into "
            f"{EXPERIMENT.archive.root}. A run does that first and then continues by itself; only "
            "then can the rest be planned, and files be requested by name. `snakemake images` does "
            "only this part."
        )

    # In the environment, not in a command or a param, which are recorded: it may contain a secret.
    os.environ[URL_VARIABLE] = "\n".join(EXPERIMENT.archive.urls)

    localrules:
        fetch_images,

    rule fetch_images:
        output:
            # Not the folder, which Snakemake would delete before the program has looked at it.
            done=touch(FETCHED),
        log:
            f"{FILES.logs}/fetch_images.log",
        priority: 2000
        params:
            spec=spec(specs.fetch_images),
            code=code("fetch_images"),
        # A download may take hours, so progress is also shown on the terminal.
        shell:
            """
            fetch_images.py \
                --spec {params.spec:q} \
                2>&1 | tee {log:q}
            """

    onsuccess:
        begin_anew(Path(FETCHED), workflow.dag_settings.targets, logger.info)
