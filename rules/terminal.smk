# What a run says on the terminal: src/synthsight/plan/terminal.py.

WATCH = Watch(
    {name: about.listing.images for name, about in EXPERIMENT.categories.items()},
    FILES.parts.images,
    (
        {name: len(asked) for name, asked in EXPERIMENT.vqa.questions.items()}
        if EXPERIMENT.vqa
        else {}
    ),
    # Jobs that wait in a queue say nothing of how long they take.
    Pace(None if MACHINE.submits else KEPT / "pace.json", MACHINE.cores),
    lambda text: logger.info(text),
    lambda text: logger.error(text),
)

if workflow.is_main_process:
    logger.addHandler(Listener(WATCH))


onstart:
    handle_term_aside()
    hold(KEPT)
    settle(logger)
    # What can be made without a model that fails is to be there when a run goes on without it.
    workflow.scheduler.keepgoing |= SETTINGS.on_failure == LEAVE_OUT
    if not (MACHINE.submits or workflow.touch):
        start_workers({job.rule.shellcmd for job in workflow.dag.needrun_jobs()})
    WATCH.begin((job.rule.name, job.wildcards_dict) for job in workflow.dag.needrun_jobs())


onsuccess:
    WATCH.end()
    _rules = {job.rule.name for job in workflow.dag.jobs}
    for line in succeeded(Path(FILES.run), _rules, EXPERIMENT.left_out):
        logger.info(line)


onerror:
    WATCH.end()
    try:
        _next = go_on(FILES, WATCH.failures, workflow.dag, workflow.scheduler)
    except SynthsightError as error:
        _next = f"{error}. {AGAIN}"
    for line in WATCH.failed(_next or AGAIN):
        logger.error(line)
