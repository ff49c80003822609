"""How many jobs share a machine, with how many threads, and what its workers import."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from synthsight.plan import machine as module
from synthsight.plan.machine import (
    Machine,
    handle_term_aside,
    provide_workers,
    slower_here,
    start_workers,
)
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


def test_workers_are_described_to_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "those of the process that submitted this one")
    workers = {
        "models": Imports((tmp_path / "a b.py",), ("synthsight.doors",)),
        "tables": Imports((tmp_path / "c.py",)),
    }
    provide_workers(workers, "logs/worker_{}.log", 3, machine("0", "1"))
    models, tables = (Settings.from_json(each) for each in json.loads(os.environ[VARIABLE]))
    assert models.programs == (str(tmp_path / "a b.py"),)
    assert models.doors == ("synthsight.doors",)
    assert models.log == "logs/worker_models.log"
    assert (models.owner, models.slots, models.devices) == (os.getpid(), 3, ("0", "1"))
    assert (tables.log, tables.doors) == ("logs/worker_tables.log", ())
    assert models.folder != tables.folder


def test_workers_that_jobs_need_are_started_early(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(module, "start_early", lambda worker: started.append(worker.log))
    workers = {
        "models": Imports((Path("/scripts/ask.py"), Path("/scripts/embed.py"))),
        "tables": Imports((Path("/scripts/score.py"),)),
    }
    provide_workers(workers, "{}", 1, machine())
    start_workers({"with_worker.py --code {params.code} embed.py --output {output}", None})
    assert started == ["models"]
    start_workers({"with_worker.py other.py", None})
    start_workers(set())
    assert started == ["models"]
    provide_workers({"none": Imports()}, "{}", 1, machine())
    start_workers({"with_worker.py embed.py"})
    assert started == ["models"]


def test_one_device_is_shared_without_being_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    provide_workers({"none": Imports()}, "{}", 1, machine("0"))
    (none,) = json.loads(os.environ[VARIABLE])
    assert Settings.from_json(none).devices == ()


def test_a_precision_that_is_slow_here_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "multiplies_bfloat16", lambda: False)
    (note,) = slower_here("bf16", machine())
    assert "fp32" in note
    quiet = [("fp32", machine()), ("bf16", machine("0")), ("bf16", machine(submits=True))]
    assert not any(slower_here(*each) for each in quiet)
    monkeypatch.setattr(module, "multiplies_bfloat16", lambda: True)
    assert not slower_here("bf16", machine())


@pytest.mark.parametrize("where", [machine(), machine("0"), machine("0", "1")])
def test_no_gpu_is_the_cpu(where: Machine) -> None:
    """`--resources gpu=0`: as many jobs at a time as there are cores, each with one of them."""
    left = where.allowed(0)
    assert (left.devices, left.slots(), left.threads(left.slots())) == ((), 8, 1)
    assert where.allowed(1) == where


@pytest.mark.parametrize(
    ("before", "handled"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)], ids=["plain", "nohup"]
)
def test_a_closed_terminal_ends_a_run_as_term_does(
    monkeypatch: pytest.MonkeyPatch, before: signal.Handlers, handled: bool
) -> None:
    called = threading.Event()
    set_: dict[int, object] = {signal.SIGTERM: lambda *_: called.set(), signal.SIGHUP: before}
    monkeypatch.setattr(signal, "getsignal", set_.get)
    monkeypatch.setattr(signal, "signal", set_.__setitem__)
    handle_term_aside()
    hup = set_[signal.SIGHUP]
    assert callable(hup) == handled or hup is before
    if handled:
        assert hup is set_[signal.SIGTERM]
        hup(signal.SIGHUP, None)  # type: ignore[operator]
        assert called.wait(10)
