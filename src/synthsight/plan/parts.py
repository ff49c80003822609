"""Categories that are divided into parts: their files, the specs of these, and how they are joined.

A category with more files than ``images.part`` is indexed, decoded, classified and embedded part by
part, each a job of its own. What the parts make is kept in ``parts/`` below the run's folder, and
joined to the files that all other stages read; pixels are not, since their readers take several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.images.parts import Part
from synthsight.plan import specs
from synthsight.plan.experiment import Experiment
from synthsight.plan.record import OWN, Wanted, name_of

#: The program that joins what a program has made of parts, and what is joined of vectors.
_JOINED = {"index_images": "join_manifests", "classify": "join_vectors", "embed": "join_vectors"}
COLUMNS = {"classify": "logits", "embed": "features"}

#: The program of rules that join parts, where it is called otherwise.
JOINED_BY = {f"join_{column}": "join_vectors" for column in COLUMNS.values()}

#: What rules of parts are called: as those of whole categories, with this behind.
SUFFIX = "_part"


class UnknownPartError(SynthsightError):
    """A file of a part was asked for that a category does not have."""


@dataclass(frozen=True)
class Parts:
    """The parts of an experiment's categories.

    Attributes:
        experiment: the experiment.
        run: the folder of its results.
    """

    experiment: Experiment
    run: str

    @cached_property
    def divided(self) -> dict[str, dict[str, Part]]:
        """The categories that have parts, and these by name."""
        return {
            name: {part.name: part for part in about.listing.parts}
            for name, about in self.experiment.categories.items()
            if about.listing.parts
        }

    @property
    def whole(self) -> list[str]:
        """The categories that have none."""
        return [name for name in self.experiment.categories if name not in self.divided]

    @property
    def names(self) -> list[str]:
        """The names of all parts of any category."""
        return sorted({name for parts in self.divided.values() for name in parts})

    @property
    def images(self) -> dict[tuple[str, str], int]:
        """How many images each part has, by category and name."""
        return {
            (category, name): part.images
            for category, parts in self.divided.items()
            for name, part in parts.items()
        }

    def path(self, path: str, part: str) -> str:
        """The file of a part, of which ``path`` would be the category's; wildcards stay."""
        folder, _, name = path.removeprefix(f"{self.run}/").rpartition("/")
        return f"{self.run}/parts/{folder}/{part}/{name}"

    def files(self, path: str) -> list[str]:
        """The files of all parts of a category, or its own file if it has none."""
        parts = self.divided.get(_category_of(path))
        return [path] if parts is None else [self.path(path, name) for name in parts]

    def name_of(self, program: str, path: str) -> str:
        """What origins call a category's file, which a program makes if there are no parts."""
        divided = _category_of(path) in self.divided
        return name_of(_JOINED[program] if divided else program, path)

    def by_manifest(self, paths: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
        """Files of categories, by what makes the manifests that they are made from: these, too."""
        paths = list(paths)
        for program, chosen in (
            ("index_images", [path for path in paths if _category_of(path) not in self.divided]),
            ("join_manifests", [path for path in paths if _category_of(path) in self.divided]),
        ):
            if chosen:
                yield chosen, [f"{program} images/{OWN}.parquet"]

    def index_part(self, category: str, part: str) -> specs.Spec:
        """The spec of a part's manifest: which part it is, and a digest of its files' listing."""
        about = self.divided[category].get(part)
        if about is None:
            raise UnknownPartError(
                f"category {category!r} has no part {part!r}: its parts are "
                f"{', '.join(self.divided[category])}"
            )
        rows = {} if about.rows is None else {"rows": about.rows}
        whole = specs.index_images(self.experiment, category)
        return {**whole, **rows, "listing": about.listing, "part": part}

    def join_manifests(self, category: str) -> specs.Spec:
        """The spec of a manifest that is joined: where the images lie, which parts do not say."""
        whole = specs.index_images(self.experiment, category)
        return {key: whole[key] for key in ("root", "elsewhere") if key in whole}

    def wanted(
        self,
        program: str,
        spec: specs.Spec,
        code: Callable[..., str],
        door: Iterable[str],
        paths: Iterable[str],
        inputs: Iterable[str],
    ) -> Iterator[Wanted]:
        """How the files of one stage are to be made, category by category.

        Args:
            program: of the stage.
            spec: its settings.
            code: gives the digest of a program's code.
            door: what the program imports by name.
            paths: the files of all categories.
            inputs: as of :class:`synthsight.plan.record.Wanted`; what is called by :data:`OWN` is
                that of the part, or of the category.
        """
        inputs = tuple(inputs)
        temporary = program == "prepare_pixels" and not self.experiment.settings.keep_pixels
        made = (program, canonical_json(spec), code(program, *door))
        paths = tuple(paths)
        if not self.divided:
            yield Wanted(*made, paths, inputs, temporary)
            return
        if whole := tuple(path for path in paths if _category_of(path) not in self.divided):
            yield Wanted(*made, whole, inputs, temporary)
        for path in paths:
            category = _category_of(path)
            for name in self.divided.get(category, ()):
                of_part = tuple(each.replace(f"/{OWN}.", f"/{name}/{OWN}.") for each in inputs)
                yield Wanted(*made, (self.path(path, name),), of_part, temporary)
            if category in self.divided and program in COLUMNS:
                yield self._joined(program, path, {"column": COLUMNS[program]}, code)

    def wanted_manifests(self, code: Callable[..., str], path: str) -> Iterator[Wanted]:
        """How the manifest of a category is to be made, and those of its parts."""
        category, digest = _category_of(path), code("index_images")
        if category not in self.divided:
            spec = specs.index_images(self.experiment, category)
            yield Wanted("index_images", canonical_json(spec), digest, (path,))
            return
        for name in self.divided[category]:
            text = canonical_json(self.index_part(category, name))
            yield Wanted("index_images", text, digest, (self.path(path, name),))
        yield self._joined("index_images", path, self.join_manifests(category), code)

    def _joined(
        self, program: str, path: str, spec: specs.Spec, code: Callable[..., str]
    ) -> Wanted:
        joins = _JOINED[program]
        inputs = [name_of(program, each) for each in self.files(path)]
        if program in COLUMNS:
            inputs += [name_of("join_manifests", f"images/{_category_of(path)}.parquet")]
        return Wanted(joins, canonical_json(spec), code(joins), (path,), tuple(inputs))


def _category_of(path: str) -> str:
    """The category that a file is about and called after."""
    return path.rpartition("/")[2].rpartition(".")[0]
