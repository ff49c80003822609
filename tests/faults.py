"""What goes wrong on real machines, done on purpose: the harness of ``test_faults.py``.

    python -m tests.faults [--rounds 100] [--seed 0] [--fault NAME ...]

Each round takes a small project, deletes some of what it has made, starts the real workflow and
does it one harm at a random moment. Then it looks at what is there, runs the plain command again,
and compares every file with those of a project that was left in peace. Everything about a round
follows from its seed, but for the timing of the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from synthsight.files import sha256_of
from tests.support import Project, run_small_project

#: Asked of every run: all that is compared, and one of the figures.
TARGETS = (
    *("logits", "answers", "tables"),
    *("results/small/report.html", "results/small/figures/overview.pdf"),
)

#: The files that these stand for.
ASKED = r"/(logits|answers)/.*\.parquet$|/tables/\w+\.csv$|/report\.html$|/overview\.pdf$"

#: Seconds that what a killed run has started gets to end.
PATIENCE = 15


class BrokenPromiseError(AssertionError):
    """What must not be after a fault; the message says what and after which fault."""


# A project, and what is left of it ---------------------------------------------------------------


def digests(project: Project) -> dict[str, str]:
    """The sha256 of everything that the workflow has made, by path; its logs aside.

    The page states the date of the newest scores, so it is told by its length alone.
    """
    found = {}
    for folder in ("results", "resources/weights"):
        for path in (project.folder / folder).rglob("*"):
            if path.is_file() and "logs" not in path.parts and not is_temporary(path):
                same = str(path.stat().st_size) if path.suffix == ".html" else sha256_of(path)
                found[str(path.relative_to(project.folder))] = same
    return found


def is_temporary(path: Path) -> bool:
    """Whether a file, or the folder that it is in, has a name that is not yet final."""
    return any(re.match(r"\.\d+\.", part) for part in path.parts)


def leftovers(project: Project) -> list[str]:
    """Files under temporary names."""
    return [
        str(path)
        for folder in ("results", "resources/weights")
        for path in (project.folder / folder).rglob(".[0-9]*")
        if is_temporary(Path(path.name))
    ]


def processes(project: Project) -> dict[int, str]:
    """Process numbers and command lines of all that runs in a project's folder."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cwd").readlink() == project.folder:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if line:  # none: it has ended
                    found[int(folder.name)] = line
    return found


def delete_some(project: Project, rng: random.Random) -> None:
    """Delete a random part of the results, from nothing to everything."""
    share = rng.choice((0.3, 0.7, 1.0))
    for path in sorted((project.folder / "results").rglob("*")):
        if path.is_file() and rng.random() < share:
            path.unlink()
    if share == 1:
        shutil.rmtree(project.folder / "resources" / "weights")


def start(project: Project, said: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start the workflow in a process group of its own."""
    with open(said, "wb") as handle:
        return subprocess.Popen(
            [Path(sys.executable).with_name("snakemake"), "--cores", "2", *TARGETS],
            cwd=project.folder,
            env={**os.environ, "PYTHONPATH": str(project.folder / "src"), **environment},
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            # A shell's background jobs ignore it, and what they start does, too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


# The faults --------------------------------------------------------------------------------------
# Each takes the project, the running workflow and a random generator, and does its harm once. It
# may be too late: a run that ends before is a run that succeeds.


def wait(run: subprocess.Popen[bytes], seconds: float) -> None:
    """Let some time pass, or less if the run ends."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(seconds)


def hit(project: Project, run: subprocess.Popen[bytes], rng: random.Random, pattern: str) -> None:
    """Kill a process of the run whose command line fits, as soon as there is one."""
    wait(run, rng.uniform(0, 6))
    while run.poll() is None:
        fitting = [
            number for number, line in processes(project).items() if re.search(pattern, line)
        ]
        if fitting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(fitting), signal.SIGKILL)
            return
        time.sleep(0.01)


def terminate(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """TERM to Snakemake, as a batch system or a shutdown sends it."""
    wait(run, rng.uniform(0.2, 8))
    run.terminate()


def kill(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """KILL to Snakemake, which can do nothing about it."""
    wait(run, rng.uniform(0.2, 8))
    run.kill()


def interrupt(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """Ctrl-C at a terminal: INT to all that it has started, but for the worker."""
    wait(run, rng.uniform(0.2, 8))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGINT)


def kill_job(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """KILL to a job that classifies or asks, as the system does when memory runs out."""
    # Not the shells above them, whose environment names all programs.
    hit(project, run, rng, r"^\S*python\S* .*\b(classify|ask)\.py --(pixels|shard) ")


def kill_any_job(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """KILL to whatever job is at hand."""
    hit(project, run, rng, r"with_worker\.py")


def kill_worker(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """KILL to a worker: a server, or one of its forks."""
    hit(project, run, rng, r"synthsight\.worker\.server")


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of some bytes over a folder, which keeps what it holds."""
    with tempfile.TemporaryDirectory() as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True, symlinks=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        try:
            shutil.copytree(aside, folder, dirs_exist_ok=True, symlinks=True)
            yield
            shutil.rmtree(aside)
            shutil.copytree(folder, aside, symlinks=True)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
            shutil.rmtree(folder)
            shutil.copytree(aside, folder, symlinks=True)


#: What takes all the space.
FILLING = "results/other people's files"


def fill_disk(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """No space left on the device of the results, at some moment of the run."""
    wait(run, rng.uniform(0.2, 8))
    with (
        contextlib.suppress(OSError),
        open(project.folder / FILLING, "wb", buffering=0) as handle,
    ):
        while run.poll() is None:
            handle.write(bytes(1 << 16))
    wait(run, rng.uniform(0, 10))


def refuse_to_write(project: Project, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """A file system that turns read-only, as one with a fault does."""
    wait(run, rng.uniform(0.2, 8))
    while run.poll() is None:
        # Refused as long as a file is open for writing.
        turn = ["mount", "-o", "remount,ro", str(project.folder / "results")]
        if subprocess.run(turn, capture_output=True).returncode == 0:
            return
        time.sleep(0.002)


FAULTS: dict[str, Callable[[Project, subprocess.Popen[bytes], random.Random], None]] = {
    "terminate": terminate,
    "kill": kill,
    "interrupt": interrupt,
    "kill_job": kill_job,
    "kill_any_job": kill_any_job,
    "kill_worker": kill_worker,
    "fill_disk": fill_disk,
    "refuse_to_write": refuse_to_write,
}

#: Those that need a file system of their own.
ON_A_DISK = ("fill_disk", "refuse_to_write")


def can_mount() -> bool:
    """Whether this user may mount a file system."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True)
        return not (mounted.returncode or subprocess.run(["umount", folder]).returncode)


# A round -----------------------------------------------------------------------------------------


def run_round(undisturbed: Project, folder: Path, fault: str, seed: int) -> str:
    """One fault, and what comes after it.

    Args:
        undisturbed: a finished project, of which the round takes a copy.
        folder: where to put the copy; it is removed afterwards.
        fault: one of :data:`FAULTS`.
        seed: of all that is random.

    Returns:
        How the disturbed run ended: ``succeeded``, ``failed`` or ``was killed``.

    Raises:
        BrokenPromiseError: something is not as it must be.
    """
    rng = random.Random(f"{fault} {seed}")
    expected = digests(undisturbed)
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    project = Project(folder)
    if rng.random() < 0.25:
        project.configure({**project.config, "worker": False})
    delete_some(project, rng)
    with contextlib.ExitStack() as stack:
        if fault in ON_A_DISK:
            stack.enter_context(small_disk(folder / "results", 64 * 2**20))
        ended = disturb(project, fault, rng)

        def check(fine: bool, what: object) -> None:
            if not fine:
                said = (folder / "said").read_text(errors="replace")[-4000:]
                raise BrokenPromiseError(f"{fault}, seed {seed}, {ended}: {what}\n{said}")

        until = time.monotonic() + PATIENCE
        while processes(project) and time.monotonic() < until:
            time.sleep(0.05)
        check(not processes(project), f"still running: {processes(project)}")
        runtime = Path(os.environ["XDG_RUNTIME_DIR"]) / "synthsight"
        check(not runtime.exists(), f"left behind: {[*runtime.rglob('*')]}")
        (folder / FILLING).unlink(missing_ok=True)
        for path, digest in digests(project).items():
            check(expected.get(path) == digest, f"{path} is not as it should be")

        completed = plain_run(project)
        check(completed.returncode == 0, completed.stdout + completed.stderr)
        found = digests(project)
        # What lies on the way is not made again where nothing asks for it.
        asked = {path for path in expected if re.search(ASKED, path)}
        check(found.items() <= expected.items(), sorted(found.items() - expected.items()))
        check(asked <= found.keys(), f"missing: {sorted(asked - found.keys())}")
        check(not leftovers(project), f"under temporary names: {leftovers(project)}")
        plan = project.snakemake("--dry-run", *TARGETS)
        check("Nothing to be done" in plan.stdout + plan.stderr, plan.stdout)
    shutil.rmtree(folder)
    return ended


def disturb(project: Project, fault: str, rng: random.Random) -> str:
    """Run the workflow and do it harm; how it ended."""
    run = start(project, project.folder / "said")
    try:
        FAULTS[fault](project, run, rng)
        run.wait(300)
    except subprocess.TimeoutExpired:
        raise BrokenPromiseError(f"{fault}: no end in sight: {processes(project)}") from None
    finally:
        if run.poll() is None:
            run.kill()
        if fault == "refuse_to_write":
            turn = ["mount", "-o", "remount,rw", str(project.folder / "results")]
            subprocess.run(turn, check=True)
    if run.returncode < 0:
        return "was killed"
    return "failed" if run.returncode else "succeeded"


def plain_run(project: Project) -> subprocess.CompletedProcess[str]:
    """The same command once more; unlocked first if, and only if, it says so."""
    completed = project.snakemake("--cores", "2", *TARGETS)
    if completed.returncode and "--unlock" in completed.stdout + completed.stderr:
        unlocked = project.snakemake("--unlock")
        if unlocked.returncode:
            return unlocked
        completed = project.snakemake("--cores", "2", *TARGETS)
    return completed


def leave_in_peace(project: Project) -> Project:
    """What the rounds are compared with: a finished project with no more than is asked of them."""
    for path in project.results.glob("figures/*"):
        if path.stem != "overview":
            path.unlink()
    logits = list(project.results.glob("logits/*/*.parquet"))
    assert sum(pq.read_metadata(path).num_rows for path in logits) == 24
    return project


def main() -> None:
    """Run many rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    parser.add_argument("--fault", nargs="+", choices=FAULTS, default=list(FAULTS))
    args = parser.parse_args()
    if not can_mount():
        print(f"without {' and '.join(ON_A_DISK)}: this user may not mount a file system")
        args.fault = [fault for fault in args.fault if fault not in ON_A_DISK]
    ends: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        runtime = Path(name) / "runtime"
        runtime.mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        (Path(name) / "undisturbed").mkdir()
        undisturbed = leave_in_peace(run_small_project(Path(name) / "undisturbed"))
        for seed in range(args.seed, args.seed + args.rounds):
            fault = args.fault[seed % len(args.fault)]
            began = time.monotonic()
            ended = run_round(undisturbed, Path(name) / f"round{seed}", fault, seed)
            ends[fault, ended] += 1
            print(f"{seed:5} {fault:16} {ended:11} {time.monotonic() - began:5.1f} s", flush=True)
    print(f"{sum(ends.values())} rounds survived")
    for (fault, ended), count in sorted(ends.items()):
        print(f"{fault:16} {ended:11} {count:5}")


if __name__ == "__main__":
    main()
