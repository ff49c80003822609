"""The worker: started once, gone with its run, and of no consequence for what a job gives."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import pytest

from synthsight.plan.digest import code_digest
from synthsight.worker import client, protocol, server
from synthsight.worker.protocol import Settings, WorkerError, born, choose_folder
from tests.support import REPOSITORY, Project

pytestmark = pytest.mark.skipif(not protocol.supported(), reason="needs Linux")

#: Seconds after which something that has not come about is taken never to come: a busy machine may
#: need a good part of them.
PATIENCE = 120

#: A program that does what its arguments say and tells where it ran.
PROGRAM = f"""#!{sys.executable}
import os, resource, signal, sys, time

served = 0


def main(models=None):
    global served
    served += 1
    for argument in sys.argv[1:]:
        verb, _, value = argument.partition(":")
        if verb == "where":
            print(os.getpid(), os.getppid(), served, os.environ.get("CUDA_VISIBLE_DEVICES"))
        elif verb == "variable":
            print(os.environ.get(value))
        elif verb == "folder":
            print(os.getcwd())
        elif verb == "print":
            print(value)
            print(value, file=sys.stderr)
        elif verb == "raw":
            os.write(1, value.encode() + b"\\n")
        elif verb == "pages":  # that the system gives anew, for the same 32 MiB again and again
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(20):
                b"x" * 2**25
            after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            print((after - before) * resource.getpagesize() // 2**25)
        elif verb == "sleep":
            time.sleep(float(value))
        elif verb == "exit":
            sys.exit(int(value) if value.isdigit() else value)
        elif verb == "raise":
            raise ValueError(value)
        elif verb == "signal":  # itself, in the worker only
            if os.path.exists(value):
                number = open(value).read()
                os.unlink(value)
                os.kill(os.getpid(), int(number))
                time.sleep(60)
        elif verb == "mark":
            try:
                open(value, "w").close()
                time.sleep(60)
            finally:
                open(value + ".end", "w").close()


if __name__ == "__main__":
    main()
"""


class Worker:
    """A worker of toy programs, for a process that plays Snakemake's part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = subprocess.Popen(["sleep", "600"])
        self.program = folder / "toy.py"
        self.program.write_text(PROGRAM)
        client = folder / "with_worker.py"
        client.write_bytes((REPOSITORY / "workflow/scripts/with_worker.py").read_bytes())
        for path in (self.program, client):
            path.chmod(0o755)
        began = born(self.owner.pid)
        assert began is not None
        self.settings = Settings(
            owner=self.owner.pid,
            born=began,
            folder=str(choose_folder(self.owner.pid, "toy")),
            programs=(str(self.program),),
            log=str(folder / "worker.log"),
            slots=2,
        )

    def start(self, *arguments: str, device: bool = True, code: str = "") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, self.folder / "with_worker.py", "--code", code),
                *(["--on-device"] if device else []),
                *("toy.py", *arguments),
            ],
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY / "src"),
                protocol.VARIABLE: json.dumps([self.settings.as_json()]),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, device: bool = True, code: str = "") -> tuple[int, str, str]:
        """A job: its status, standard output and standard error."""
        process = self.start(*arguments, device=device, code=code)
        output, error = process.communicate(timeout=PATIENCE)
        return process.returncode, output, error

    def where(self, **how: bool) -> tuple[int, int, int, str]:
        """Process, its parent, how many jobs it has run, and its device."""
        status, output, error = self.run("where", **how)
        assert (status, error) == (0, "")
        process, parent, served, device = output.split()
        return int(process), int(parent), int(served), device

    @property
    def server(self) -> int:
        return int((Path(self.settings.folder) / protocol.PROCESS).read_text().split()[0])


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of all sockets; with a short name, since addresses have a bound."""
    folder = Path(tempfile.mkdtemp())
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def worker(tmp_path: Path, runtime: Path) -> Iterator[Worker]:
    worker = Worker(tmp_path)
    yield worker
    worker.owner.kill()
    worker.owner.wait()
    until(lambda: not list(runtime.iterdir()))  # nothing is left, after any of these tests


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


# Whose process runs it ---------------------------------------------------------------------------


@pytest.mark.long
def test_clients_at_the_same_time_start_one_server(worker: Worker) -> None:
    jobs = [worker.start("where", "sleep:0.2") for _ in range(6)]
    places = [job.communicate(timeout=PATIENCE)[0].split() for job in jobs]
    assert {int(parent) for _, parent, *_ in places} == {worker.server}
    assert len({process for process, *_ in places}) <= 2, "no more processes than slots"


def test_a_lock_that_a_server_removed_at_its_end_is_no_lock(worker: Worker) -> None:
    folder = Path(worker.settings.folder)
    protocol.enter(folder)
    with ExitStack() as stack:
        removed = stack.enter_context(open(folder / protocol.LOCK, "a"))
        fcntl.flock(removed, fcntl.LOCK_EX)
        job = worker.start("where")
        until(lambda: _waits_for(removed, job.pid))
        protocol.leave(folder)  # as a server does that ends for want of work
        protocol.enter(folder)
        current = stack.enter_context(open(folder / protocol.LOCK, "a"))
        fcntl.flock(current, fcntl.LOCK_EX)  # as a client does that is about to start another
        removed.close()
        until(lambda: _waits_for(current, job.pid) or (folder / protocol.PROCESS).exists())
        assert not (folder / protocol.PROCESS).exists()
    place = job.communicate(timeout=PATIENCE)[0].split()
    assert (job.returncode, int(place[1])) == (0, worker.server)


def _waits_for(lock: TextIO, process: int) -> bool:
    ends = f":{os.fstat(lock.fileno()).st_ino} "
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    return any("->" in line and f" {process} " in line and ends in line for line in lines)


def test_a_client_that_connects_at_once_finds_the_token(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(worker.settings.folder)
    tokens: list[str] = []

    class Listening(socket.socket):
        def listen(self, *backlog: int) -> None:
            super().listen(*backlog)
            tokens.append((folder / protocol.TOKEN).read_text())

    monkeypatch.setattr(socket, "socket", Listening)
    protocol.enter(folder)
    client._start(worker.settings)
    assert [len(token) for token in tokens] == [64, 64]


@pytest.mark.long
def test_a_program_on_a_device_keeps_its_process_and_another_one_does_not(worker: Worker) -> None:
    first, second = worker.where(), worker.where()
    assert first[0] == second[0]
    assert (first[2], second[2]) == (1, 2)
    plain = [worker.where(device=False) for _ in range(2)]
    assert plain[0][0] != plain[1][0]
    assert [served for _, _, served, _ in plain] == [1, 1]


@pytest.mark.long
@pytest.mark.parametrize("warm", [True, False])
def test_jobs_at_the_same_time_have_devices_of_their_own(worker: Worker, warm: bool) -> None:
    programs = worker.settings.programs if warm else ()
    worker.settings = replace(worker.settings, devices=("3", "GPU-5"), programs=programs)
    for _ in range(2):
        jobs = [worker.start("where", "sleep:1") for _ in range(2)]
        assert {job.communicate()[0].split()[3] for job in jobs} == {"3", "GPU-5"}


@pytest.mark.long
def test_the_first_job_on_a_device_stays_there_without_the_worker(worker: Worker) -> None:
    worker.settings = replace(worker.settings, devices=("3", "GPU-5"))
    busy, number = worker.folder / "busy", worker.folder / "number"
    other = worker.start(f"mark:{busy}")
    until(busy.exists)
    number.write_text(f"{signal.SIGKILL:d}")
    _, output, error = worker.run(f"signal:{number}", "where")
    assert "running without it" in error and output.split()[3] == "GPU-5"
    other.terminate()
    other.wait()


# Output and status -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "output", "error"),
    [
        (["print:a"], 0, "a\n", "a\n"),
        (["raw:of C"], 0, "of C\n", ""),
        (["exit:3"], 3, "", ""),
        (["exit:in words"], 1, "", "in words\n"),
        (["print:a", "raise:wrong"], 1, "a\n", "ValueError: wrong\n"),
    ],
)
def test_output_and_status_are_those_of_the_program(
    worker: Worker, arguments: list[str], status: int, output: str, error: str
) -> None:
    for device in (True, False):
        found = worker.run(*arguments, device=device)
        assert found[:2] == (status, output)
        assert found[2].endswith(error) and bool(found[2]) == bool(error)


def test_a_program_runs_in_the_job_s_folder(worker: Worker) -> None:
    assert worker.run("folder")[1].strip() == os.getcwd()


@pytest.mark.parametrize("warm", [True, False])
def test_a_program_on_a_device_keeps_the_memory_that_it_frees(worker: Worker, warm: bool) -> None:
    if not warm:
        worker.settings = replace(worker.settings, programs=())
    assert int(worker.run("pages:")[1]) <= 2
    assert int(worker.run("pages:", device=False)[1]) >= 18


def test_memory_is_kept_as_the_environment_says(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "65536")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "131072")
    assert int(worker.run("pages:")[1]) >= 18


def test_a_server_that_is_started_early_is_the_one_that_serves(worker: Worker) -> None:
    client.start_early(worker.settings)
    early = worker.server
    client.start_early(worker.settings)
    assert worker.server == early
    _, parent, *_ = worker.where()
    assert parent == early


def test_the_client_is_quick_to_import() -> None:
    code = "import sys, synthsight.worker.client; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    loaded = subprocess.check_output([sys.executable, "-Sc", code], env=environment, text=True)
    slow = {"numpy", "torch", "pyarrow", "pandas", "subprocess", "tempfile", "asyncio"}
    assert not slow & set(loaded.split())


# Ends --------------------------------------------------------------------------------------------


def test_it_ends_with_its_owner_even_if_that_is_killed(worker: Worker) -> None:
    process, server, *_ = worker.where()
    job = worker.start("print:begun", "sleep:60")
    assert job.stderr is not None
    job.stderr.readline()
    worker.owner.kill()
    worker.owner.wait()
    until(lambda: born(process) is None and born(server) is None)
    assert job.wait(PATIENCE) == 1
    assert "the workflow that it served has ended" in job.stderr.read()
    until(lambda: not Path(worker.settings.folder).exists())


@pytest.mark.long
def test_it_ends_when_it_is_idle_and_comes_back(worker: Worker) -> None:
    worker.settings = replace(worker.settings, idle=0.3)
    process, server, *_ = worker.where()
    until(lambda: born(process) is None and born(server) is None)
    assert not Path(worker.settings.folder).exists()
    assert worker.where()[1] != server


def test_what_a_killed_server_left_is_removed_by_the_next_one(worker: Worker) -> None:
    rest = Path(worker.settings.folder).with_name("999999999-1-toy")
    rest.mkdir(parents=True)
    rest.parent.chmod(0o700)
    rest.chmod(0o700)
    worker.where()
    assert not rest.exists()


@pytest.mark.long
def test_a_job_that_is_killed_is_not_worked_for_any_longer(worker: Worker, tmp_path: Path) -> None:
    process, _, _, _ = worker.where()
    mark = tmp_path / "mark"
    job = worker.start(f"mark:{mark}")
    until(mark.exists)
    job.kill()
    job.wait()
    until((tmp_path / "mark.end").exists)
    again = worker.where()
    assert (again[0], again[2]) == (process, 3), "the process stays, with all that it has loaded"


@pytest.fixture
def without(worker: Worker) -> Worker:
    """What a job is told where `worker: false` is set."""
    worker.settings = replace(worker.settings, programs=())
    return worker


@pytest.mark.long
def test_without_a_worker_a_job_ends_with_its_workflow_too(without: Worker, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = without.start(f"mark:{mark}")
    until(mark.exists)
    without.owner.kill()
    without.owner.wait()
    assert job.wait(PATIENCE) == -signal.SIGKILL
    late = without.start(f"print:{mark}")
    output, error = late.communicate(timeout=PATIENCE)
    assert (late.returncode, output) == (1, "")
    assert "the workflow that this job belongs to has ended" in error


def test_without_a_worker_a_job_that_is_told_to_end_ends(without: Worker, tmp_path: Path) -> None:
    for number, status in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)):
        mark = tmp_path / number.name
        job = without.start(f"mark:{mark}")
        until(mark.exists)
        serving = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        assert len(serving) == 1
        job.send_signal(number)
        assert job.wait(PATIENCE) == status
        until(lambda process=int(serving[0]): born(process) is None)


@pytest.mark.long
def test_without_a_worker_a_program_runs_below_the_job(without: Worker) -> None:
    job = without.start("where")
    assert int(job.communicate()[0].split()[1]) == job.pid
    assert not Path(without.settings.folder).exists()
    assert without.run("print:a", "exit:7", device=False) == (7, "a\n", "a\n")
    assert without.run("exit:bye") == (1, "", "bye\n")


def test_a_killed_program_runs_again_with_half_the_batch_unless_its_workflow_has_ended(
    without: Worker, tmp_path: Path
) -> None:
    blow = tmp_path / "blow"
    blow.write_text(str(int(signal.SIGKILL)))
    status, output, error = without.run(f"signal:{blow}", "--batch-size", "3", "print:done")
    assert (status, output) == (0, "done\n") and "again with a batch of 1" in error
    # What is told to end ends, and the terminal's Ctrl-C still reaches a program's second attempt.
    blow.write_text(str(int(signal.SIGKILL)))
    mark = tmp_path / "mark"
    job = without.start(f"signal:{blow}", "--batch-size", "9", f"mark:{mark}")
    until(mark.exists)
    (serving,) = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    ignored = re.search(r"SigIgn:\t(\w+)", Path(f"/proc/{serving}/status").read_text())
    assert ignored and not int(ignored[1], 16) & 1 << (signal.SIGINT - 1)
    without.owner.kill()
    without.owner.wait()
    assert job.wait(PATIENCE) == -signal.SIGKILL
    assert "again with a batch of 4" in str(job.communicate()[1])
    assert not blow.exists(), "and has not begun once more"


# What goes wrong ---------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV])
def test_a_process_that_dies_or_hangs_costs_one_job_some_time(
    worker: Worker, tmp_path: Path, number: signal.Signals
) -> None:
    worker.settings = replace(worker.settings, patience=2)
    _, server, *_ = worker.where()
    blow = tmp_path / "blow"
    blow.write_text(str(int(number)))
    status, output, error = worker.run("print:before", f"signal:{blow}", "where")
    assert status == 0
    assert "no sign of life" in error if number == signal.SIGSTOP else "it died" in error
    assert "running without it" in error
    assert ("Segmentation fault" in error) == (number == signal.SIGSEGV), "the trace of a crash"
    assert int(output.split()[-4]) not in (server, 0)
    assert worker.where()[1:3] == (server, 1), "the server lives and has forked another process"


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_dies_or_hangs_is_replaced(worker: Worker, number: signal.Signals) -> None:
    worker.settings = replace(worker.settings, start=1.5)
    _, server, *_ = worker.where()
    os.kill(server, number)
    status, _, error = worker.run("where")
    assert status == 0
    assert ("no sign of life" in error) == (number == signal.SIGSTOP)
    assert worker.where()[1] != server


@pytest.mark.long
def test_no_program_outlives_its_server(worker: Worker, tmp_path: Path) -> None:
    process, server, *_ = worker.where()
    job = worker.start(f"mark:{tmp_path / 'mark'}")
    until((tmp_path / "mark").exists)
    os.kill(server, signal.SIGKILL)
    until(lambda: born(process) is None)
    job.kill()
    job.wait()
    worker.where()  # the next server tidies up after it


@pytest.mark.long
def test_a_fork_that_can_do_nothing_dies_with_its_server(worker: Worker) -> None:
    """Any other would end by itself: its client is lost, or nobody hands it another one."""
    process, server, *_ = worker.where()
    os.kill(process, signal.SIGSTOP)
    os.kill(server, signal.SIGKILL)
    try:
        until(lambda: born(process) is None)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    worker.where()  # the next server tidies up after it


def test_the_number_of_threads_of_one_job_is_not_that_of_another(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    assert worker.run("variable:OPENBLAS_NUM_THREADS")[1] == "None\n"


def test_a_program_that_cannot_be_imported_is_run_without_a_worker(worker: Worker) -> None:
    broken = worker.folder / "broken.py"
    broken.write_text("raise RuntimeError('at import')\n")
    worker.settings = replace(
        worker.settings, programs=(*worker.settings.programs, str(broken)), start=10
    )
    status, output, error = worker.run("print:a")
    assert (status, output) == (0, "a\n")
    assert "it ended before it took up the job; its log is" in error
    assert "at import" in Path(worker.settings.log).read_text()


def test_a_worker_with_other_code_is_not_used(worker: Worker) -> None:
    code = code_digest(worker.program)
    assert worker.run("where", code=code)[2] == ""
    status, output, error = worker.run("where", code="of another state")
    assert status == 0
    assert "the code has changed since the run began; running without it" in error
    assert int(output.split()[1]) != worker.server


def test_a_client_needs_the_token(worker: Worker) -> None:
    worker.where()
    folder = Path(worker.settings.folder)
    assert stat.S_IMODE((folder / protocol.TOKEN).stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / "plain"))
        request = {"program": str(worker.program), "arguments": [], "token": "0" * 64}
        protocol.send(connection, request, (1, 2))
        assert protocol.receive(connection)[0] == {"refused": "wrong token"}


def test_a_connection_of_another_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, its = socket.socketpair()
    assert protocol.is_same_user(ours)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert not protocol.is_same_user(its)


def test_a_server_asks_whose_connection_it_is(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else: who may not connect does not learn what there is, or which token."""
    serving = SimpleNamespace(token="a", programs={}, settings=worker.settings)
    _, its = socket.socketpair()
    assert server._refuse(serving, its, {"token": "b"}, []) == "wrong token"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert server._refuse(serving, its, {"token": "a"}, []) == "it comes from another user"


def test_a_client_asks_whose_server_it_is_before_it_says_anything(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(worker.settings.folder)
    protocol.enter(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / protocol.SOCKETS[0]))
        listening.listen()
        monkeypatch.setattr(client, "is_same_user", lambda connection: False)
        with pytest.raises(WorkerError, match="belongs to another user"):
            client._connect(worker.settings, protocol.SOCKETS[0])
        with listening.accept()[0] as connection:
            assert connection.recv(1) == b"", "closed without a word"
    protocol.leave(folder)


def test_a_message_of_impossible_length_is_not_waited_for() -> None:
    ours, its = socket.socketpair()
    its.sendall((2**31 - 1).to_bytes(4, "big"))
    ours.settimeout(20)
    with pytest.raises(WorkerError, match="impossible length"):
        protocol.receive(ours)


def test_the_share_of_each_slot_leaves_room_for_the_others(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = []
    monkeypatch.setattr(server, "ModelCache", lambda share: shares.append(share))
    monkeypatch.setattr(server, "serve", lambda *_: None)
    for slots, devices in ((4, ()), (4, ("0", "1")), (1, ("0", "1"))):
        settings = replace(worker.settings, slots=slots, devices=devices)
        connection, control = socket.socketpair()
        connection.close()
        ours, its = socket.socketpair()
        ours.shutdown(socket.SHUT_WR)  # there is no further client
        server.serve_clients(SimpleNamespace(settings=settings), control, its, 0)
    assert shares == [0.25, 0.5, 1]


def test_nonsense_on_the_socket_harms_nobody(worker: Worker) -> None:
    worker.settings = replace(worker.settings, slots=1)
    process, *_ = worker.where()
    for nonsense in (b"", b"\xff" * 64, b"\0\0\0\2[]", b"\0\0\0\x09not json!"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(Path(worker.settings.folder) / "device"))
            connection.sendall(nonsense)
    assert worker.where()[0] == process


def test_a_folder_that_others_can_enter_is_refused(worker: Worker) -> None:
    folder = Path(worker.settings.folder)
    folder.mkdir(parents=True)
    folder.parent.chmod(0o755)
    status, output, error = worker.run("print:a")
    assert (status, output) == (0, "a\n")
    assert "is not a folder that only this user can enter; running without it" in error
    folder.rmdir()
    folder.parent.rmdir()


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o720, 0o704])
def test_a_folder_is_private_or_refused(runtime: Path, mode: int) -> None:
    folder = runtime / "above" / "worker"
    protocol.enter(folder)
    for path in (folder, folder.parent):
        path.chmod(mode)
        with pytest.raises(WorkerError, match="only this user can enter"):
            protocol.enter(folder)
        path.chmod(0o700)
    protocol.enter(folder)


def test_a_folder_of_another_user_is_refused(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runtime / "above" / "worker"
    protocol.enter(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(WorkerError, match="only this user can enter"):
        protocol.enter(folder)


def test_a_runtime_folder_that_others_can_enter_is_not_used(runtime: Path) -> None:
    assert choose_folder(os.getpid(), "toy").is_relative_to(runtime)
    runtime.chmod(0o755)
    assert not choose_folder(os.getpid(), "toy").is_relative_to(runtime)


def test_an_address_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with pytest.raises(WorkerError, match="too long"):
        choose_folder(os.getpid(), "toy")


# In the workflow ---------------------------------------------------------------------------------


def processes_of(project: Project) -> list[str]:
    """The command lines of the servers whose working directory is the project."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            here = (folder / "cwd").readlink() == project.folder
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if here and "synthsight.worker" in line:
            found.append(line)
    return found


#: Of what is made for each category, model or shard.
ONE_OF_EACH = (
    "images/bagel.parquet",
    "pixels/resize64-bilinear-whole/bagel.arrow",
    "logits/resnet/bagel.parquet",
    "vqa/answers/asked/1.parquet",
    "vqa/asked.parquet",
    "scores/resnet.parquet",
    "tables/label_audit.csv",
    "tables/excluded.csv",
    "tables/accuracy.csv",
    "figures/models_1.pdf",
)


def files_of(project: Project) -> set[Path]:
    """The files of its results but the logs, below their folder."""
    paths = {path.relative_to(project.results) for path in project.results.rglob("*.*")}
    return {path for path in paths if path.parts[0] != "logs"}


@pytest.mark.long
def test_every_file_is_the_same_to_the_last_bit_without_a_worker(
    project: Project, finished: Project
) -> None:
    logs = {path: path.read_text() for path in finished.results.glob("logs/*/**/*.log")}
    assert sum("images/s" in log for log in logs.values()) == 6
    assert [path for path in logs if "worker:" in logs[path]] == [], "every job was served"
    for name in ("models", "tables"):
        assert "programs in" in (finished.results / "logs" / f"worker_{name}.log").read_text()

    project.configure({**project.config, "worker": False})
    assert project.plan() == set(), "a setting of speed"
    # One job of each program is enough, with what follows from it.
    shutil.rmtree(project.results / "logs")
    for path in ONE_OF_EACH:
        (project.results / path).unlink()
    rest = files_of(project)
    project.run(*(f"results/small/{path}" for path in ONE_OF_EACH))
    assert not list((project.results / "logs").glob("worker*"))
    assert {each.parts[0] for each in files_of(project) - rest} == {
        *("images", "pixels", "logits", "scores", "tables", "vqa", "figures"),
    }
    for path in project.results.rglob("*"):
        if path.is_dir() or "logs" in path.parts:
            continue
        same = finished.results / path.relative_to(project.results)
        assert same.read_bytes() == path.read_bytes(), same


@pytest.mark.long
def test_nothing_is_left_of_a_worker_after_a_run_that_failed(
    project: Project, runtime: Path
) -> None:
    weights = project.folder / "resources" / "weights" / "resnet.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    said = project.fail("logits")
    assert "resnet.safetensors is not the file that" in said
    assert "running without" not in said, "an error of the program is the job's own"
    until(lambda: not processes_of(project) and not list(runtime.iterdir()))


@pytest.mark.parametrize("which", ["parent", "folder"])
def test_nothing_is_made_behind_a_link(tmp_path: Path, which: str) -> None:
    """Another user may have put it where the folder belongs."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder = tmp_path / "parent" / "folder"
    if which == "parent":
        folder.parent.symlink_to(elsewhere)
    else:
        folder.parent.mkdir(mode=0o700)
        folder.symlink_to(elsewhere)
    with pytest.raises(WorkerError, match="is not a folder that only this user can enter"):
        protocol.enter(folder)
    assert list(elsewhere.iterdir()) == []
