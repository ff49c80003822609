# The images, from an archive. What categories there are is read off their folders when this file is
# parsed. So as long as the archive is not unpacked, that is all there is to plan: every target that
# needs images is this job, and when it is done the same command is begun anew. (A checkpoint would
# put the whole workflow behind one; fetching while parsing would make dry runs and jobs download.)


localrules:
    images,


# Stops on the way, as in `snakemake images`.
rule images:
    input:
        with_images([str(ARCHIVE.root / NOTE)] if ARCHIVE else []),


if PENDING:

    # In the environment, not in a command or a param, which are recorded: it may hold a secret.
    os.environ[URL_VARIABLE] = ARCHIVE.url

    localrules:
        fetch_images,

    rule fetch_images:
        output:
            # Not the folder, which Snakemake would delete before the program has looked at it.
            done=touch(FETCHED),
        log:
            f"{LOGS}/fetch_images.log",
        priority: 2000
        params:
            spec=spec(archive_spec),
            code=code("fetch_images"),
        # What it brings may take hours: it says so where people look.
        shell:
            """
            fetch_images.py \
                --spec {params.spec:q} \
                2>&1 | tee {log:q}
            """

    onsuccess:
        begin_anew()
