"""What stands in ``results/`` against what is wanted, by what the files say of themselves.

Snakemake decides reruns by what it remembers in ``.snakemake``. If that is lost, or a file was put
in the place of another, it takes whatever is there. Result files hold their origin (see
:mod:`synthsight.origin`), so that can be told, at every start and cheaply: what a file says is kept
until its size or time changes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.files import Digests, age_of, keep
from synthsight.origin import DEVICE, Mark, Origin, read_origin, short
from synthsight.plan.endpoints import Sending, what_to_send
from synthsight.plan.files import Files
from synthsight.plan.left_out import write_left_out
from synthsight.plan.record import (
    FETCH,
    NAME,
    Record,
    Wanted,
    describe_gone,
    leftovers,
    name_of,
    write_record,
)
from synthsight.plan.targets import prepare_graph
from synthsight.plan.wanted import Code, wanted


class VersionsError(SynthsightError):
    """Results of other versions than are installed, in a run that refuses such a mix."""


@dataclass(frozen=True)
class Standing:
    """What was found.

    Attributes:
        stale: files that were made otherwise than wanted, and how: the names of the settings.
        versions: of each library the versions with which the other files were made, each with the
            number of files; and devices.
        gone: files that are no longer there, although others that are were made from them.
    """

    stale: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    versions: Mapping[str, Counter[str]] = field(default_factory=dict)
    gone: Sequence[str] = ()


def check_results(
    files: Files,
    code: Code,
    kept: Path,
    say: Callable[[str], None],
    done: Callable[[Iterable[str], Iterable[str]], None] = lambda graph, written: None,
) -> list[str]:
    """See that files which were made otherwise than wanted are made again if a target needs them.

    When the run begins, its plan is kept beside its results.

    Args:
        files: of the run.
        code: digests of programs.
        kept: folder of caches.
        say: called with what can be said only when it is known which jobs will run.
        done: called if there is nothing to be done, with all files of the graph and those that the
            start itself wrote.

    Returns:
        What the user should know.

    Raises:
        VersionsError: results were made with other versions, and the configuration refuses that.
    """
    if files.experiment.pending:
        return []
    all_wanted = list(wanted(files, code))
    found = compare(all_wanted, kept / f"results-{files.experiment.settings.run}.json")
    settings = files.experiment.settings
    rule, level = settings.matching.primary, settings.intervals.level
    record = Record(files.run, rule, level, tuple(all_wanted))

    # Pages for raters are made on request alone: one that has been sent stays as it is.
    asked = {path: why for path, why in found.stale.items() if path.startswith(f"{files.rating}/")}
    needed = {path: why for path, why in found.stale.items() if path not in asked}

    sending: list[Sending] = []

    def say_more(made: frozenset[str]) -> None:
        """Only Snakemake knows what will be made, or made again, with all that rests on it."""
        if gone := [path for path in found.gone if path not in made]:
            say(describe_gone(gone))
        if note := describe_stale({path: why for path, why in asked.items() if path in made}):
            say(note)
        sending.extend(what_to_send(files, made))
        for each in sending:
            say(each.note())

    def begin() -> None:
        for each in sending:
            each.check_key()
        write_left_out(files.experiment.left_out, Path(files.run))
        write_record(record, Path(files.run))

    own = [f"{files.run}/{NAME}"]
    prepare_graph(
        *(frozenset(found.stale), files.run, begin, say_more), lambda graph: done(graph, own)
    )
    mixed = describe_versions(found.versions, files.run)
    if mixed is not None and settings.versions == "refuse":
        raise VersionsError(f"{mixed}. They are refused by `versions: refuse`")
    # What there is of a model that is left out belongs to the configuration nevertheless.
    left = [] if files.experiment.left_out else leftovers(all_wanted, files.run)
    notes = (describe_stale(needed), describe_leftovers(left, files.run), mixed)
    return [note for note in notes if note is not None]


def compare(all_wanted: Iterable[Wanted], kept: Path) -> Standing:
    """Compare what files say of themselves with what is wanted.

    Args:
        all_wanted: the files.
        kept: JSON file that caches what files say; it is rewritten if anything is new.
    """
    memory = _Memory(kept)
    sums = Digests(kept.with_name(f"csv-{kept.name}"))
    stale: dict[str, tuple[str, ...]] = {}
    versions: dict[str, Counter[str]] = {}
    chains: dict[str, str] = {}
    inputs: dict[str, tuple[Mapping[str, str], Sequence[str]]] = {}
    planned: dict[str, tuple[Wanted, str]] = {}
    missing: dict[str, str] = {}
    for each in all_wanted:
        for path in each.paths:
            name = name_of(each.program, path)
            planned[name] = (each, path)
            if each.temporary or (found := memory.of(path)) is None:
                missing[name] = path
                continue
            digest, (spec, code, made_with) = found.digest, found.said
            if each.code is None and digest is None:
                continue  # of an earlier version, which did not say
            right = each.origin(path, code, found.inputs)
            if digest != right.digest:
                stale[path] = each.differences(path, spec, code, found.file)
                continue
            chains[name] = right.chain
            if found.beside and (text := _other_csv(path, found.beside, sums)):
                stale[text] = ("edited or exchanged",)
            inputs[path] = (found.inputs, each.inputs_of(path))
            for library, of_library in made_with.items():
                versions.setdefault(library, Counter()).update(of_library)
    origins = _Inputs(planned, missing, chains)
    gone: dict[str, str] = {}
    for path, (recorded, required) in inputs.items():
        others = any(origins.is_other(name, chain) for name, chain in recorded.items())
        if others or not recorded.keys() >= {*required}:
            stale[path] = ("made from other inputs",)
        else:
            gone |= {name: missing[name] for name in recorded if origins.is_unknown(name)}
    memory.save()
    sums.save()
    return Standing(stale, versions, list(gone.values()))


@dataclass(frozen=True)
class _Inputs:
    """What files were made from, as they record it, against what there is.

    What is missing is known nevertheless if its chain follows from the plan.

    Attributes:
        planned: each file by its name, with how it is made.
        missing: the paths of those that are not there, by name.
        chains: of those that are there and as wanted; others are added as they are found out.
    """

    planned: Mapping[str, tuple[Wanted, str]]
    missing: Mapping[str, str]
    chains: dict[str, str]

    def is_other(self, name: str, chain: str) -> bool:
        """Whether a recorded input is not what this run has; an unknown one says nothing."""
        now = self._chain(name)
        if now is None:
            return name not in self.planned
        return not now.startswith(chain)  # a mark holds a beginning

    def is_unknown(self, name: str) -> bool:
        """Whether a file is not there, and the plan alone does not decide its content.

        So it is with weights: what a model's name stands for is found out by fetching it.
        """
        if name not in self.missing or name in self.chains:
            return False
        each, path = self.planned[name]
        return each.program in FETCH or any(map(self.is_unknown, each.inputs_of(path)))

    def _chain(self, name: str) -> str | None:
        """The chain of a file that is there, or of what would be made in its place."""
        if name not in self.chains and name in self.missing:
            each, path = self.planned[name]
            if (chain := each.foreseen(path, self._chain)) is not None:
                self.chains[name] = chain
        return self.chains.get(name)


def _other_csv(path: str, beside: str, sums: Digests) -> str | None:
    """The CSV file beside a table if its bytes are others than the table says."""
    text = str(Path(path).with_suffix(".csv"))
    with suppress(OSError):
        return None if sums.of(text) == beside else text
    return None


#: What many files say alike: spec, code and versions; no spec where a file says nothing.
_Said = tuple[str | None, str, dict[str, list[str]]]


class _Found(NamedTuple):
    """What a file says: the digest of its origin, if any; its place; what many say alike; ..."""

    digest: str | None
    file: str
    said: _Said
    inputs: dict[str, str]
    beside: str


class _Memory:
    """What files say of themselves, kept for the next start.

    Args:
        kept: a JSON file.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._known: dict[str, list[Any]] = {}
        self._said: list[_Said] = []
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            content = json.loads(kept.read_text(encoding="utf-8"))
            said = [(spec, str(code), dict(versions)) for spec, code, versions in content["said"]]
            if all(entry[-1] < len(said) for entry in content["files"].values()):
                self._known, self._said = content["files"], said
        self._numbers = {canonical_json(each): number for number, each in enumerate(self._said)}
        self._seen: dict[str, list[Any]] = {}

    def of(self, path: str) -> _Found | None:
        """What a file says; None if there is no file."""
        try:
            age = age_of(path)
        except OSError:
            return None
        entry = self._known.get(path)
        if entry is None or entry[:-5] != age:
            origin = read_origin(path)
            beside = origin.beside if isinstance(origin, Origin) else ""
            digest, inputs = (origin.digest, dict(origin.inputs)) if origin else (None, {})
            file = "" if origin is None or origin.file == short(path) else origin.file
            entry = [*age, digest, file, inputs, beside, self._number(origin)]
        self._seen[path] = entry
        digest, file, inputs, beside, number = entry[-5:]
        return _Found(digest, file or short(path), self._said[number], inputs, beside)

    def _number(self, origin: Origin | Mark | None) -> int:
        said: _Said = (None, "", {})
        if origin is not None:
            found = origin.versions if isinstance(origin, Origin) else {}
            versions = {name: list(each) for name, each in found.items()}
            said = (origin.spec, origin.code, versions)
        number = self._numbers.setdefault(canonical_json(said), len(self._said))
        if number == len(self._said):
            self._said.append(said)
        return number

    def save(self) -> None:
        """Keep what was asked for, if anything was new."""
        if self._seen != self._known:
            content = {"said": self._said, "files": self._seen}
            keep(self._kept, json.dumps(content, separators=(",", ":")))


# In words ----------------------------------------------------------------------------------------


def describe_stale(stale: Mapping[str, Sequence[str]], most: int = 4) -> str | None:
    """One line about files that will be made again, or None."""
    if not stale:
        return None
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for path, reasons in stale.items():
        groups.setdefault((str(Path(path).parent), tuple(reasons)), []).append(path)
    parts = []
    for (folder, reasons), paths in groups.items():
        where = paths[0] if len(paths) == 1 else f"{len(paths)} files in {folder}"
        parts.append(f"{where} ({', '.join(reasons)})")
    others = f"; and {len(parts) - most} more groups" if len(parts) > most else ""
    return (
        "files whose own record differs from what is wanted are made again: "
        f"{'; '.join(parts[:most])}{others}"
    )


def describe_leftovers(left: Sequence[str], run: str, most: int = 4) -> str | None:
    """One line about result files that the configuration does not have, or None."""
    if not left:
        return None
    more = f" and {len(left) - most} more" if len(left) > most else ""
    one = len(left) == 1
    return (
        f"{run} holds {'a file that does' if one else f'{len(left)} files that do'} not belong to "
        f"the configuration: {', '.join(left[:most])}{more}. {'It is' if one else 'They are'} not "
        "read, and may be removed"
    )


def describe_versions(versions: Mapping[str, Counter[str]], run: str) -> str | None:
    """One line about finished results made with other versions than are installed, or None."""
    mixed = []
    for name, found in sorted(versions.items()):
        now = _installed(name)
        if set(found) - {now} and (name != DEVICE or len(found) > 1):
            each = " and ".join(
                f"{which} ({count} files)" for which, count in sorted(found.items())
            )
            mixed.append(f"{name}: {each}" + (f", installed is {now}" if now else ""))
    if not mixed:
        return None
    return (
        f"finished results in {run} were made with other versions than what is made now: "
        f"{'; '.join(mixed)}. `snakemake --forceall` makes all of them again"
    )


def _installed(name: str) -> str | None:
    try:
        return None if name == DEVICE else version(name)
    except PackageNotFoundError:
        return None
