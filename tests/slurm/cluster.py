"""A Slurm cluster on this machine, for tests; ``tests/slurm/cluster.sh`` makes it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "tests" / "slurm" / "cluster.sh"

#: Snakemake's plugins. They are not in the environment of all other tests, since that for Slurm
#: imports pandas at every start of Snakemake.
PLUGIN = REPOSITORY / ".venv" / "slurm"

#: Its ``sitecustomize`` lets programs stop in mid-work.
HOLDING = REPOSITORY / "tests" / "slurm" / "holding"

#: What this cluster needs beside the profile: it has no database of accounts, and jobs are short.
OPTIONS = (
    *("--slurm-no-account", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "1"),
)


def missing() -> str | None:
    """What is not here that a cluster needs; None if nothing is."""
    programs = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scontrol")
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    absent = [program for program in programs if shutil.which(program, path=path) is None]
    if absent:
        return f"no {', '.join(absent)}: run tests/slurm/install.sh"
    if not has_plugin():
        return f"no {PLUGIN}: run tests/slurm/install.sh"
    if os.geteuid() != 0:
        return "slurmd must be started by root"
    return None


def has_plugin() -> bool:
    """Whether the plugin is here, with which at least a plan can be made."""
    return (PLUGIN / "snakemake_executor_plugin_slurm").is_dir()


def snakemake(
    folder: Path,
    *arguments: str,
    path: str = os.environ["PATH"],
    environment: Mapping[str, str] | None = None,
    profile: str = "slurm",
) -> subprocess.CompletedProcess[str]:
    """Run a workflow with the profile for Slurm, or another one that submits.

    Args:
        folder: that it is in.
        arguments: for the command.
        path: of programs.
        environment: more variables.
        profile: the profile's name.
    """
    packages = f"{folder / 'src'}:{PLUGIN}:{HOLDING}"
    return subprocess.run(
        [
            Path(sys.executable).with_name("snakemake"),
            *("--workflow-profile", f"profiles/{profile}"),
            "--quiet=host",  # what the profile keeps from the screen is looked at
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": packages, **(environment or {})},
        capture_output=True,
        text=True,
    )


@dataclass(frozen=True)
class Submission:
    """A job that was submitted.

    Attributes:
        number: by which Slurm calls it.
        state: as Slurm calls it.
        node: where it runs or ran last; empty if it waits.
        restarts: how many times Slurm put it back into the queue.
        start: when it began.
        end: when it ended.
        memory: what it asked for, in MB.
        minutes: its limit.
        cores: its cores.
        gpus: how many it asked for.
        script: what it ran.
        devices: for the submission itself and for each of its steps what its processes saw as
            ``CUDA_VISIBLE_DEVICES``.
    """

    number: str
    state: str
    node: str
    restarts: int
    start: datetime
    end: datetime
    memory: int
    minutes: int
    cores: int
    gpus: int
    script: str
    devices: tuple[str, ...]

    @property
    def jobs(self) -> list[str]:
        """The workflow's jobs in it, as ``rule:wildcard=value,...``."""
        targets = self.script.partition("--target-jobs ")[2].partition(" --")[0]
        return sorted(target.strip("'") for target in targets.split())

    @property
    def rules(self) -> set[str]:
        """The rules of its jobs."""
        return {job.partition(":")[0] for job in self.jobs}


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that uses it."""
        return {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def submit(
        self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the workflow in a folder on this cluster, with more environment variables."""
        path = self.environment["PATH"]
        return snakemake(folder, *OPTIONS, *arguments, path=path, environment=environment)

    def drain(self, node: str) -> None:
        """Let a node finish what it has, and give it no more."""
        self._ask("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")

    def kill(self, node: str) -> None:
        """Let a node die, with all that runs on it."""
        subprocess.run([SCRIPT, "kill", self.folder, node], check=True)

    def start_now(self, number: str) -> None:
        """Spare a job that was put back into the queue the two minutes for which Slurm holds it."""
        self._ask("scontrol", "update", f"JobId={number}", "StartTime=now")

    def node_states(self) -> dict[str, str]:
        """What Slurm says of each node, as ``IDLE+DRAIN``."""
        nodes = self._ask("scontrol", "show", "nodes", "--oneliner")
        return dict(re.findall(r"NodeName=(\S+).* State=(\S+)", nodes))

    def submissions(self) -> list[Submission]:
        """All jobs so far, in the order of their submission."""
        seen: dict[str, list[str]] = {}
        devices = self.folder / "devices"
        for line in devices.read_text(encoding="utf-8").splitlines() if devices.exists() else ():
            seen.setdefault(line.split(" ")[0], []).append(line.rpartition(" ")[2])
        found = []
        for line in self._ask("scontrol", "show", "jobs", "--oneliner").splitlines():
            fields = dict(re.findall(r"(\S+?)=(\S*)", line))
            if "JobId" not in fields:
                continue  # there were none
            hours, minutes, _ = fields["TimeLimit"].split(":")
            gpus = re.search(r"gres:gpu:(\d+)", fields.get("TresPerJob", ""))
            found.append(
                Submission(
                    number=fields["JobId"],
                    state=fields["JobState"],
                    node=fields.get("BatchHost", ""),
                    restarts=int(fields["Restarts"]),
                    start=datetime.fromisoformat(fields["StartTime"]),
                    end=datetime.fromisoformat(fields["EndTime"]),
                    memory=int(fields["MinMemoryNode"].removesuffix("M")),
                    minutes=int(hours) * 60 + int(minutes),
                    cores=int(fields["NumCPUs"]),
                    gpus=int(gpus[1]) if gpus else 0,
                    script=self._ask("scontrol", "write", "batch_script", fields["JobId"], "-"),
                    devices=tuple(seen.get(fields["JobId"], ())),
                )
            )
        return found

    def _ask(self, *command: str) -> str:
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout


def wait_for(what: str, done: Callable[[], bool], patience: float = 900) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it did not within ``patience`` seconds.
    """
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"in vain for {patience:g} s: {what}")
        time.sleep(0.2)


@contextmanager
def running(nodes: int = 1) -> Iterator[Cluster]:
    """A cluster, from its start to its end: a node with two GPUs, or several with one each."""
    # Not in pytest's folder: the address of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        cluster = Cluster(Path(folder) / "cluster")
        try:
            subprocess.run([SCRIPT, "start", cluster.folder, str(nodes)], check=True)
            yield cluster
        finally:
            subprocess.run([SCRIPT, "stop", cluster.folder], check=True)
