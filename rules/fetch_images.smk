# The images, from an archive. What categories there are is read off their folders when this file is
# parsed. So as long as the archive is not unpacked, that is all there is to plan: every target that
# needs images is this job, and when it is done the same command is begun anew. (A checkpoint would
# put the whole workflow behind one; fetching while parsing would make dry runs and jobs download.)


localrules:
    images,


# Stops on the way, as in `snakemake images`.
rule images:
    input:
        with_images(FILES.unpacked),


if PENDING:

    if workflow.is_main_process:
        logger.info(
            f"Note: {public_url(EXPERIMENT.archive.url)} has yet to be unpacked into "
            f"{EXPERIMENT.archive.root}. A run does that first and then goes on by itself; what else "
            "there is to do can be planned, and files can be asked for by name, only then. `snakemake "
            "images` does this part alone."
        )

    # In the environment, not in a command or a param, which are recorded: it may hold a secret.
    os.environ[URL_VARIABLE] = EXPERIMENT.archive.url

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
        # What it brings may take hours: it says so where people look.
        shell:
            """
            fetch_images.py \
                --spec {params.spec:q} \
                2>&1 | tee {log:q}
            """

    onsuccess:
        begin_anew(Path(FETCHED), workflow.dag_settings.targets, logger.info)
