"""Which files in a run's folder are of the run's last plan.

A folder of results may hold files of earlier configurations, and of a run that was stopped half-way
through a new one. The plan (:mod:`synthsight.plan.record`) and what the files say of themselves
tell them apart.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from synthsight.library.errors import ApiError
from synthsight.origin import read_origin
from synthsight.plan.record import NAME, Record, Wanted, name_of, read_record


@dataclass(frozen=True)
class Planned:
    """A run's last plan, and what of it is there.

    Attributes:
        folder: of the run's results.
    """

    folder: Path
    _judged: dict[str, tuple[str | None, str | None]] = field(default_factory=dict, repr=False)

    @cached_property
    def record(self) -> Record:
        """The plan.

        Raises:
            ApiError: there is none.
        """
        try:
            return read_record(self.folder)
        except FileNotFoundError:
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

    def folders(self, part: str) -> tuple[str, ...]:
        """Names of the folders in one of the run's that hold files of the plan."""
        start = f"{self.record.run}/{part}/"
        found = (each[len(start) :] for each in self._folders if each.startswith(start))
        return tuple(sorted(name for name in found if self.names(f"{part}/{name}")))

    def path(self, path: str) -> Path:
        """A file of the plan, if it is what the plan asks for.

        Args:
            path: its path in the folder.

        Raises:
            ApiError: it was made with other settings, or from files that are not of the plan.
        """
        _, why = self._judge(f"{self.record.run}/{path}")
        if why is not None:
            raise ApiError(
                f"{self.folder / path} is not of the run's last plan: it was {why}. Run Snakemake "
                "again with the run's configuration"
            )
        return self.folder / path

    def _place(self, path: str) -> Path:
        """Where a file of the plan is now: weights are outside the run's folder."""
        return self.folder / os.path.relpath(path, self.record.run)

    def _judge(self, path: str) -> tuple[str | None, str | None]:
        """A file's chain, if it can be told, and why it is not what the plan asks for, if so."""
        if path not in self._judged:
            self._judged[path] = self._read(path)
        return self._judged[path]

    def _read(self, path: str) -> tuple[str | None, str | None]:
        each = self._files[path]
        if each.program == "prepare_pixels":  # what the plan and the manifest say is enough
            (name,) = each.inputs_of(path)
            chain, _ = self._judge(self._paths[name])
            right = each.origin(path, "", {name: chain or ""})
            return right.chain if chain else None, self._fault(name, "")
        place = self._place(path)
        if not place.exists():
            return None, None
        said = read_origin(place)
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
            return f"made from another {shown} than is there"
        return None
