"""Processes on a CUDA device: several at once, forks of a worker, and devices by name."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from synthsight.classifiers.registry import LIBRARIES, library_modules
from synthsight.plan.programs import WITH_MODELS
from synthsight.vqa.families.registry import FAMILIES
from tests.support import REPOSITORY
from tests.worker.test_worker import Worker, runtime, worker

pytestmark = pytest.mark.cuda

__all__ = ["runtime", "worker"]  # fixtures

#: Says where it computed, and whether CUDA had begun before.
PROGRAM = f"""#!{sys.executable}
import os, sys, time

import torch

from synthsight.inference.batches import choose_device


def main(models=None):
    began = torch.cuda.is_initialized()
    device = choose_device()
    if device.type == "cuda":
        ones = torch.ones(512, 512, device=device)
        assert float(ones.mm(ones).sum()) == 512.0**3
        uuid = torch.cuda.get_device_properties(device).uuid
    else:
        uuid = None
    print(os.getpid(), began, device.type, uuid, os.environ.get("CUDA_VISIBLE_DEVICES"))
    time.sleep(float(sys.argv[1]))


if __name__ == "__main__":
    main()
"""


@pytest.fixture(name="torch_worker")
def torch_worker_(worker: Worker) -> Worker:
    """A worker whose program imports torch before any fork."""
    worker.program.write_text(PROGRAM)
    worker.program.chmod(0o755)
    return worker


def test_forks_of_a_worker_use_the_device_at_the_same_time(
    device: torch.device, torch_worker: Worker
) -> None:
    torch_worker.settings = replace(torch_worker.settings, slots=3)
    jobs = [torch_worker.start("2") for _ in range(3)]
    said = [job.communicate()[0].split() for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert len({process for process, *_ in said}) == 3
    assert {kind for _, _, kind, *_ in said} == {device.type}
    assert {began for _, began, *_ in said} == {"False"}
    status, output, _ = torch_worker.run("0")
    again = output.split()
    assert status == 0 and again[0] in {process for process, *_ in said}, "a process is kept"
    assert again[1] == str(device.type == "cuda"), "and CUDA in it"


def test_jobs_have_devices_of_their_own_by_number(cuda: torch.device, torch_worker: Worker) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one device only")
    torch_worker.settings = replace(torch_worker.settings, slots=2, devices=("0", "1"))
    jobs = [torch_worker.start("5") for _ in range(2)]
    said = [job.communicate()[0].split() for job in jobs]
    assert {visible for *_, visible in said} == {"0", "1"}
    assert len({uuid for _, _, _, uuid, _ in said}) == 2


WHERE = """
import torch
from synthsight.inference.batches import choose_device
from synthsight.inference.devices import visible_devices
device = choose_device()
uuid = torch.cuda.get_device_properties(device).uuid if device.type == "cuda" else None
print(device.type, uuid, *visible_devices())
"""


def where(visible: str) -> tuple[list[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", WHERE],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": visible},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split(), done.stderr


def test_a_device_is_found_by_its_number_and_by_its_uuid(cuda: torch.device) -> None:
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") != "0":
        pytest.skip("CUDA_VISIBLE_DEVICES is set to other devices than the first")
    uuid = str(torch.cuda.get_device_properties(0).uuid)
    for visible in ("0", f"GPU-{uuid}"):
        assert where(visible)[0] == ["cuda", uuid, visible]


def test_a_device_that_is_not_there_is_named_and_the_cpu_is_used(cuda: torch.device) -> None:
    found, said = where("99")
    assert found == ["cpu", "None", "99"]
    assert "WARNING" in said and "99" in said


#: What a worker's server does: it imports all, looks for devices, and forks.
IMPORTING = """
import importlib, os, sys
from pathlib import Path

os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
import torch

from synthsight.worker.server import import_program

device, programs, doors = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
for program in programs:
    import_program(Path(program))
for door in doors:
    importlib.import_module(door)
torch.cuda.is_available()
assert not torch.cuda.is_initialized()
process = os.fork()
if not process:
    status = 1
    try:
        status = int(torch.ones(9, device=device).sum()) - 9
    finally:
        os._exit(status)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


def test_a_fork_can_use_the_device_after_all_programs_are_imported(device: torch.device) -> None:
    programs = " ".join(str(REPOSITORY / f"workflow/scripts/{name}.py") for name in WITH_MODELS)
    doors = " ".join([*library_modules(*LIBRARIES), *map(FAMILIES.module, FAMILIES)])
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, device.type, programs, doors],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
