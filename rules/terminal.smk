# What a run says on the terminal: src/synthsight/plan/terminal.py.

WATCH = Watch(
    {name: about.listing.images for name, about in EXPERIMENT.categories.items()},
    lambda text: logger.info(text),
    lambda text: logger.error(text),
)

if workflow.is_main_process:
    logger.addHandler(Listener(WATCH))


onstart:
    handle_term_aside()
    hold(KEPT)
    settle(logger)
    WATCH.begin((job.rule.name, job.wildcards_dict) for job in workflow.dag.needrun_jobs())


onsuccess:
    for line in succeeded(Path(FILES.run), {job.rule.name for job in workflow.dag.jobs}):
        logger.info(line)


onerror:
    for line in WATCH.failed():
        logger.error(line)
