# The package beside the Snakefile is the one that runs, here and in all jobs, whatever is installed
# in the environment: that may be another copy's.

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

BASE = Path(workflow.basedir).resolve()

# Caches what was found out at an earlier start and still holds.
KEPT = Path(".snakemake") / "synthsight"

if os.pathsep in str(BASE):
    raise WorkflowError(
        f"{BASE} has a colon in its name, which PATH cannot hold: rename the folder."
    )

# Snakemake puts the Snakefile's folder first, where a stray random.py would be taken for Python's.
sys.path[:] = [
    str(BASE / "src"),
    *(place for place in sys.path if Path(place).resolve() not in (BASE, BASE / "src")),
]

try:
    from synthsight.errors import SynthsightError
    from synthsight.clone import export, require_own, require_utf8
    from synthsight.plan.unchanged import UNCHANGED, Look

    require_own(BASE, "this Snakefile")
    require_utf8()

    # A start that finds all as the last one left it ends here.
    LOOK = Look.of(workflow, BASE, KEPT)
    if (_said := LOOK.unchanged()) is not None:
        for _note in [*_said, UNCHANGED]:
            logger.info(_note)
        sys.exit()

    from synthsight.plan.machine import provide_home
    from synthsight.plan.standalone import read_config

    export(BASE)
    provide_home(Path(".snakemake"))

    # Snakemake says neither file nor line of YAML that it cannot read, and takes the later of two
    # keys of one name. Files named by --configfile it has read already.
    if workflow.is_main_process:
        with LOOK.watching():
            for _file in workflow.configfiles or ["config.yaml"]:
                read_config(Path(_file))
except ImportError as error:
    raise WorkflowError(
        f"{error}. The workflow runs the package in {BASE / 'src'}, which is incomplete, or an "
        "environment without what it needs: `make venv` makes one."
    ) from error
except SynthsightError as error:
    raise WorkflowError(str(error)) from None
