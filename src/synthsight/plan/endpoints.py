"""Models that a server answers for: how they are asked, their journals, and what a run would send.

The sizes of what would be sent are estimates: pictures are encoded only when their turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.archives.unpack import format_size
from synthsight.files import FileError
from synthsight.plan import asking
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from synthsight.plan.record import JOURNALS
from synthsight.plan.settings import EndpointSettings
from synthsight.vqa.endpoint.addresses import host_of, is_loopback
from synthsight.vqa.endpoint.keys import KeyMissingError, key_from
from synthsight.vqa.shards import ShardRow, read_shard

#: A request without its picture, in bytes; a grey picture, at most, and as a share of the image's.
_REST, _GREY, _GREY_SHARE = 400, 3000, 0.02

#: The most that an encoded picture takes for a pixel, nearly always, in bytes; and what its base64
#: takes for a byte.
_PIXEL, _BASE64 = 1.5, 4 / 3


def names(experiment: Experiment) -> list[str]:
    """The models that a server answers for, sorted."""
    return sorted(experiment.vqa.endpoints) if experiment.vqa else []


def endpoint_of(experiment: Experiment, vqa_model: str) -> EndpointSettings:
    """The endpoint of a model."""
    assert experiment.vqa is not None
    found = experiment.vqa.endpoints[vqa_model].endpoint
    assert found is not None
    return found


def way(experiment: Experiment, name: str, vqa_model: str) -> int | str:
    """A setting that changes how an endpoint is asked, and no answer, as a resource of its job."""
    value: Any = getattr(endpoint_of(experiment, vqa_model), name)
    return value if isinstance(value, int) else "" if value is None else str(value)


def journal_of(files: Files, vqa_model: str, shard: str, blind: bool = False) -> str:
    """The journal of the answers to a shard's questions."""
    return f"{files.run}/{JOURNALS}/{vqa_model}/{shard}{'-blind' if blind else ''}.jsonl"


@dataclass(frozen=True)
class _Part:
    """A shard that will be put to a model."""

    model: str
    shard: str
    blind: bool


def _parts(files: Files, made: Collection[str]) -> list[_Part]:
    """What will be put to endpoints, by the files that will be made."""
    found = []
    for name in names(files.experiment):
        for blind, paths in enumerate((files.answers_of(name), files.blind_answers_of(name))):
            for shard, path in zip(files.shards, paths, strict=False):
                if path in made:
                    found.append(_Part(name, shard, bool(blind)))
    return found


@dataclass(frozen=True)
class Sending:
    """What a run will send for a model.

    Attributes:
        model: its name.
        endpoint: where to.
        questions: how many questions will be put.
        images: how many images these are about.
        size: about how many bytes that is.
        known: how many more have been answered before.
    """

    model: str
    endpoint: EndpointSettings
    questions: int
    images: int
    size: int
    known: int

    def check_key(self) -> None:
        """See that the key is there if it is needed.

        Raises:
            KeyMissingError: it is not.
        """
        try:
            key_from(self.endpoint.key_env if self.questions else None)
        except KeyMissingError as error:
            raise KeyMissingError(f"model {self.model!r}: {error}") from None

    def note(self) -> str:
        """A sentence for the user."""
        host = host_of(self.endpoint.url)
        where = f"{host} (this machine)" if is_loopback(self.endpoint.url) else host
        before = f"; {self.known:,} have been answered before" if self.known else ""
        if not self.questions:
            return f"model {self.model!r}: nothing will be sent to {where}{before}"
        try:
            self.check_key()
            unset = ""
        except KeyMissingError:
            unset = f". {self.endpoint.key_env} is not set, so a run would not begin"
        return (
            f"model {self.model!r}: {self.questions:,} questions about {self.images:,} images will "
            f"be sent to {where}, about {format_size(self.size)}{before}{unset}"
        )


def what_to_send(files: Files, made: Collection[str]) -> list[Sending]:
    """What a run will send, for each model that will be asked.

    What is in a model's journals does not count; nor is it known to be there as long as the
    question's image has not been indexed.

    Args:
        files: of the run.
        made: the files that will be made.
    """
    parts = _parts(files, made)
    size_of = _Sizes(Path(files.experiment.vqa.root) if files.experiment.vqa else Path())
    return [
        _sending(files, name, [part for part in parts if part.model == name], size_of)
        for name in sorted({part.model for part in parts})
    ]


def _sending(
    files: Files, name: str, parts: Iterable[_Part], size_of: Callable[..., int]
) -> Sending:
    endpoint = endpoint_of(files.experiment, name)
    images: set[str] = set()
    asked = known = size = 0
    for part in parts:
        rows, missing = _rows(files, part)
        known += len(rows) - len(missing)
        asked += len(missing)
        images |= {row.image for row in missing}
        size += sum(size_of(row.image, endpoint.max_side, part.blind) for row in missing)
    return Sending(name, endpoint, asked, len(images), size, known)


def _rows(files: Files, part: _Part) -> tuple[list[ShardRow], list[ShardRow]]:
    """The questions of a part, and those that have not been answered before."""
    # The parts of synthsight that ask take a while to import, and most runs ask no endpoint.
    from synthsight.vqa.endpoint.asking import Task, known_of
    from synthsight.vqa.endpoint.request import asking_of

    vqa = files.experiment.vqa
    assert vqa is not None
    indexed: list[ShardRow] = []
    with suppress(OSError, FileError):
        indexed = read_shard(files.shard_file(part.shard))
    sums = {row.image: row.sha256 for row in indexed if row.status == "ok"}
    unusable = {row.image for row in indexed} - sums.keys()
    rows = [
        ShardRow(
            *(number, each.image, each.question, each.answer, None, None),
            *(sums.get(each.image), "ok", None),
        )
        for number, each in enumerate(vqa.questions[part.shard])
        if each.image not in unusable
    ]
    spec = asking.ask_endpoint(files.experiment, part.model)
    journal = Path(journal_of(files, part.model, part.shard))
    known = known_of(
        Task(
            *(rows, Path(vqa.root), asking_of(spec["endpoint"], spec["prompt"]), part.blind),
            *(journal.parent, journal, 0.0),
        )
    )
    return rows, [row for row, entry in zip(rows, known, strict=True) if entry is None]


class _Sizes:
    """About how many bytes a request has.

    Args:
        root: folder that image paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, int] = {}

    def __call__(self, image: str, max_side: int | None, blind: bool) -> int:
        """The size of a request about an image."""
        if image not in self._files:
            self._files[image] = 0
            with suppress(OSError):
                self._files[image] = (self._root / image).stat().st_size
        size: float = self._files[image]
        if max_side is not None:
            size = min(size, _PIXEL * max_side**2)
        if blind:
            size = min(_GREY, _GREY_SHARE * size)
        return round(_REST + _BASE64 * size)
