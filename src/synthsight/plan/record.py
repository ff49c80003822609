"""What a run consists of: its files, and how each of them is to be made.

A start compares the files with it (:mod:`synthsight.plan.standing`). It is kept in the folder of
the run's results, where whoever reads these finds out which of them are of the run's last plan:
nothing there is ever deleted, and a run may be stopped half-way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.canonical import canonical_json
from synthsight.files import MAKE_AGAIN, FileError, atomic, read_json
from synthsight.origin import Origin, short

#: The record's name in the folder of a run's results.
NAME = "plan.json"

#: Stands for a file's own name, without its extension, in the names of its inputs. No name has it.
OWN = "\0"

#: Programs whose outputs all runs share.
FETCH = ("fetch_weights", "fetch_vqa")

#: Programs that note where models come from that have no weights of their own among the fetched
#: ones, and answers and predictions that no job of the run made.
NOTING = (
    *("import_predictions", "import_answers", "describe_endpoint"),
    *("fit_linear", "join_folds"),
)

#: Folder of a run's files that are made on request alone: pages for raters.
ON_REQUEST = "rating"

#: Folder below a run's of what endpoints have answered. It is nobody's result and is read whatever
#: the configuration is, since it cannot be had again.
JOURNALS = "vqa/journal"

#: Folders below a run's in which people look for results.
_PARTS = (
    *("tables", "figures", "scores", "logits", "features", "predictions", "images", "vqa"),
    *("people", "heads", "distances", "maps", "adapted", "export"),
    *("parts/images", "parts/logits", "parts/features"),
)

#: Files right in a run's folder that not every configuration has; a folder goes with the name.
_ALONE = ("split.parquet",)


@dataclass(frozen=True)
class Wanted:
    """Files that one program makes with the same settings.

    Attributes:
        program: its name.
        spec: canonical JSON of the settings.
        code: digest of its code; None if a file is good whatever code made it.
        paths: the files.
        inputs: what each file is made from, as :func:`name_of` names it, with :data:`OWN`; none for
            figures and the page, which nothing is made from.
        temporary: whether they are not kept, so that only what others say of them counts.
    """

    program: str
    spec: str
    code: str | None
    paths: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    temporary: bool = False

    def inputs_of(self, path: str) -> list[str]:
        """The names of what one of the files is made from."""
        own = path.rpartition("/")[2].rpartition(".")[0]
        return [name.replace(OWN, own) for name in self.inputs]

    def origin(self, path: str, code: str, inputs: Mapping[str, str]) -> Origin:
        """What one of the files should say of itself.

        Args:
            path: the file.
            code: digest of the code that made it, for files that are good whatever it is.
            inputs: the chains of its inputs.
        """
        return Origin(self.program, self.spec, self.code or code, {}, short(path), inputs)

    def foreseen(self, path: str, chain_of: Callable[[str], str | None]) -> str | None:
        """The chain of what would be made in a file's place, if the plan decides that.

        It does not decide what weights are: what a model's name stands for is found out by fetching
        it.

        Args:
            path: the file.
            chain_of: the chain of an input by its name; None if it cannot be told.
        """
        known: dict[str, str] = {}
        for name in self.inputs_of(path):
            if (chain := chain_of(name)) is None:
                return None
            known[name] = chain
        return None if self.code is None else self.origin(path, "", known).chain

    def differences(self, path: str, spec: str | None, code: str, file: str) -> tuple[str, ...]:
        """In which settings a file differs from what is wanted, in words.

        Args:
            path: the file.
            spec: what it says of its settings, or None if it says nothing.
            code: of its code.
            file: of its place.
        """
        if spec is None:
            return ("of unknown making",)
        if file != short(path):
            return ("made for another place",)
        found, right = _flat(json.loads(spec)), _flat(json.loads(self.spec))
        keys = sorted(key for key in {*found, *right} if found.get(key) != right.get(key))
        if keys:
            return tuple(keys)
        return ("code",) if self.code not in (None, code) else ("of unknown making",)


def _flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec's settings by name; the page has the whole configuration under one of them."""
    return {**{k: v for k, v in spec.items() if k != "settings"}, **spec.get("settings", {})}


def name_of(program: str, path: str) -> str:
    """What origins call a file that a program made: see :attr:`Origin.name`."""
    return f"{program} {short(path)}"


def leftovers(wanted: Iterable[Wanted], run: str) -> list[str]:
    """Result files of earlier configurations: those in a run's folder that are not wanted.

    Args:
        wanted: the run's files.
        run: folder of the run's results.
    """
    known = {path for each in wanted for path in each.paths}
    known |= {
        f"{path.removesuffix('.parquet')}.csv"
        for path in known
        if path.startswith(f"{run}/tables/")
    }
    found = [path for part in _PARTS for path in _files(f"{run}/{part}")]
    found += [path for name in _ALONE if os.path.exists(path := f"{run}/{name}")]
    kept = f"{run}/{JOURNALS}/"
    return sorted(path for path in found if path not in known and not path.startswith(kept))


def _files(folder: str) -> Iterator[str]:
    """The files below a folder but hidden ones, of which some are still being written."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as scan:
        for entry in scan:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(f"{folder}/{entry.name}")
            elif not entry.name.startswith("."):
                yield f"{folder}/{entry.name}"


def describe_gone(gone: Sequence[str], most: int = 4) -> str:
    """One line about files that others were made from and that are no longer there."""
    more = f" and {len(gone) - most} more" if len(gone) > most else ""
    return (
        f"results were made from files that are no longer there ({', '.join(gone[:most])}{more}), "
        "so that nothing can tell whether they are what would be made now. `snakemake --forceall` "
        "makes all of them again"
    )


@dataclass(frozen=True)
class Record:
    """A run's last plan.

    Attributes:
        run: folder of its results when it was planned.
        rule: the primary matching rule.
        level: confidence level of the intervals, in 0..1.
        wanted: the run's files; all paths start where Snakemake runs.
    """

    run: str
    rule: str
    level: float
    wanted: tuple[Wanted, ...]


def write_record(record: Record, folder: Path) -> None:
    """Write a run's plan into the folder of its results.

    One that cannot be written is none: what reads the run's results says so.
    """
    path = folder / NAME
    content = {**vars(record), "wanted": [_as_dict(each) for each in record.wanted]}
    with suppress(OSError):
        path.unlink(missing_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _as_dict(wanted: Wanted) -> dict[str, Any]:
    return {**vars(wanted), "spec": json.loads(wanted.spec)}


def read_record(folder: Path) -> Record:
    """Read a run's plan.

    Args:
        folder: of the run's results, wherever it is now.

    Raises:
        FileNotFoundError: there is none.
        synthsight.files.FileError: it is damaged.
    """
    path = folder / NAME
    content = read_json(path, ["run", "rule", "level", "wanted"])
    try:
        wanted = tuple(_from_dict(each) for each in content["wanted"])
        return Record(str(content["run"]), str(content["rule"]), float(content["level"]), wanted)
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} is damaged ({error}); {MAKE_AGAIN}") from error


def _from_dict(content: Mapping[str, Any]) -> Wanted:
    return Wanted(
        program=content["program"],
        spec=canonical_json(content["spec"]),
        code=content["code"],
        paths=tuple(content["paths"]),
        inputs=tuple(content["inputs"]),
        temporary=content["temporary"],
    )
