"""The machine that a workflow runs on: its devices and cores, and the workers of its jobs."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from synthsight.canonical import canonical_json
from synthsight.files import can_be_written
from synthsight.inference.devices import multiplies_bfloat16
from synthsight.plan.programs import Imports
from synthsight.worker.client import start_early
from synthsight.worker.protocol import (
    VARIABLE,
    Settings,
    WorkerError,
    born,
    choose_folder,
    supported,
)


@dataclass(frozen=True)
class Machine:
    """The machine that this process runs on, as jobs find it.

    Attributes:
        devices: the accelerators (see :func:`synthsight.inference.devices.visible_devices`).
        cores: the value of ``--cores``; None if no job is run, as with ``snakemake --report``.
        available: number of cores that exist.
        submits: whether jobs are submitted to other machines, whose devices and cores are unknown
            here.
        submitted: whether this process is such a job.
    """

    devices: tuple[str, ...]
    cores: int | None
    available: int
    submits: bool
    submitted: bool

    def slots(self) -> int:
        """Number of jobs that may use a device at a time, unless ``--resources gpu=N`` is given."""
        if self.submitted:
            return len(self.devices) or 1  # the scheduler has given this job its devices, or none
        if self.submits or self.devices:
            return 1  # a submission asks for one, however many jobs are grouped in it
        return self.cores or self.available  # ordinary jobs, limited only by the cores

    def allowed(self, gpu: int) -> Machine:
        """The machine under ``--resources gpu=N``: with N=0 its devices are left alone."""
        return self if gpu else replace(self, devices=())

    def threads(self, slots: int) -> int:
        """Number of threads of a job that runs a model, if ``slots`` such jobs run at a time.

        On a CPU they share the cores; a GPU is fed by one core.
        """
        if self.devices or self.submits or not self.cores:
            return 1
        return max(1, self.cores // slots)


def slower_here(precision: str, machine: Machine) -> list[str]:
    """What to say of a precision that is meant to be fast, and is slow on this machine.

    Args:
        precision: the configuration's.
        machine: this one.
    """
    if precision != "bf16" or machine.devices or machine.submits or multiplies_bfloat16():
        return []
    return [
        "precision: bf16 takes longer than fp32 here, since this processor has no instructions for "
        "it (amx_bf16 or avx512_bf16) and there is no other device. `precision: fp32` is faster; "
        "it makes other logits, so all images are classified again."
    ]


def provide_workers(
    workers: Mapping[str, Imports],
    log: str,
    slots: int,
    machine: Machine,
) -> None:
    """Describe this process's workers and devices to its jobs, in a variable of the environment.

    On a cluster, each submission does so anew, where it runs. The jobs grouped in it share workers
    that end with it. Where the system lacks what a worker needs, there is no such variable.

    Args:
        workers: what each worker imports, by name (see :func:`synthsight.plan.programs.workers`).
        log: path of the workers' log files, with ``{}`` for the name.
        slots: number of jobs that may use a device at a time.
        machine: the machine that this process runs on.

    Raises:
        synthsight.worker.protocol.WorkerError: there is no folder that only this user can enter.
    """
    os.environ.pop(VARIABLE, None)  # of the process that submitted this one, on its machine
    owner = os.getpid()
    began = born(owner) if supported() else None
    if began is None:
        return
    described = [
        Settings(
            owner=owner,
            born=began,
            folder=str(choose_folder(owner, name)),
            programs=tuple(map(str, imports.programs)),
            doors=imports.doors,
            log=log.format(name),
            slots=slots,
            devices=machine.devices if len(machine.devices) > 1 else (),
        ).as_json()
        for name, imports in workers.items()
    ]
    os.environ[VARIABLE] = canonical_json(described)


def start_workers(commands: Iterable[str | None]) -> None:
    """Start the workers that jobs will ask for, while Snakemake still starts the first of these.

    Otherwise each would be started by the first job that asks for it, one after the other.

    Args:
        commands: of the rules of these jobs; None of one that runs no command.
    """
    words = {word for command in commands if command for word in command.split()}
    described = json.loads(os.environ.get(VARIABLE, "[]"))
    for settings in map(Settings.from_json, described):
        if words & {Path(program).name for program in settings.programs}:
            with suppress(WorkerError, OSError):  # the first job that asks for it says why
                start_early(settings)


def provide_home(folder: Path) -> None:
    """Give this process and its jobs folders for caches and settings if the user has none.

    Libraries look for them in the home folder; matplotlib and the hubs' clients do not go without.

    Args:
        folder: where to put them if the home folder cannot be written.
    """
    for variable, name in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config")):
        own = os.environ.get(variable) or os.path.expanduser(f"~/{name}")
        if not can_be_written(own):
            os.environ[variable] = str((folder / name[1:]).resolve())


def hide_devices() -> None:
    """Keep the jobs of this process from using any accelerator."""
    os.environ.update(dict.fromkeys(("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"), ""))


def handle_term_aside() -> None:
    """Make Snakemake's handler of TERM run in another thread, and for HUP as well.

    The handler takes a lock that the main thread, which it interrupts, may hold at that moment
    (Snakemake 9.27): then the run would never end. HUP is what a run gets when its terminal is
    closed, which Snakemake does not handle: it would leave its lock behind. Under ``nohup`` HUP
    stays ignored.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler):
        return

    def aside(*what: object) -> None:
        threading.Thread(target=handler, args=what, daemon=True).start()

    signal.signal(signal.SIGTERM, aside)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, aside)
