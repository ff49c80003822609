"""What a model's repository says of it before there are weights: config.json and the like.

Read from a local folder or, through the hub's cache, from a hub: two or three small files of one
commit. Can be imported without torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.classifiers.image_sides import is_image_side
from synthsight.contents import another_kind
from synthsight.errors import SynthsightError
from synthsight.files import hint_at, is_folder

#: The model; how its images are prepared; the same within what belongs to a processor of images
#: and texts, as newer versions of transformers write it.
CONFIG, PREPROCESSOR, PROCESSOR = "config.json", "preprocessor_config.json", "processor_config.json"

#: What transformers calls classes that nobody has named.
_UNNAMED = re.compile(r"(?i)\s*(label[_ ]?)?\d+\s*")


class RepositoryError(SynthsightError):
    """A repository whose files cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Repository:
    """What the small files of a model's repository say.

    Attributes:
        config: the content of config.json.
        preprocessor: that of preprocessor_config.json; None if there is none.
        revision: the commit on the hub; None for a local folder.
    """

    config: Mapping[str, Any]
    preprocessor: Mapping[str, Any] | None
    revision: str | None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """What the model's classes are called, in the order of its outputs; None if nobody says.

        Raises:
            RepositoryError: the numbers of the classes have gaps, or a name is none.
        """
        key = "id2label"
        named = self.config.get(key)
        for own in ("label_names", "labels"):  # timm's
            if not named and (listed := _of_timm(self.config, own)):
                key, named = own, listed
        if isinstance(named, list):
            named = dict(enumerate(named))
        if not isinstance(named, Mapping) or not named:
            return None
        by = {int(key): name for key, name in named.items() if str(key).isdecimal()}
        if sorted(by) != list(range(len(named))) or not all(
            isinstance(name, str | int) for name in by.values()
        ):
            raise RepositoryError(
                f"{CONFIG}: {key} must be a mapping from 0, 1, 2, ... to names, without gaps"
            )
        names = tuple(str(by[number]) for number in sorted(by))
        return None if all(map(_UNNAMED.fullmatch, names)) else names

    @property
    def classifies(self) -> bool:
        """Whether its outputs may be classes, as far as config.json tells."""
        base, tag = self.config.get("architecture"), _of_timm(self.config, "tag")
        stated = _of_timm(self.config, "num_classes")
        side = base and self.classes is None and is_image_side(str(base), str(tag or ""), stated)
        return self.count > 1 and not side

    @property
    def count(self) -> int:
        """The number of the model's classes; unsaid, it is two for transformers, 1,000 for timm."""
        stated = self.config.get("num_labels")
        stated = _of_timm(self.config, "num_classes") if stated is None else stated
        named = self.config.get("id2label")
        usual = 1000 if "architecture" in self.config else 2
        of_names = len(named) if isinstance(named, Mapping) and named else usual
        return of_names if stated is None else int(stated)

    def as_dict(self) -> dict[str, Any]:
        """The fields for JSON; ``Repository(**...)`` is the inverse."""
        return {
            "config": self.config,
            "preprocessor": self.preprocessor,
            "revision": self.revision,
        }


def _of_timm(config: Mapping[str, Any], key: str) -> Any:
    """A value of a config.json in timm's form, or None: what holds stands further out."""
    inner = config.get("pretrained_cfg")
    within = inner.get(key) if isinstance(inner, Mapping) else None
    return config[key] if config.get(key) is not None else within


def read_repository(model: str, checkpoint: str | None) -> Repository:
    """What a model's repository says of it; of a hub's, after downloading the small files.

    Args:
        model: OWNER/NAME on the hub, perhaps with @REVISION; not used with a ``checkpoint``.
        checkpoint: a local folder.

    Raises:
        RepositoryError: there is no such folder or no config.json in it, or one of the files is no
            JSON mapping.
        synthsight.inference.repositories.HubError: the files cannot be downloaded.
    """
    if checkpoint is None:
        # Imports the hub's client, which no run without such models needs.
        from synthsight.inference.repositories import download

        name, _, revision = model.partition("@")
        folder = download(name, revision or None, [CONFIG, PREPROCESSOR, PROCESSOR])
        commit: str | None = folder.name
    else:
        folder, commit = Path(checkpoint), None
        if not is_folder(folder):
            raise RepositoryError(
                f"no folder {checkpoint!r} (relative paths start at {Path.cwd()})"
                f"{hint_at(folder)}: `checkpoint` names the folder with {CONFIG} and the weights"
            )
    config = _read(folder / CONFIG)
    if config is None:
        raise RepositoryError(
            f"no {CONFIG} in {checkpoint or model}: it must say what the model is"
        )
    preprocessor = _read(folder / PREPROCESSOR)
    if preprocessor is None:
        inner = (_read(folder / PROCESSOR) or {}).get("image_processor")
        preprocessor = inner if isinstance(inner, dict) else None
    return Repository(config, preprocessor, commit)


def _read(path: Path) -> dict[str, Any] | None:
    """The JSON mapping in a file; None if there is no file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RepositoryError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        kind = another_kind(path, "json", "text")
        what = f": it is {kind}" if kind else ""
        raise RepositoryError(f"{path} is not a JSON mapping{what}; put the published one there")
    return content
