# Shared by all rules. The logic is in src/synthsight/plan, typed and tested; this connects it to
# Snakemake.

import re
import shlex
from functools import cache, partial

from snakemake.utils import available_cpu_count

try:
    from synthsight.archives.archive import URL_VARIABLE
    from synthsight.canonical import canonical_json
    from synthsight.doors import module_of
    from synthsight.inference.devices import visible_devices
    from synthsight.plan import asking, endpoints, learning, order, specs
    from synthsight.plan.config.schema import read_schema
    from synthsight.plan.digest import code_digest, code_digests
    from synthsight.plan.experiment import load_experiment
    from synthsight.plan.exports import exports_of, path_of
    from synthsight.plan.files import WEIGHTS, Files
    from synthsight.plan.leaving import go_on
    from synthsight.plan.left_out import LEAVE_OUT, captioned, without_failed
    from synthsight.plan.machine import Machine, handle_term_aside, hide_devices
    from synthsight.plan.machine import provide_workers, slower_here, start_workers
    from synthsight.plan.others import at_work, hold
    from synthsight.plan.pace import Pace
    from synthsight.plan.parts import COLUMNS
    from synthsight.plan.programs import base_door, family_doors, library_door, model_doors
    from synthsight.plan.programs import row_doors, workers
    from synthsight.plan.recall import recall
    from synthsight.plan.restart import begin_anew, fetched_file
    from synthsight.plan.standing import check_results
    from synthsight.plan.terminal import AGAIN, Listener, Watch, settle, succeeded
    from synthsight.wording import printable
except ImportError as error:
    raise WorkflowError(
        f"{error}. Snakemake runs in an environment that lacks what synthsight needs: `make venv` "
        "makes one, or run `pip install -e .` in this one."
    ) from error

# Resolved as programs resolve their own: links would pass the workers by.
SCRIPTS = (BASE / "workflow" / "scripts").resolve()

try:
    with LOOK.watching():
        EXPERIMENT = load_experiment(
            config,
            read_schema(BASE / "workflow" / "schemas" / "config.schema.yaml"),
            [*map(Path, workflow.configfiles), workflow.config_settings.config],
            KEPT,
        )
        EXPERIMENT = without_failed(EXPERIMENT, workflow.is_main_process, sys.argv)
        EXPERIMENT = recall(EXPERIMENT, KEPT)
except SynthsightError as error:
    raise WorkflowError(str(error)) from None

SETTINGS = EXPERIMENT.settings
FILES = Files(EXPERIMENT)
#: Whether the images' archive has to be unpacked before anything about them can be planned.
PENDING = EXPERIMENT.pending
#: A file whose existence means that this run has the images.
FETCHED = str(fetched_file(KEPT, workflow.is_main_process))
CODE = code_digests(
    sorted(SCRIPTS.glob("*.py")),
    KEPT,
    [*row_doors(EXPERIMENT), *model_doors(EXPERIMENT)],
)

MACHINE = Machine(
    devices=visible_devices(),
    cores=workflow.resource_settings.cores,
    available=available_cpu_count(),
    submits=workflow.resource_settings.nodes is not None,
    submitted=workflow.remote_exec,
)

# Forgetting `--resources gpu=1` must not start a job per core on one device. (setdefault exists
# since Snakemake 9.21.1.)
workflow.global_resources.setdefault("gpu", MACHINE.slots())

# `--resources gpu=0` means the CPU: as many jobs at a time as there are cores.
MACHINE = MACHINE.allowed(workflow.global_resources["gpu"].value)
SLOTS = workflow.global_resources["gpu"].value or MACHINE.slots()
if not workflow.global_resources["gpu"].value and not MACHINE.submits:
    hide_devices()

try:
    provide_workers(workers(EXPERIMENT, SCRIPTS), f"{FILES.logs}/worker_{{}}.log", SLOTS, MACHINE)
except SynthsightError as error:
    logger.info(f"Note: no worker, since {error}")

# Programs are called by name, with the interpreter that runs Snakemake, activated or not.
PREFIX = (
    "set -euo pipefail; "
    f"export PATH={shlex.quote(str(SCRIPTS))}:{shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
)
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))


def one_of(names):
    """A pattern that matches names literally: they come from the configuration and from folders."""
    return "|".join(map(re.escape, names)) or "(?!)"  # an empty alternative matches an empty name


wildcard_constraints:
    model=one_of(EXPERIMENT.models),
    category=one_of(EXPERIMENT.categories),
    part=one_of(FILES.parts.names),
    geometry=one_of(FILES.geometries),
    page="[0-9]+",
    vqa_model=one_of(FILES.vqa_models),
    stem=one_of(map(FILES.stems.get, EXPERIMENT.loaded)),
    vqa_stem=one_of(map(FILES.stems.get, FILES.vqa_networks)),
    shard=one_of(FILES.shards),


def with_images(files):
    """What a target needs: its files, or only the images as long as these are missing."""
    return [FETCHED] if PENDING else files


def together(group):
    """The group of a rule, whose jobs are submitted together; None if nothing is submitted.

    A plan for this machine would also show groups, where they mean nothing.
    """
    return group if MACHINE.submits else None


@cache
def code(program, *modules):
    """The param `code` of a rule: a digest of its program and of all modules that it reaches.

    `modules` are modules that it imports by name.
    """
    return code_digest(SCRIPTS / f"{program}.py", modules) if modules else CODE[program]


if workflow.is_main_process:
    _say = lambda text: logger.info(LOOK.note(f"Note: {printable(text)}"))
    try:
        _notes = [
            *filter(None, [at_work(KEPT, sys.argv)]),
            *slower_here(SETTINGS.precision, MACHINE),
        ]
        with LOOK.watching():
            _notes += check_results(FILES, code, KEPT, _say, LOOK.seal)
    except SynthsightError as error:
        raise WorkflowError(str(error)) from None
    for _note in [*EXPERIMENT.warnings, *_notes]:
        _say(_note)


def doors(*modules):
    """The param `doors` of a rule: options that name these modules to its worker."""
    return [f"--door={module}" for module in modules]


def of(function, *names):
    """`function` as a function of wildcards, which passes it the values of those called `names`.

    Snakemake records a param that is a function of wildcards alone, and does not take braces in its
    result for wildcards.
    """
    return lambda wildcards: function(*(wildcards[name] for name in names))


def constant(value):
    """A param that is the same for all jobs, and may contain braces."""
    return lambda wildcards: value


def spec(function, *names):
    """The param `spec` of a rule: canonical JSON of the settings that its output depends on."""
    if function is None:
        return constant("{}")
    return of(lambda *values: canonical_json(function(EXPERIMENT, *values)), *names)


def threads(wildcards):
    """Number of threads of a job that runs a model."""
    return MACHINE.threads(SLOTS)


def batch_size(first):
    """A batch size, halved each time that a cluster's job is submitted again (cf. client.py)."""
    return lambda wildcards, attempt: max(1, first // 2 ** (attempt - 1))
