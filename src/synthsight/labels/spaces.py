"""Label spaces: the names of a classifier's classes, in the order of its outputs.

ImageNet's names are not copied here. torchvision has one name per class in its weights' metadata,
and timm has all WordNet synonyms with definitions; both are read from the installed packages as
files, since importing either takes seconds and the steps after classification need no torch.
"""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from synthsight.files import hint_at, is_file
from synthsight.labels.files import LabelError, read_label_file

#: Label spaces known by name, and the file in timm's ``data/_info`` that lists their synsets.
IMAGENETS = {
    "imagenet-1k": "imagenet_synsets.txt",
    "imagenet-12k": "imagenet12k_synsets.txt",
    "imagenet-21k": "imagenet21k_goog_synsets.txt",
    "imagenet-22k": "imagenet22k_synsets.txt",
    "imagenet-21k-miil": "imagenet21k_miil_synsets.txt",
    "imagenet-22k-ms": "imagenet22k_ms_synsets.txt",
}


#: What the key `labels` says if the run's categories are the classes, how the files of their names
#: begin that are then kept, and in which folder.
CATEGORIES = "categories"
FOLDER = "classes"


def are_of_run(labels: str) -> bool:
    """Whether a label space is that of a run's categories: a class for each, and no other."""
    path = Path(labels)
    return path.parent.name == FOLDER and path.name.startswith(f"{CATEGORIES}-")


@dataclass(frozen=True)
class LabelSpace:
    """The classes of a classifier.

    Attributes:
        name: ``imagenet-1k`` and the like, or the path of a label file.
        simple: one name per class.
        lemmas: all names of each class, including the simple one or its WordNet spelling.
        synsets: WordNet's identifier of each class, like ``n02504013``; None for a label file that
            has none.
        notes: what the user should know about how the label file was read.
    """

    name: str
    simple: tuple[str, ...]
    lemmas: tuple[tuple[str, ...], ...]
    synsets: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.simple)

    def names(self, kind: str) -> tuple[tuple[str, ...], ...]:
        """The names to match against, class by class; ``kind`` is ``simple`` or ``lemmas``."""
        return self.lemmas if kind == "lemmas" else tuple((name,) for name in self.simple)


def load_labels(name: str) -> LabelSpace:
    """A label space by name (a key of :data:`IMAGENETS`) or from a label file.

    A label file is UTF-8 text with one line per class, in the order of the model's outputs: its
    names separated by commas, the simple name first. For its other forms see
    :func:`synthsight.labels.files.read_label_file`.

    Raises:
        LabelError: there is no such label space or file, or a line has no name; the message names
            the file and the line.
    """
    return _imagenet(name) if name in IMAGENETS else _read_label_file(name)


@lru_cache
def _imagenet(name: str) -> LabelSpace:
    synsets = tuple(_info_file(IMAGENETS[name]).read_text(encoding="utf-8").split())
    lemmas = tuple(wordnet_names()[synset] for synset in synsets)
    simple = tuple(names[0] for names in lemmas)
    if name == "imagenet-1k":
        simple = _torchvision_names()
    return LabelSpace(name, simple, lemmas, synsets)


def space_of(names: Sequence[str]) -> str | None:
    """The label space known by name that some classes are, in its order; None if they are another.

    Of nearly all classes one name, of those separated by commas, must be one of the space's or
    WordNet's identifier: people spell some otherwise.

    Args:
        names: of the classes, in the order of the outputs.
    """
    for space in IMAGENETS:
        known = load_labels(space) if _length(space) == len(names) else ()
        synsets = known.synsets or () if known else ()
        pairs = zip(names, known.lemmas, known.simple, synsets, strict=True) if known else ()
        alike = sum(
            bool(_plain(name.split(",")) & _plain([*lemmas, simple, synset]))
            for name, lemmas, simple, synset in pairs
        )
        if known and alike >= _ALIKE * len(names):
            return space
    return None


def space_of_length(classes: int) -> str | None:
    """The one label space known by name that has so many classes; None if none has, or several."""
    found = [space for space in IMAGENETS if _length(space) == classes]
    return found[0] if len(found) == 1 else None


#: Of how many classes the names must be the same.
_ALIKE = 0.95


def _plain(names: Iterable[str]) -> set[str]:
    return {re.sub(r"[\W_]+", " ", name).strip().casefold() for name in names}


@lru_cache
def _length(space: str) -> int:
    return len(_info_file(IMAGENETS[space]).read_text(encoding="utf-8").split())


def packages_of(name: str) -> tuple[str, ...]:
    """The packages whose files decide what a label space's classes are called.

    Those of ImageNet are read from them, and synsets in a label file or in definitions are named.
    """
    return ("timm", "torchvision") if name == "imagenet-1k" else ("timm",)


def named_by(code: str) -> str | None:
    """The name of the class of ImageNet that a synset or a number, from 0, stands for, or None."""
    if code in wordnet_names():
        return wordnet_names()[code][0]
    simple = load_labels("imagenet-1k").simple
    return simple[int(code)] if re.fullmatch(r"[0-9]{1,3}", code) else None


def _read_label_file(name: str) -> LabelSpace:
    path = Path(name)
    if not is_file(path):
        known = ", ".join(IMAGENETS)
        raise LabelError(
            f"no label file {name!r}, and no label space of that name ({known}){hint_at(name)}"
        )
    labels = read_label_file(name, wordnet_names)
    simple = tuple(names[0] for names in labels.names)
    return LabelSpace(name, simple, labels.names, labels.synsets, labels.notes)


def _package_file(package: str, *parts: str) -> Path:
    """A file of an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LabelError(f"the package {package}, which carries ImageNet's names, is not installed")
    return Path(spec.submodule_search_locations[0], *parts)


def _torchvision_names() -> tuple[str, ...]:
    """The content of ``weights.meta["categories"]`` of torchvision's ImageNet models."""
    path = _package_file("torchvision", "models", "_meta.py")
    spec = importlib.util.spec_from_file_location("_torchvision_meta", path)
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module._IMAGENET_CATEGORIES)


def _info_file(name: str) -> Path:
    return _package_file("timm", "data", "_info", name)


def _synset_table(name: str) -> dict[str, str]:
    with open(_info_file(name), encoding="utf-8", newline="") as handle:
        return dict(csv.reader(handle, delimiter="\t"))


@lru_cache
def wordnet_names() -> dict[str, tuple[str, ...]]:
    """All WordNet names of each synset that timm's ``ImageNetInfo`` knows."""
    table = _synset_table("imagenet_synset_to_lemma.txt")
    return {
        synset: tuple(part.strip() for part in names.split(", ")) for synset, names in table.items()
    }


@lru_cache
def wordnet_definitions() -> dict[str, str]:
    """The WordNet definition of each synset that timm's ``ImageNetInfo`` knows."""
    return _synset_table("imagenet_synset_to_definition.txt")
