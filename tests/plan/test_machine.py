"""How many jobs share a machine, with how many threads, and what its workers import."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from synthsight.plan.machine import Machine, describe_workers
from synthsight.plan.programs import Imports
from synthsight.worker.protocol import VARIABLE, Settings


def machine(
    *devices: str, cores: int | None = 8, submits: bool = False, submitted: bool = False
) -> Machine:
    return Machine(devices, cores, available=4, submits=submits, submitted=submitted)


@pytest.mark.parametrize(
    ("where", "slots"),
    [
        (machine(), 8),
        (machine(cores=None), 4),
        (machine("0", "1"), 1),
        (machine("0", "1", submitted=True), 2),
        (machine(submitted=True), 1),
        (machine(submits=True), 1),
    ],
)
def test_slots(where: Machine, slots: int) -> None:
    assert where.slots() == slots


@pytest.mark.parametrize(
    ("where", "slots", "threads"),
    [
        (machine(), 2, 4),
        (machine(), 16, 1),
        (machine("0"), 1, 1),
        (machine(submits=True), 1, 1),
        (machine(cores=None), 1, 1),
    ],
)
def test_threads(where: Machine, slots: int, threads: int) -> None:
    assert where.threads(slots) == threads


def test_workers_are_described_to_jobs(tmp_path: Path) -> None:
    workers = {
        "models": Imports((tmp_path / "a b.py",), ("synthsight.doors",)),
        "tables": Imports((tmp_path / "c.py",)),
    }
    text = describe_workers(workers, "logs/worker_{}.log", 3, machine("0", "1"))
    export, assignment = shlex.split(text.removesuffix("; "))
    name, _, value = assignment.partition("=")
    assert (export, name) == ("export", VARIABLE)
    models, tables = (Settings.from_json(each) for each in json.loads(value))
    assert models.programs == (str(tmp_path / "a b.py"),)
    assert models.doors == ("synthsight.doors",)
    assert models.log == "logs/worker_models.log"
    assert (models.owner, models.slots, models.devices) == (os.getpid(), 3, ("0", "1"))
    assert (tables.log, tables.doors) == ("logs/worker_tables.log", ())
    assert models.folder != tables.folder


def test_one_device_is_shared_without_being_named(tmp_path: Path) -> None:
    text = describe_workers({"none": Imports()}, "{}", 1, machine("0"))
    (none,) = json.loads(shlex.split(text.removesuffix("; "))[1].partition("=")[2])
    assert Settings.from_json(none).devices == ()
