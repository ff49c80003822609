"""Which files in a run's folder are of the run's last plan.

A folder of results may hold files of earlier configurations, and of a run that was stopped half-way
through a new one. The plan (:mod:`synthsight.plan.record`) and what the files say of themselves
tell them apart.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synthsight.library.errors import ApiError
from synthsight.origin import Mark, Origin, read_origin
from synthsight.plan.record import (
    FETCH,
    NAME,
    ON_REQUEST,
    Record,
    Wanted,
    describe_gone,
    name_of,
    read_record,
)
from synthsight.tables import read_parquet

#: Keys of the spec of excluded images by which usable ones are among these.
_LEAVING_OUT = ("duplicates", "without_prediction", "marks")


@dataclass(frozen=True)
class Planned:
    """A run's last plan, and what of it is there.

    Attributes:
        folder: of the run's results.
    """

    folder: Path
    _judged: dict[str, tuple[str | None, str | None]] = field(default_factory=dict, repr=False)
    _gone: list[str] = field(default_factory=list, repr=False)
    _origins: dict[Path, Origin | Mark | None] = field(default_factory=dict, repr=False)

    @cached_property
    def record(self) -> Record:
        """The plan.

        Raises:
            ApiError: there is none.
        """
        try:
            return read_record(self.folder)
        except FileNotFoundError:
            if not self.folder.is_dir():
                raise ApiError(f"no folder {self.folder} (looked from {Path.cwd()})") from None
            raise ApiError(
                f"{self.folder} has no {NAME}, which says what belongs to the run: run Snakemake "
                "again with its configuration"
            ) from None

    @cached_property
    def _files(self) -> dict[str, Wanted]:
        """How each file is made, by its path in the plan."""
        return {path: each for each in self.record.wanted for path in each.paths}

    @cached_property
    def _paths(self) -> dict[str, str]:
        """The paths of files by the names that origins give them."""
        return {name_of(each.program, path): path for path, each in self._files.items()}

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        """The names of the plan's files by the path of their folder in the plan."""
        folders: dict[str, list[str]] = {}
        for path in self._files:
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(name)
        return folders

    def wanted(self, part: str, ending: str = ".parquet") -> tuple[str, ...]:
        """Names of the plan's files in one of the run's folders, without their extension.

        Args:
            part: the folder.
            ending: their extension.
        """
        names = self._folders.get(f"{self.record.run}/{part}", ())
        return tuple(sorted(n.removesuffix(ending) for n in names if n.endswith(ending)))

    def names(self, part: str, ending: str = ".parquet") -> tuple[str, ...]:
        """Those of them that are there."""
        folder = self.folder / part
        there = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
        return tuple(name for name in self.wanted(part, ending) if f"{name}{ending}" in there)

    def endings(self, part: str) -> list[str]:
        """The extensions of the plan's files in one of the run's folders."""
        names = self._folders.get(f"{self.record.run}/{part}", ())
        return sorted({Path(name).suffix for name in names})

    def right(self, part: str, *endings: str) -> tuple[str, ...]:
        """Those of them that are there with all these endings, and as the plan asks for."""
        return tuple(
            name
            for name in (self.names(part, endings[0]) if endings else ())
            if all(self._is_right(f"{part}/{name}{ending}") for ending in endings)
        )

    def spec(self, path: str) -> Mapping[str, Any] | None:
        """The settings that the plan has a file made with, there or not; None if it has no such.

        Args:
            path: its path in the folder.
        """
        each = self._files.get(f"{self.record.run}/{path}")
        found: dict[str, Any] | None = None if each is None else json.loads(each.spec)
        return found

    def versions(self, *parts: str) -> dict[str, set[str]]:
        """The versions behind the plan's Parquet files in these folders, and devices, by name."""
        found: dict[str, set[str]] = {}
        for part in parts:
            for name in self.names(part):
                said = self._said(self._place(f"{self.record.run}/{part}/{name}.parquet"))
                for library, each in said.versions.items() if isinstance(said, Origin) else ():
                    found.setdefault(library, set()).update(each)
        return found

    def missing(self) -> dict[str, str]:
        """What of the plan is not there, or not as it asks for: why, by the path in the folder."""
        found = {}
        for path, each in self._files.items():
            inside = path.removeprefix(f"{self.record.run}/")
            if inside == path or each.temporary:  # weights, and what is not kept
                continue
            if inside.startswith(f"{ON_REQUEST}/"):
                continue
            if not self._place(path).exists():
                found[inside] = "not there yet"
            elif (why := self._judge(path)[1]) is not None:
                found[inside] = why
        return dict(sorted(found.items()))

    def made_by(self, *programs: str) -> list[Path]:
        """All files that these programs make, in the plan's order; see :meth:`paths`.

        Raises:
            ApiError: one is not there, other than notes about weights.
        """
        wanted = [each for each in self.record.wanted if each.program in programs]
        paths = [path for each in wanted for path in each.paths]
        if {*programs} <= {*FETCH}:
            return [path for path in self.paths(paths) if path.exists()]
        return self._there(paths)

    def _there(self, paths: Iterable[str]) -> list[Path]:
        """The files, all of which must be there; see :meth:`paths`."""
        found = self.paths(paths)
        if missing := [path for path in found if not path.exists()]:
            raise ApiError(
                f"{missing[0]} is not there: run Snakemake again with the run's configuration"
            )
        return found

    def manifests(self) -> list[Path]:
        """The manifests of all categories; see :meth:`made_by`.

        Raises:
            ApiError: one is not there.
        """
        return self._there(f"{self.record.run}/images/{c}.parquet" for c in self.wanted("images"))

    def left_out(self) -> dict[str, str]:
        """The images excluded as duplicates, marked or without a prediction: reasons by image.

        Files that are excluded for other reasons are among them.

        Warns:
            UserWarning: it is not known yet which these are, so that they are not left out.
        """
        spec = self.spec("tables/excluded.parquet")
        if spec is None or spec.keys().isdisjoint(_LEAVING_OUT):
            return {}
        try:
            (path,) = self.made_by("list_excluded")
        except ApiError as error:
            warnings.warn(f"excluded images are not left out yet: {error}", stacklevel=4)
            return {}
        table = read_parquet(path, ["image", "reason"]).to_pydict()
        return dict(zip(table["image"], table["reason"], strict=True))

    def folders(self, part: str) -> tuple[str, ...]:
        """Names of the folders in one of the run's that hold files of the plan."""
        wanted = self.wanted_folders(part)
        return tuple(name for name in wanted if self.names(f"{part}/{name}"))

    def wanted_folders(self, part: str) -> tuple[str, ...]:
        """Names of the folders in one of the run's that the plan has files in, there or not."""
        start = f"{self.record.run}/{part}/"
        return tuple(sorted(f[len(start) :] for f in self._folders if f.startswith(start)))

    def path(self, path: str) -> Path:
        """A file of the plan, if it is what the plan asks for; see :meth:`paths`.

        Args:
            path: its path in the folder.
        """
        return self.paths([f"{self.record.run}/{path}"])[0]

    def paths(self, paths: Iterable[str]) -> list[Path]:
        """Where files of the plan are, if they are what the plan asks for.

        Args:
            paths: in the plan.

        Warns:
            UserWarning: nothing can tell whether they are, as weights behind them are gone.

        Raises:
            ApiError: one was made with other settings, or from files that are not of the plan.
        """
        found = []
        for path in paths:
            found.append(self._place(path))
            _, why = self._judge(path)
            if why is not None:
                raise ApiError(
                    f"{found[-1]} is not of the run's last plan: it was {why}. Run Snakemake again "
                    "with the run's configuration"
                )
        if self._gone:
            warnings.warn(describe_gone(self._gone), stacklevel=4)
            self._gone.clear()  # it is said once
        return found

    def _is_right(self, path: str) -> bool:
        return self._place(f"{self.record.run}/{path}").exists() and (
            self._judge(f"{self.record.run}/{path}")[1] is None
        )

    def _place(self, path: str) -> Path:
        """Where a file of the plan is now: weights are outside the run's folder."""
        return self.folder / os.path.relpath(path, self.record.run)

    def _said(self, place: Path) -> Origin | Mark | None:
        """What a file says of its making, which is read once."""
        if place not in self._origins:
            self._origins[place] = read_origin(place)
        return self._origins[place]

    def _judge(self, path: str) -> tuple[str | None, str | None]:
        """A file's chain, if it can be told, and why it is not what the plan asks for, if so."""
        if path not in self._judged:
            self._judged[path] = self._read(path)
        return self._judged[path]

    def _read(self, path: str) -> tuple[str | None, str | None]:
        each = self._files[path]
        place = self._place(path)
        # Of pixels, what the plan and the manifest say is enough.
        if each.program == "prepare_pixels" or not place.exists():
            return self._foresee(each, path)
        said = self._said(place)
        if said is None:
            return None, "not made by the workflow"
        right = each.origin(path, said.code, said.inputs)
        if said.digest != right.digest:
            differences = ", ".join(each.differences(path, said.spec, said.code, said.file))
            return None, f"made otherwise ({differences})"
        for name in each.inputs_of(path):
            if name not in said.inputs:
                return None, f"made without {name.partition(' ')[2]}"
        for name, chain in said.inputs.items():
            if (why := self._fault(name, chain)) is not None:
                return None, why
        return right.chain, None

    def _foresee(self, each: Wanted, path: str) -> tuple[str | None, str | None]:
        """As :meth:`_judge` for a file that is not there: of what would be made in its place."""
        if each.program in FETCH:
            self._gone.append(path)
        for name in each.inputs_of(path):
            if (why := self._fault(name, "")) is not None:
                return None, why
        return each.foreseen(path, lambda name: self._judge(self._paths[name])[0]), None

    def _fault(self, name: str, chain: str) -> str | None:
        """What is wrong with a recorded input, if anything."""
        path = self._paths.get(name)
        if path is None:
            return f"made from {name.partition(' ')[2]}, which is not of the plan"
        now, why = self._judge(path)
        shown = path.removeprefix(f"{self.record.run}/")
        if why is not None:
            return why if why.startswith("made from") else f"made from {shown}, which was {why}"
        if now is not None and not now.startswith(chain):
            missing = self._missing(path)
            why = "" if missing is None else f" ({missing} is not there)"
            return f"made from another {shown} than the plan asks for{why}"
        return None

    def _missing(self, path: str) -> str | None:
        """If a file is not there: the first of those behind it that is not there and is kept."""
        each = self._files[path]
        pixels = each.program == "prepare_pixels"  # which are not looked at
        if not pixels and self._place(path).exists():
            return None
        behind = (self._missing(self._paths[name]) for name in each.inputs_of(path))
        found = next((one for one in behind if one is not None), None)
        return path if found is None and not pixels else found
