# The configuration, and what the rules derive from it.

import atexit
import functools
import os
import re
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import available_cpu_count

try:
    from synthsight.archives.archive import NOTE, URL_VARIABLE, public_url
    from synthsight.plan.config import ConfigError, load_experiment
    from synthsight.inference.devices import visible_devices
    from synthsight.canonical import canonical_json
    from synthsight.classifiers.registry import LIBRARIES, library_modules
    from synthsight.plan.digest import code_digest, code_digests
    from synthsight.report.assets import assets_digest
    from synthsight.worker.protocol import (
        VARIABLE,
        Settings,
        WorkerError,
        born,
        choose_folder,
        supported,
    )
except ImportError as error:
    raise WorkflowError(
        f"{error}. Snakemake runs in an environment without synthsight: `make venv` makes one, or "
        "run `pip install -e .` in this one."
    ) from error

BASE = Path(workflow.basedir).resolve()
SCRIPTS = BASE / "workflow" / "scripts"

# What was found out at an earlier start, and still holds.
KEPT = Path(".snakemake") / "synthsight"
CODE = code_digests(sorted(SCRIPTS.glob("*.py")), KEPT / "code.json", library_modules(*LIBRARIES))

with open(BASE / "workflow" / "schemas" / "config.schema.yaml", encoding="utf-8") as _handle:
    _SCHEMA = yaml.safe_load(_handle)

try:
    EXPERIMENT = load_experiment(
        config,
        _SCHEMA,
        [Path(file) for file in workflow.configfiles],
        KEPT,
    )
except ConfigError as error:
    raise WorkflowError(str(error)) from None

SETTINGS = EXPERIMENT.settings
CATEGORIES = EXPERIMENT.categories
MODELS = EXPERIMENT.models
VQA = EXPERIMENT.vqa
VQA_MODELS = VQA.models if VQA else {}
ARCHIVE = EXPERIMENT.archive
#: Whether it has to be unpacked before anything about images can be planned.
PENDING = EXPERIMENT.pending
PRIMARY = SETTINGS["matching"]["primary"]
RUN = f"results/{SETTINGS['run']}"
LOGS = f"{RUN}/logs"

#: Geometries, and the models that see their images in them.
GEOMETRIES = {}
for _model in MODELS.values():
    GEOMETRIES.setdefault(_model.geometry.name, []).append(_model.name)

#: Names of folders of pixels, and the group of jobs that makes them. Kept pixels serve all models of
#: their geometry. Others are a model's own, so one submission makes, classifies and deletes them.
PIXELS, PIXELS_GROUP = (
    ("{geometry}", "images")
    if SETTINGS["keep_pixels"]
    else ("{geometry}-of-{model}", "classify_{model}")
)

#: Models on one page of figures/models_*, as in the paper's Figures 5 and 6.
MODELS_PER_PAGE = 5
PAGES = range(1, (len(MODELS) - 1) // MODELS_PER_PAGE + 2)

#: Images on one page of figures/vqa_samples_*, of which there are at most three a model: the paper's
#: Figures 4, 21 and 22.
IMAGES_PER_PAGE = 8
VQA_PAGES = range(1, min(3, (VQA.images - 1) // IMAGES_PER_PAGE + 1) + 1) if VQA else ()


# The images' archive ----------------------------------------------------------------------------

#: Targets that need none.
BEFORE_IMAGES = {"images", "weights"}

#: Set by a process that goes on in its place, so that it does so once only.
AGAIN = "SYNTHSIGHT_GOES_ON"


#: A file that each run makes anew: the note in the images' folder says whether they are fetched, not
#: what Snakemake remembers. Jobs, which read this file in processes of their own, are told its name.
_RUN = "SYNTHSIGHT_RUN"
if workflow.is_main_process or _RUN not in os.environ:
    os.environ[_RUN] = f"{os.getpid()}-{time.time_ns()}"
FETCHED = str(KEPT / f"fetched-{os.environ[_RUN]}")


def with_images(*files):
    """What a target needs: its files, or the images alone as long as they are not there."""
    return [FETCHED] if PENDING else files


def begin_anew():
    """Replace this process, when it is through, by the same command.

    By then the lock has been given back. A program that uses Snakemake as a library is not replaced.
    """
    Path(FETCHED).unlink(missing_ok=True)
    targets = {*workflow.dag_settings.targets} or {"all"}
    program = Path(sys.argv[0])
    called = program.name == "snakemake" or program.parts[-2:] == ("snakemake", "__main__.py")
    if targets <= BEFORE_IMAGES:
        return
    if not called or os.environ.get(AGAIN) == str(os.getpid()):
        logger.info("The images are here. Run the same command again to go on.")
        return
    logger.info("The images are here. Going on with the same command.")
    os.environ[AGAIN] = str(os.getpid())

    def replace():
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, sys.orig_argv)

    atexit.register(replace)


if workflow.is_main_process:
    for _note in EXPERIMENT.notes:
        logger.info(f"Note: {_note}")
    if PENDING:
        logger.info(
            f"Note: {public_url(ARCHIVE.url)} has yet to be unpacked into {ARCHIVE.root}. A run does "
            "that first and then goes on by itself; what else there is to do can be planned, and "
            "files can be asked for by name, only then. `snakemake images` does this part alone."
        )


# Wildcards hold names from the configuration and from folders, so they are matched literally.
wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    category="|".join(map(re.escape, CATEGORIES)) or "(?!)",
    geometry="|".join(map(re.escape, GEOMETRIES)),
    page="[0-9]+",
    # An empty alternative would match an empty name.
    vqa_model="|".join(map(re.escape, VQA_MODELS)) or "(?!)",
    shard="|".join(VQA.shards if VQA else ()) or "(?!)",


DEVICES = visible_devices()

# Of --cores; None for what needs no job, as `snakemake --report`, where workflow.cores would raise.
CORES = workflow.resource_settings.cores

# Whether jobs are submitted to other machines, of whose devices and cores this one knows nothing.
SUBMITTED = workflow.resource_settings.nodes is not None


def together(group):
    """The group of a rule, whose jobs are submitted as one; None where nothing is submitted.

    A plan for this machine would show groups, too, and mean nothing by it.
    """
    return group if SUBMITTED else None


def device_slots():
    """How many jobs that use a device may run at a time where `--resources gpu=N` does not say it."""
    if workflow.remote_exec:
        return len(DEVICES) or 1  # the scheduler has given this job its devices, or none
    if SUBMITTED or DEVICES:
        return 1  # a submission asks for one, however many jobs are grouped in it
    return CORES or available_cpu_count()  # they are ordinary jobs, bounded by the cores


# A forgotten `--resources gpu=1` must not start a job per core on one device. (setdefault is there
# since Snakemake 9.21.1.)
workflow.global_resources.setdefault("gpu", device_slots())

#: Modules that these programs import by name, as far as this run's models are in them.
DOORS = library_modules(*(model.architecture["library"] for model in MODELS.values()))

#: The programs that the worker for models imports; the one for tables imports all others.
WARM = ("classify", "ask", "fetch_weights", "fetch_vqa")


def worker_environment():
    """What the jobs of this process are told of its workers and of its devices.

    On a cluster each submission reads this file anew, where it runs. Jobs that are grouped in it share
    workers that end with it.
    """
    if not supported():
        return ""
    programs = {path.stem for path in SCRIPTS.glob("*.py")} - {"with_worker", "fetch_images"}
    workers = {"models": WARM, "tables": sorted(programs - {*WARM})}
    if not SETTINGS["worker"]:
        workers = {"none": ()}  # but jobs share devices, and end with the workflow
    try:
        told = [
            Settings(
                owner=os.getpid(),
                born=born(os.getpid()),
                folder=str(choose_folder(os.getpid(), name)),
                programs=tuple(str(SCRIPTS / f"{program}.py") for program in programs),
                doors=tuple(DOORS) if programs is WARM else (),
                log=f"{LOGS}/worker_{name}.log",
                slots=workflow.global_resources["gpu"].value,
                devices=DEVICES if len(DEVICES) > 1 else (),
            ).as_json()
            for name, programs in workers.items()
        ]
    except WorkerError as error:
        logger.info(f"Note: no worker, since {error}")
        return ""
    return f"export {VARIABLE}={shlex.quote(canonical_json(told))}; "


# Programs are called by name; the interpreter is the one that runs Snakemake, activated or not.
shell.prefix(
    "set -euo pipefail; "
    f"export PATH={shlex.quote(str(SCRIPTS))}:{shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
    + worker_environment().replace("{", "{{").replace("}", "}}")
)


def classify_threads(wildcards):
    """On a CPU the jobs that run at a time share the cores; on a GPU one core feeds it."""
    if DEVICES or SUBMITTED or not CORES:
        return 1
    return max(1, CORES // workflow.global_resources["gpu"].value)


def handle_term_aside():
    """Let another thread do what Snakemake does on TERM.

    Its handler takes a lock that the main thread, which is interrupted for it, may hold at that moment
    (9.27): then the run would never end.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        signal.signal(
            signal.SIGTERM,
            lambda *what: threading.Thread(target=handler, args=what, daemon=True).start(),
        )


# What decides a rerun ---------------------------------------------------------------------------


@functools.cache
def code(program, *doors):
    """A digest of a program and of all modules that it reaches: the param `code` of its rule.

    `doors` are modules that it imports by name, through a registry.
    """
    return code_digest(SCRIPTS / f"{program}.py", doors) if doors else CODE[program]


def library_of(wildcards):
    """The module of a classifier's library: the param `door` of a rule that builds it."""
    (module,) = library_modules(MODELS[wildcards.model].architecture["library"])
    return module


def spec(function):
    """Make the param `spec` of a rule: canonical JSON of the settings that its output depends on.

    `function` takes wildcards and returns them. A param that is a function of wildcards alone is
    recorded by Snakemake, and no brace in it is read as a wildcard.
    """
    return lambda wildcards: canonical_json(function(wildcards))


def archive_spec(wildcards):
    return {"root": str(ARCHIVE.root), "sha256": ARCHIVE.sha256}


def index_spec(wildcards):
    category = CATEGORIES[wildcards.category]
    return {
        "root": SETTINGS["images"]["root"],
        "category": wildcards.category,
        "folders": category.folders,
        "max_pixels": SETTINGS["images"]["max_pixels"],
        "listing": category.listing.digest,
    }


def fetch_spec(wildcards):
    model = MODELS[wildcards.model]
    return {
        "name": model.name,
        "architecture": model.architecture,
        "reference": model.reference,
    }


def pixels_spec(wildcards):
    return {
        "root": SETTINGS["images"]["root"],
        "max_pixels": SETTINGS["images"]["max_pixels"],
        "geometry": MODELS[GEOMETRIES[wildcards.geometry][0]].geometry.as_dict(),
    }


def classify_spec(wildcards):
    model = MODELS[wildcards.model]
    return {
        "model": model.name,
        "architecture": model.architecture,
        "geometry": model.geometry.as_dict(),
        "mean": model.mean,
        "std": model.std,
        "preprocess": SETTINGS["preprocess"],
        "label_space": model.labels,
        "precision": SETTINGS["precision"],
        "compile": SETTINGS["compile"],
    }


def score_spec(wildcards):
    return {
        "labels": MODELS[wildcards.model].labels,
        "rules": sorted(SETTINGS["matching"]["rules"]),
        "aggregation": SETTINGS["matching"]["aggregation"],
        "categories": {
            name: {"also": category.target.also, "classes": category.target.classes}
            for name, category in CATEGORIES.items()
        },
    }


def audit_spec(wildcards):
    return {
        "labels": sorted({model.labels for model in MODELS.values()}),
        "rules": sorted(SETTINGS["matching"]["rules"]),
        "categories": {
            name: {"also": category.definition.also, "classes": category.definition.classes}
            for name, category in CATEGORIES.items()
        },
    }


def intervals_spec(wildcards):
    """Of figures that show intervals under the primary rule."""
    return {"rule": PRIMARY, **level_spec(wildcards)}


def models_spec(wildcards):
    return {
        **intervals_spec(wildcards),
        "page": int(wildcards.page),
        "per_page": MODELS_PER_PAGE,
    }


def failures_spec(wildcards):
    return {"rule": PRIMARY, "category": wildcards.category}


def index_questions_spec(wildcards):
    return {
        "questions": SETTINGS["vqa"]["questions"],
        "columns": SETTINGS["vqa"]["columns"],
        "root": VQA.root,
        "max_pixels": SETTINGS["images"]["max_pixels"],
        "shards": SETTINGS["vqa"]["shards"],
        "shard": wildcards.shard,
        "content": VQA.shards[wildcards.shard],
    }


def excluded_questions_spec(wildcards):
    return {
        "questions": SETTINGS["vqa"]["questions"],
        "columns": SETTINGS["vqa"]["columns"],
        "root": VQA.root,
        "invalid": SETTINGS["vqa"]["invalid"],
        "content": VQA.content,
    }


def fetch_vqa_spec(wildcards):
    return VQA_MODELS[wildcards.vqa_model]


def level_spec(wildcards):
    """Of what shows intervals that need no bootstrap."""
    return {"level": SETTINGS["intervals"]["level"]}


def vqa_samples_spec(wildcards):
    return {"page": int(wildcards.page), "per_page": IMAGES_PER_PAGE}


def ask_spec(wildcards):
    return {
        "model": wildcards.vqa_model,
        "root": VQA.root,
        "precision": SETTINGS["precision"],
    }


def thumbnails_spec(wildcards):
    return {"side": SETTINGS["report"]["thumbnail"], "limit": SETTINGS["report"]["images"]}


def report_spec(wildcards):
    return {
        "run": SETTINGS["run"],
        "rule": PRIMARY,
        **level_spec(wildcards),
        "images": SETTINGS["report"]["images"],
        "preprocessing": {
            model.name: {**model.geometry.as_dict(), "mean": model.mean, "std": model.std}
            for model in MODELS.values()
        },
        "questions": VQA.content if VQA else None,
        "settings": report_settings(),
    }


#: Settings that change speed and disk use, not results.
OF_SPEED = ("batch_size", "worker", "keep_pixels")


def report_settings():
    """The configuration as the report prints it: in one order, without what changes only speed."""
    settings = {key: value for key, value in SETTINGS.items() if key not in OF_SPEED}
    settings["categories"] = list(CATEGORIES)
    if settings["images"]["archive"] is not None:
        archive = settings["images"]["archive"]
        archive = {**archive, "url": public_url(archive["url"])}
        settings["images"] = {**settings["images"], "archive": archive}
    settings["matching"] = {**settings["matching"], "rules": sorted(settings["matching"]["rules"])}
    settings["models"] = sorted(settings["models"], key=canonical_json)
    if VQA:
        vqa = {key: value for key, value in settings["vqa"].items() if key not in OF_SPEED}
        settings["vqa"] = {**vqa, "models": sorted(vqa["models"], key=canonical_json)}
    return settings


# Files ------------------------------------------------------------------------------------------
# In the order of names, so that the order of the configuration decides nothing.


def checkpoint_of(wildcards):
    """The local checkpoint of a model, if it has one."""
    model = MODELS[wildcards.model]
    return [] if model.checkpoint is None else [model.checkpoint]


def label_file_of(wildcards):
    """The label file of a model, if its names come from one."""
    labels = MODELS[wildcards.model].labels
    return [labels] if Path(labels).is_file() else []


def pixels_of(wildcards):
    """The pixels that a model's classification of a category reads."""
    geometry = MODELS[wildcards.model].geometry.name
    folder = PIXELS.format(geometry=geometry, model=wildcards.model)
    return f"{RUN}/pixels/{folder}/{wildcards.category}.arrow"


def if_kept(pixels):
    """Pixels that stay, or that are deleted as soon as they have been classified."""
    return pixels if SETTINGS["keep_pixels"] else temp(pixels)


def pixels_priority(wildcards):
    """Pixels that are not kept are made as they are used: a model's before the next model's."""
    if SETTINGS["keep_pixels"]:
        return 0
    return _priority(wildcards.model) - 0.5


def model_priority(wildcards):
    """Model-major order: the first model of the configuration goes first."""
    return _priority(wildcards.model)


def _priority(model):
    return len(VQA_MODELS) + len(MODELS) - list(MODELS).index(model)


def vqa_model_priority(wildcards):
    """As for classifiers, behind which they come."""
    return len(VQA_MODELS) - list(VQA_MODELS).index(wildcards.vqa_model)


def vqa_files_of(wildcards):
    """The local files that a VQA model is made of, if it is not fetched from a hub."""
    entry = VQA_MODELS[wildcards.vqa_model]
    folders = [Path(entry[key]) for key in ("checkpoint", "tokenizer") if entry[key] is not None]
    return sorted(
        str(file)
        for path in folders
        for file in (path.iterdir() if path.is_dir() else [path])
        if file.is_file()
    )


def answers_of(wildcards):
    """The answers of one model to all questions."""
    return [f"{RUN}/vqa/answers/{wildcards.vqa_model}/{shard}.parquet" for shard in VQA.shards]


LABEL_FILES = sorted({model.labels for model in MODELS.values() if Path(model.labels).is_file()})
MANIFESTS = [f"{RUN}/images/{category}.parquet" for category in CATEGORIES]
WEIGHTS = [f"resources/weights/{model}.safetensors" for model in sorted(MODELS)]
NOTES = [f"resources/weights/{model}.json" for model in sorted(MODELS)]
LOGITS = [
    f"{RUN}/logits/{model}/{category}.parquet"
    for model in sorted(MODELS)
    for category in CATEGORIES
]
SCORES = [f"{RUN}/scores/{model}.parquet" for model in sorted(MODELS)]
GENERATORS = {
    generator
    for category in CATEGORIES.values()
    for generator, _ in category.folders
    if generator is not None
}
# With one generator or none there is nothing to compare.
BETWEEN_GENERATORS = ["generators"] if len(GENERATORS) > 1 else []
TABLES = [
    f"{RUN}/tables/{table}.csv"
    for table in (
        "accuracy",
        "agreement",
        "comparisons",
        "confusions",
        "difficulty",
        "excluded",
        "kappa",
        "label_audit",
        "ranking",
        "reference",
        *BETWEEN_GENERATORS,
        *(
            (
                "excluded_questions",
                "vqa",
                "vqa_groups",
                "vqa_questions",
                "vqa_calibration",
                "vqa_comparisons",
            )
            if VQA
            else ()
        ),
    )
]
SHARDS = [f"{RUN}/vqa/questions/{shard}.parquet" for shard in VQA.shards] if VQA else []
ANSWERS = [
    f"{RUN}/vqa/answers/{model}/{shard}.parquet"
    for model in sorted(VQA_MODELS)
    for shard in (VQA.shards if VQA else ())
]
VQA_SCORES = [f"{RUN}/vqa/{model}.parquet" for model in sorted(VQA_MODELS)]
VQA_WEIGHTS = [f"resources/weights/{model}.safetensors" for model in sorted(VQA_MODELS)]
VQA_NOTES = [f"resources/weights/{model}.json" for model in sorted(VQA_MODELS)]
# As Parquet where there is one; what was left out is a CSV only.
REPORT_TABLES = [
    table if "excluded" in Path(table).stem else table.removesuffix("csv") + "parquet"
    for table in TABLES
] + [f"{RUN}/tables/images.parquet"]
REPORT = f"{RUN}/report.html"
#: Of the report's template, style and programs, which no import reaches.
ASSETS = assets_digest()
FIGURES = [
    f"{RUN}/figures/{figure}.{ending}"
    for figure in (
        "samples",
        "overview",
        "rules",
        "reference",
        "ranking",
        "kappa",
        "difficulty",
        "gallery",
        "confusions",
        *BETWEEN_GENERATORS,
        *(f"models_{page}" for page in PAGES),
        *(f"failures_{category}" for category in CATEGORIES),
        *(("vqa_accuracy", "vqa_kinds", "vqa_calibration") if VQA else ()),
        *(f"vqa_samples_{model}_{page}" for model in VQA_MODELS for page in VQA_PAGES),
    )
    for ending in ("pdf", "png")
]
