"""The interface of a classifier library: its functions and the types that they use.

A library is a module of this package that defines a :class:`Library`, and a line in
:data:`synthsight.classifiers.registry.LIBRARIES`; nothing else names it. This module can be
imported without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthsight.errors import SynthsightError
from synthsight.images.geometry import Geometry

if TYPE_CHECKING:
    from torch import Tensor, nn

    StateDict = dict[str, Tensor]


class ModelError(SynthsightError):
    """A model that does not exist, or cannot be built or used."""


class WeightsError(SynthsightError):
    """Weights that cannot be fetched or used; the message says what to do."""


@dataclass(frozen=True)
class Architecture:
    """Which network to build, without its weights.

    Attributes:
        library: its name in :data:`synthsight.classifiers.registry.LIBRARIES`.
        name: the library's name for the architecture, including timm's tag of the weights
            (``deit_base_patch16_224.fb_in1k``).
        weights: the name of the torchvision weights (``IMAGENET1K_V1``) to build the network for,
            or the commit of a hub's repository; None with timm, and for a local checkpoint that is
            not built like published ones.
        arguments: keyword arguments for the library's builder; of a repository's model, under
            ``config``, what its config.json says of the network, and of a zero-shot classifier
            under ``text`` what it is asked.
        num_classes: outputs of the classifier; None for the library's default.
    """

    library: str
    name: str
    weights: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    num_classes: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields for JSON; ``Architecture(**...)`` is the inverse."""
        return {
            "library": self.library,
            "name": self.name,
            "weights": self.weights,
            "arguments": dict(self.arguments),
            "num_classes": self.num_classes,
        }


#: What the files of a model's repository say, as JSON: ``config`` and ``preprocessor`` (mappings;
#: the latter None where there is none) and ``revision`` (a commit; None for a local folder). Empty
#: for libraries whose installed package knows its models. See
#: :func:`synthsight.classifiers.repositories.read_repository`.
Files = Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """What a library publishes about a model, apart from its weights.

    Attributes:
        geometry: of its evaluation transform; None if :class:`Geometry` cannot express it
            (non-square without squashing, padded to a square), or it is not known.
        mean: of its normalisation, one value per channel, for pixels in 0..1; None if it has to be
            given.
        std: likewise.
        fixed_size: ``(height, width)`` if the network accepts no other size, else None.
        num_classes: outputs; 0 if there is no classifier.
        reference: ``{"top1", "top5", "source"}`` on ImageNet-1k as fractions, or None.
        license: as stated by the library, or None.
        source: where the weights come from.
        why: why there is no geometry, in words that follow "not supported"; None if there is one,
            or nothing to say.
    """

    geometry: Geometry | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    fixed_size: tuple[int, int] | None
    num_classes: int
    reference: dict[str, Any] | None
    license: str | None
    source: str | None
    why: str | None = None


@dataclass(frozen=True)
class Wanted:
    """The weights that a library is asked to fetch.

    Attributes:
        architecture: which network they are for.
        checkpoint: a local file that holds them, or a repository's folder; None for the published
            ones.
    """

    architecture: Architecture
    checkpoint: Path | None


@dataclass(frozen=True)
class Fetched:
    """Weights in memory and where they came from.

    Attributes:
        state: the state dict for :func:`synthsight.classifiers.architectures.build`.
        source: URL, hub repository or file.
        sha256: of the source file, in hex; None where the library hides it.
        checksum: ``verified`` against the checksum that the source states, or ``none stated``.
        reference: ``{"top1", "top5", "source"}`` as a local file states them, or None.
        license: as the file states it, or None.
        text: of a model that was asked with texts, which these were, for the note; else None.
    """

    state: StateDict
    source: str
    sha256: str | None
    checksum: str
    reference: dict[str, Any] | None = None
    license: str | None = None
    text: dict[str, Any] | None = None


@dataclass(frozen=True)
class Library:
    """A library of classifiers.

    Attributes:
        parse: takes ``(name, local, files)``: the part of a configuration's ``model`` after the
            slash, whether the weights are a local checkpoint, so that none need be published, and
            what the model's repository says. Returns the architecture; raises
            :class:`ModelError`, with close names, if there is none.
        published: takes ``(architecture, files)`` and returns what is published; for an
            architecture that names no weights, what is usual for it. Cheap: it downloads no
            weights. Without a repository's files, geometry and normalisation are not known.
        build: takes ``(architecture, state)`` and returns the network as the library's own builder
            makes it, holding the tensors of the state dict, every entry of which must be used; with
            None as it is initialised. It need not handle the builder's errors: callers go through
            :func:`synthsight.classifiers.architectures.build`, which skips the initial values, sets
            evaluation mode and explains the errors.
        fetch: returns the weights of a model in the form that ``build`` takes. May use the network.
            Raises :class:`WeightsError` where it has advice; any other error is explained by
            :func:`synthsight.classifiers.weights.fetch_weights`.
        packages: the installed packages, besides torch, that its networks depend on.
        encoder: takes ``(name, local, files, arguments)``, the last as a configuration gives them,
            and returns the architecture of a model that is asked for features alone, and whether
            its outputs are classes, so that features enter a layer of it. Raises
            :class:`ModelError`. None if the library has no such models.
    """

    parse: Callable[[str, bool, Files], Architecture]
    published: Callable[[Architecture, Files], Published]
    build: Callable[[Architecture, StateDict | None], nn.Module]
    fetch: Callable[[Wanted], Fetched]
    packages: tuple[str, ...]
    encoder: Callable[[str, bool, Files, Mapping[str, Any]], tuple[Architecture, bool]] | None = (
        None
    )
