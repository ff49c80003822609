"""What benchmarks share: a run of the workflow, and what each rule of it took.

The workers' processes outlive the jobs that start them and belong to no job, so neither the
time of Snakemake's children nor Snakemake's `benchmark:` tells what a rule took. Here they are
adopted by the benchmark (Linux), whose own children then are all processes of a run; and these are
looked at several times a second. What a process did since the last look counts for the rule whose
log its output goes to at that time: a worker's process has the output of the job that it serves.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]

#: Of prctl(2): orphans below this process become its children.
_PR_SET_CHILD_SUBREAPER = 36

#: Seconds between two looks.
_BEAT = 0.2

#: What is neither a job nor Snakemake: jobs too short for a look, and the rest of others.
SHORT = "(too short to be seen)"
SNAKEMAKE = "(Snakemake)"
WORKERS = "(imports of the workers)"


@dataclass
class Took:
    """What a rule took, all its jobs together.

    Attributes:
        processor: seconds of the processor.
        clock: seconds in which at least one of its jobs was seen.
        memory: the most resident memory of one of its jobs with its helpers, in bytes, pages that
            it shares with others included.
    """

    processor: float = 0.0
    clock: float = 0.0
    memory: int = 0


@dataclass
class Run:
    """What a run took.

    Attributes:
        clock: seconds.
        processor: seconds of the processor, of all its processes.
        memory: the most proportional memory of all its processes at a time, in bytes: pages that
            are shared by several count once. It is looked at every second.
        jobs: their number.
        rules: what each rule took.
        said: what stood on the terminal.
    """

    clock: float
    processor: float
    memory: int
    jobs: int
    rules: dict[str, Took]
    said: str


def snakemake(folder: Path, *arguments: str) -> Run:
    """Run Snakemake in a project, on all cores, and watch its processes; it must succeed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    command = [Path(sys.executable).with_name("snakemake"), "--cores", "all", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    others = {child.pid for child in psutil.Process().children()}
    before, begin = os.times(), time.monotonic()
    with open(folder / "said", "w", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        with _Watch(process.pid) as watch:
            process.wait()
            clock = time.monotonic() - begin
            # Workers, which end with Snakemake, and then their forks.
            while left := {child.pid for child in psutil.Process().children()} - others:
                for child in left:
                    with suppress(ChildProcessError):
                        os.waitpid(child, 0)
    after = os.times()
    text = (folder / "said").read_text(encoding="utf-8")
    if process.returncode:
        sys.exit(text)
    processor = sum(after[2:4]) - sum(before[2:4])
    seen = sum(took.processor for took in watch.rules.values())
    watch.rules[SHORT] = Took(processor - seen)
    jobs = re.search(r"\ntotal +(\d+)", text) or re.search(r"(\d+) of \d+ steps \(100%\)", text)
    return Run(
        *(clock, processor, watch.memory, int(jobs[1]) if jobs else 0),
        *(dict(watch.rules), text),
    )


@dataclass
class _Watch:
    """A thread that looks at all processes below this one."""

    main: int
    rules: dict[str, Took] = field(default_factory=lambda: defaultdict(Took))
    memory: int = 0

    def __enter__(self) -> _Watch:
        self._used: dict[tuple[int, float], float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look_on(self) -> None:
        myself, looks, last = psutil.Process(), 0, time.monotonic()
        while not self._end.wait(_BEAT):
            now = time.monotonic()
            processes = myself.children(recursive=True)
            self._look(processes, now - last)
            if looks % 5 == 0:
                self.memory = max(self.memory, sum(map(_proportional, processes)))
            looks, last = looks + 1, now

    def _look(self, processes: list[psutil.Process], since: float) -> None:
        """Add what processes did since the last look to what they work for."""
        outputs, piped = {}, {}
        for process in processes:
            with suppress(psutil.Error, OSError):
                outputs[process.pid] = output = os.readlink(f"/proc/{process.pid}/fd/1")
                words = process.cmdline() if output.startswith("pipe:") else []
                if any(word.endswith("with_worker.py") for word in words):
                    piped[output] = next(w for w in words if re.fullmatch(r"(?!with_)\w+\.py", w))
        resident: dict[tuple[str, str], int] = defaultdict(int)
        for process in processes:
            with suppress(psutil.Error):
                output = outputs.get(process.pid, "")
                rule = SNAKEMAKE if process.pid == self.main else _rule(output, piped)
                times, key = process.cpu_times(), (process.pid, process.create_time())
                used = times.user + times.system
                if rule is not None:
                    self.rules[rule].processor += used - self._used.get(key, 0.0)
                    resident[rule, output] += process.memory_info().rss
                    self._used[key] = used
        for rule in {rule for rule, _ in resident}:
            self.rules[rule].clock += since
        for (rule, _), size in resident.items():
            self.rules[rule].memory = max(self.rules[rule].memory, size)


def _rule(output: str, piped: dict[str, str]) -> str | None:
    """The rule of a job, by where its output goes: its log, or what a program of it shares."""
    found = re.search(r"/results/[^/]+/logs/([^/]+)", output)
    if found:
        name = found[1].removesuffix(".log")
        return WORKERS if name.startswith("worker_") else name
    return piped[output].removesuffix(".py") if output in piped else None


def _proportional(process: psutil.Process) -> int:
    """A process's memory in bytes, with its share of the pages that several have."""
    with suppress(psutil.Error, OSError):
        return int(process.memory_full_info().pss)
    return 0
