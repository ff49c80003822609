"""A start that finds everything as an earlier one left it that had nothing to do.

To find out that there is nothing to be done, a start reads the configuration, lists all images,
compares all results and lets Snakemake make its graph: a millisecond and more for each job. So one
that had nothing to do keeps a digest of all that it looked at, and what it said. The next start by
the same command that finds the same there ends at once. Whatever differs, in however small a way,
leads to the whole plan.

What a start looks at is taken down while it does so, by what it asks of the system, so that nobody
has to think of it when a plan comes to depend on one more file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthsight.files import keep
from synthsight.plan.others import at_work
from synthsight.plan.restart import can_begin_anew

#: What such a start says.
UNCHANGED = "Nothing to be done (everything is as an earlier start by this command found it)."

#: Options of Snakemake's that a start may have been given: all that decide neither what is to be
#: made nor what a command does besides, or whose value is compared with the earlier one's.
_PLAIN = {
    *("--cores", "-c", "--jobs", "-j", "--resources", "--res", "--configfile", "--configfiles"),
    *("--config", "-C", "--snakefile", "-s", "--directory", "-d", "--keep-going", "-k", "--quiet"),
    *("-q", "--printshellcmds", "-p", "--rerun-incomplete", "--ri", "--nolock", "--latency-wait"),
    *(
        "-w",
        "--show-failed-logs",
        "--nocolor",
        "--scheduler",
        "--executor",
        "-e",
        "--retries",
        "-T",
    ),
    *("--workflow-profile", "--default-resources", "--set-resources", "--set-threads"),
    *("--groups", "--group-components", "--rerun-triggers"),
}

#: Of what Snakemake made of the command and of profiles what there is before it makes a graph.
_SETTINGS = ("config", "storage", "deployment", "workflow", "output")

#: Variables of the environment that may decide what a start finds; Python's own are in its paths.
_VARIABLES = re.compile("(SNAKEMAKE|SYNTHSIGHT|HF|TRANSFORMERS|TORCH)_")

#: Parts of the clone that a plan is made by: folders and files.
_CODE = ("src", "rules", "workflow", "profiles")
_ALONE = ("Snakefile", "pyproject.toml")

#: A change is told by a file's time only if the file is older than this when it is looked at.
_OLDER = 2_000_000_000

#: Of that many files of one folder all are looked at, so that they need no list.
_MANY = 64

#: How many commands are remembered.
_COMMANDS = 8

#: Where programs and the system keep what no plan depends on.
_NOWHERE = ("/proc/", "/sys/", "/dev/", ".snakemake/", f"{os.getcwd()}/.snakemake/")


@dataclass
class Look:
    """What a start looks at.

    Attributes:
        clone: folder of the Snakefile.
        kept: folder of caches.
        command: what makes two starts the same: command, settings, environment.
        ordinary: whether the command does nothing but make files.
        places: folders whose own time counts: of installed packages, and of Snakemake's marks of
            files that were not finished.
        files: names of the files that were looked at, by folder.
        folders: those that were listed: of these, each file counts.
        said: notes for the user.
    """

    clone: Path
    kept: Path
    command: str
    ordinary: bool
    places: tuple[str, ...]
    files: dict[str, set[str]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    _began: int = field(default_factory=time.time_ns)
    _on: bool = False
    _hooked: bool = False

    @classmethod
    def of(cls, workflow: Any, clone: Path, kept: Path) -> Look:
        """The look of a start that begins now.

        Args:
            workflow: Snakemake's, with what it made of the command and of profiles.
            clone: folder of the Snakefile.
            kept: folder of caches.
        """
        settings = [getattr(workflow, f"{name}_settings") for name in _SETTINGS]
        names = [name for name in os.environ if _VARIABLES.match(name)]
        about = [
            *(sys.argv[1:], os.getcwd(), str(clone), sys.executable, sys.version, sys.path),
            *({name: os.environ[name] for name in names}, *map(_plainly, settings)),
        ]
        text = json.dumps(about, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        places = (*sys.path, ".snakemake/incomplete")
        ordinary = workflow.is_main_process and can_begin_anew() and _is_plain()
        return cls(clone, kept, digest, ordinary, places)

    def unchanged(self) -> list[str] | None:
        """What the earlier start said, if this one would find the same; else None."""
        if not self.ordinary or at_work(self.kept, sys.argv):
            return None
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            known = json.loads(self._seal.read_text(encoding="utf-8"))
            files = {folder: set(names) for folder, names in known["files"].items()}
            said = list(map(str, known["said"]))
            if _digest(files, known["folders"], self.places)[0] == known["digest"]:
                return said
        return None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take down what is asked of the system meanwhile."""
        if not self.ordinary:
            yield
            return
        if not self._hooked:  # it cannot be taken away again
            self._hooked = True
            sys.addaudithook(self._hear)
        plain = os.stat, os.lstat
        self._on = True
        os.stat, os.lstat = (self._noting(function) for function in plain)
        try:
            yield
        finally:
            os.stat, os.lstat = plain
            self._on = False

    def note(self, text: str) -> str:
        """Remember a note for the user, and return it."""
        self.said.append(text)
        return text

    def seal(self, graph: Iterable[str], written: Iterable[str]) -> None:
        """Keep what was looked at, after a start that had nothing to do.

        Nothing is kept as long as a file is so new that a change while it was read could not be
        told.

        Args:
            graph: all files that jobs have as inputs and outputs.
            written: files that this start itself has written.
        """
        if not self.ordinary:
            return
        for path in (*graph, *(str(self.clone / name) for name in _ALONE)):
            self._see(path)
        self.folders |= {*self._code(), *_profiles()}
        self.folders |= {place for place, _, _ in os.walk(".snakemake/metadata")}
        self.folders |= {each for each, names in self.files.items() if len(names) > _MANY}
        self.files = {each: self.files[each] for each in self.files.keys() - self.folders}
        _, newest = _digest(self.files, self.folders, self.places, {*written})
        if newest >= self._began - _OLDER:
            return
        for path in written:
            self._see(path)
        digest, _ = _digest(self.files, self.folders, self.places)
        content = {
            "digest": digest,
            "said": self.said,
            "folders": sorted(self.folders),
            "files": {folder: sorted(names) for folder, names in sorted(self.files.items())},
        }
        keep(self._seal, json.dumps(content, separators=(",", ":")))
        self._forget()

    @property
    def _seal(self) -> Path:
        return self.kept / "unchanged" / f"{self.command[:24]}.json"

    def _forget(self) -> None:
        """Remove what is kept of the commands that were longest not used."""
        with suppress(OSError):
            known = sorted(self._seal.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in known[:-_COMMANDS]:
                path.unlink()

    def _code(self) -> Iterator[str]:
        """The folders of the clone that a plan is made by."""
        for part in _CODE:
            for place, folders, _ in os.walk(self.clone / part):
                folders[:] = [each for each in folders if each != "__pycache__"]
                yield place

    def _see(self, path: str) -> None:
        if not path.startswith(_NOWHERE) and not path.startswith(_INSTALLED):
            folder, name = os.path.split(path)
            if "__pycache__" not in folder:
                self.files.setdefault(folder, set()).add(name)

    def _noting(self, function: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def noting(path: Any, *args: Any, **named: Any) -> os.stat_result:
            if not isinstance(path, int) and named.get("dir_fd") is None:
                self._see(os.fsdecode(path))
            return function(path, *args, **named)

        return noting

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if not self._on or event not in ("open", "os.scandir", "os.listdir"):
            return
        path = given[0]
        if isinstance(path, int):
            if event == "open":
                return  # it was opened before
            path = os.readlink(f"/proc/self/fd/{path}")
        path = os.fsdecode("." if path is None else path)
        if event != "open":
            if not path.startswith((*_NOWHERE, *_INSTALLED)):
                self.folders.add(path)
        elif not (given[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            self._see(path)


def _is_plain() -> bool:
    """Whether a command has options of :data:`_PLAIN` alone."""
    options = [each.partition("=")[0] for each in sys.argv[1:] if each.startswith("-")]
    return all(each in _PLAIN or re.fullmatch("-[cj][0-9]+|-[0-9]+", each) for each in options)


def _plainly(value: Any) -> Any:
    """A setting of Snakemake's in a form that is the same in each process."""
    if isinstance(value, dict):
        return {str(key): _plainly(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(_plainly, value))
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if hasattr(value, "__dict__") and type(value).__module__.startswith("snakemake"):
        return _plainly({key: each for key, each in vars(value).items() if key[:1] != "_"})
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _installed() -> tuple[str, ...]:
    """Where installed packages are, which do not change one by one."""
    known = sysconfig.get_paths()
    found = {known[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found |= {each for each in sys.path if each.endswith(("site-packages", "dist-packages"))}
    return tuple(f"{each}/" for each in sorted(found))


_INSTALLED = _installed()


def _profiles() -> list[str]:
    """Folders of Snakemake's profiles, named by the command or found by Snakemake."""
    found = [each for each in sys.argv[1:] if os.path.isdir(each)]
    return [*found, os.path.expanduser("~/.config/snakemake/default"), "/etc/xdg/snakemake/default"]


def _digest(
    files: dict[str, set[str]],
    folders: Iterable[str],
    places: Iterable[str],
    apart: Iterable[str] = (),
) -> tuple[str, int]:
    """What there is now, and when the newest of it was last changed, in nanoseconds.

    Args:
        files: names by folder.
        folders: those of which all files count.
        places: folders of which the time of their own counts, whatever it is.
        apart: files that are left out.
    """
    found = hashlib.sha256()
    newest = 0
    apart = set(apart)

    def add(path: str, status: os.stat_result | None) -> None:
        nonlocal newest
        if path in apart:
            return
        age = None
        if status is not None and stat.S_ISDIR(status.st_mode):
            age = "folder"
        elif status is not None:
            age = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
            newest = max(newest, status.st_ctime_ns)
        found.update(os.fsencode(f"{path}\0{age}\n"))

    for place in places:
        with suppress(OSError):
            found.update(os.fsencode(f"{place}\0{os.stat(place or '.').st_mtime_ns}\n"))
    for folder in sorted(folders):
        try:
            with os.scandir(folder or ".") as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            add(folder, None)
            continue
        for entry in entries:
            if entry.name != "__pycache__":
                add(f"{folder}/{entry.name}", _stat(entry.stat))
    for folder, names in sorted(files.items()):
        for name in sorted(names):
            path = os.path.join(folder, name)
            add(path, _stat(lambda path=path: os.stat(path)))  # type: ignore[misc]
    return found.hexdigest(), newest


def _stat(ask: Callable[[], os.stat_result]) -> os.stat_result | None:
    try:
        return ask()
    except (OSError, ValueError):
        return None
