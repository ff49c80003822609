"""What stands in ``results/`` against what is wanted, by what the files say of themselves.

Snakemake decides reruns by what it remembers in ``.snakemake``. If that is lost, or a file was put
in the place of another, it takes whatever is there. Result files hold their origin (see
:mod:`synthsight.origin`), so that can be told, at every start and cheaply: what a file says is kept
until its size or time changes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from synthsight.canonical import canonical_json
from synthsight.doors import module_of
from synthsight.errors import SynthsightError
from synthsight.files import Digests, age_of, keep
from synthsight.origin import DEVICE, Mark, Origin, read_origin, short
from synthsight.plan import specs
from synthsight.plan.files import Files
from synthsight.plan.programs import family_doors, library_door
from synthsight.plan.targets import prepare_graph

#: The digest of a program's code, given its name and the modules that it imports by name.
Code = Callable[..., str]

#: Programs whose outputs all runs share.
_FETCH = ("fetch_weights", "fetch_vqa")

#: Settings of a spec that name what a file is about; two files differ in them by nature.
_ABOUT = {"model", "name", "category", "shard"}


class VersionsError(SynthsightError):
    """Results of other versions than are installed, in a run that refuses such a mix."""


@dataclass(frozen=True)
class Wanted:
    """Files that one program makes with the same settings.

    Attributes:
        program: its name.
        spec: canonical JSON of the settings.
        code: digest of its code; None if a file is good whatever code made it.
        paths: the files.
    """

    program: str
    spec: str
    code: str | None
    paths: tuple[str, ...]


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


def wanted(files: Files, code: Code) -> Iterator[Wanted]:
    """What each file of a run should say of itself."""
    experiment = files.experiment
    run = files.run

    def one(
        program: str, spec: specs.Spec, digest: str | None, paths: Iterable[str]
    ) -> Iterator[Wanted]:
        yield Wanted(program, canonical_json(spec), digest, tuple(paths))

    for name in experiment.categories:
        spec = specs.index_images(experiment, name)
        yield from one("index_images", spec, code("index_images"), [files.manifest_of(name)])
    if experiment.settings.keep_pixels:
        for geometry in files.geometries:
            spec = specs.prepare_pixels(experiment, geometry)
            paths = [f"{files.pixels.format(geometry=geometry)}/{c}" for c in experiment.categories]
            arrows = [f"{path}.arrow" for path in paths]
            yield from one("prepare_pixels", spec, code("prepare_pixels"), arrows)
    for model in files.models:
        door = library_door(experiment, model)
        spec = specs.fetch_weights(experiment, model)
        yield from one("fetch_weights", spec, None, [files.note_of(model)])
        spec = specs.classify(experiment, model)
        yield from one("classify", spec, code("classify", door), files.logits_of(model))
        spec = specs.score(experiment, model)
        yield from one("score", spec, code("score"), [f"{run}/scores/{model}.parquet"])
    for shard in files.shards:
        spec = specs.index_questions(experiment, shard)
        shards = [f"{run}/vqa/questions/{shard}.parquet"]
        yield from one("index_questions", spec, code("index_questions"), shards)
    for name in files.vqa_models:
        doors = family_doors(experiment, name)
        yield from one("fetch_vqa", specs.fetch_vqa(experiment, name), None, [files.note_of(name)])
        yield from one(
            "ask", specs.ask(experiment, name), code("ask", *doors), files.answers_of(name)
        )
        spec = specs.score_vqa(experiment, name)
        yield from one("score_vqa", spec, code("score_vqa"), [f"{run}/vqa/{name}.parquet"])
    pictures = [*files.thumbnails, *files.vqa_thumbnails]
    yield from one("thumbnails", specs.thumbnails(experiment), code("thumbnails"), pictures)
    for row in files.statistics:
        doors = (module_of(row.function),) if row.function else ()
        program = "tabulate" if row.function else row.rule
        spec = {} if row.spec is None else row.spec(experiment)
        tables = [path for _, ending, path in files.tables_of(row) if ending == "parquet"]
        yield from one(program, spec, code(program, *doors), tables)
    for figure in files.figure_rows:
        digest = code("plot", module_of(figure.function))
        for values, stem in files.instances(figure):
            spec = {} if figure.spec is None else figure.spec(experiment, *values)
            pair = [f"{run}/figures/{stem}.{ending}" for ending in ("pdf", "png")]
            yield from one("plot", spec, digest, pair)
    yield from one("report", specs.report(experiment), code("report"), [files.report])


def check_results(files: Files, code: Code, kept: Path) -> list[str]:
    """See that files which were made otherwise than wanted are made again if a target needs them.

    Args:
        files: of the run.
        code: digests of programs.
        kept: folder of caches.

    Returns:
        What the user should know.

    Raises:
        VersionsError: results were made with other versions, and the configuration refuses that.
    """
    if files.experiment.pending:
        return []
    found = compare(wanted(files, code), kept / f"results-{files.experiment.settings.run}.json")
    prepare_graph(frozenset(found.stale), files.run)
    mixed = describe_versions(found.versions, files.run)
    if mixed is not None and files.experiment.settings.versions == "refuse":
        raise VersionsError(f"{mixed}. They are refused by `versions: refuse`")
    notes = (describe_stale(found.stale), describe_gone(found.gone), mixed)
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
    inputs: dict[str, Mapping[str, str]] = {}
    weights: set[str] = set()
    missing: dict[str, str] = {}
    for each in all_wanted:
        for path in each.paths:
            if each.program in _FETCH:
                weights.add(f"{each.program} {short(path)}")
            if (found := memory.of(path)) is None:
                if each.program != "prepare_pixels":  # these need not be kept
                    missing[f"{each.program} {short(path)}"] = path
                continue
            digest, (spec, code, made_with) = found.digest, found.said
            if each.code is None and digest is None:
                continue  # of an earlier version, which did not say
            right = Origin(
                each.program, each.spec, each.code or code, {}, short(path), found.inputs
            )
            if digest != right.digest:
                stale[path] = _differences(each, spec, code)
                continue
            chains[right.name] = right.chain
            if found.beside and (text := _other_csv(path, found.beside, sums)):
                stale[text] = ("edited or exchanged",)
            inputs[path] = found.inputs
            for name, of_name in made_with.items():
                versions.setdefault(name, Counter()).update(of_name)
    for path, made_from in inputs.items():
        if any(_is_other(name, chain, chains, weights) for name, chain in made_from.items()):
            stale[path] = ("made from other inputs",)
    recorded = {name for path, names in inputs.items() if path not in stale for name in names}
    gone = [path for name, path in missing.items() if name in recorded]
    memory.save()
    sums.save()
    return Standing(stale, versions, gone)


def _is_other(name: str, chain: str, chains: Mapping[str, str], weights: Set[str]) -> bool:
    """Whether a recorded input is not what this run has; one that is not there says nothing."""
    if name.partition(" ")[0] in _FETCH and name not in weights:
        return True
    return not chains.get(name, chain).startswith(chain)  # a mark holds a beginning


def _other_csv(path: str, beside: str, sums: Digests) -> str | None:
    """The CSV file beside a table if its bytes are others than the table says."""
    text = str(Path(path).with_suffix(".csv"))
    with suppress(OSError):
        return None if sums.of(text) == beside else text
    return None


#: What many files say alike: spec, code and versions; no spec where a file holds only a digest.
_Said = tuple[str | None, str, dict[str, list[str]]]


class _Found(NamedTuple):
    """What a file says: the digest of its origin, if any; what many say alike; and the rest."""

    digest: str | None
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
        if entry is None or entry[:-4] != age:
            origin = read_origin(path)
            beside = origin.beside if isinstance(origin, Origin) else ""
            digest, inputs = (origin.digest, dict(origin.inputs)) if origin else (None, {})
            entry = [*age, digest, inputs, beside, self._number(origin)]
        self._seen[path] = entry
        digest, inputs, beside, number = entry[-4:]
        return _Found(digest, self._said[number], inputs, beside)

    def _number(self, origin: Origin | Mark | None) -> int:
        said: _Said = (None, "", {})
        if isinstance(origin, Origin):
            versions = {name: list(found) for name, found in origin.versions.items()}
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


def _differences(each: Wanted, spec: str | None, code: str) -> tuple[str, ...]:
    """The settings in which a file differs from what is wanted, in words."""
    if spec is None:
        return ("of unknown making",)
    found, right = json.loads(spec), json.loads(each.spec)
    keys = sorted(key for key in {*found, *right} if found.get(key) != right.get(key))
    if _ABOUT & {*keys}:
        return ("made for another place",)
    if keys:
        return tuple(keys)
    return ("code",) if each.code not in (None, code) else ("made for another place",)


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


def describe_gone(gone: Sequence[str], most: int = 4) -> str | None:
    """One line about files that others were made from and that are no longer there, or None."""
    if not gone:
        return None
    more = f" and {len(gone) - most} more" if len(gone) > most else ""
    return (
        f"results were made from files that are no longer there ({', '.join(gone[:most])}{more}), "
        "so that nothing can tell whether they are what would be made now. `snakemake --forceall` "
        "makes all of them again"
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
