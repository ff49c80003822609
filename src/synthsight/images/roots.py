"""Where images lie: below one folder, and those of some generators in folders of their own.

An image is called by its path below the images' root, wherever it lies: ``NAME/kite/1.png`` is
``kite/1.png`` in the folder that stands for NAME, if there is one. Manifests say which these are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthsight.tables import read_schema

#: The key in a manifest's metadata.
KEY = "synthsight.elsewhere"


@dataclass(frozen=True)
class Roots:
    """The folders that images are read from; no file outside of them is read.

    Attributes:
        root: the images' root.
        elsewhere: folders that stand for generators' folders below it, by the generators' names.
    """

    root: Path
    elsewhere: Mapping[str, Path] = field(default_factory=dict)

    def place(self, image: str) -> tuple[Path, str]:
        """The folder that an image, or a folder of images, is read from, and its path below."""
        name, _, below = image.partition("/")
        folder = self.elsewhere.get(name)
        return (self.root, image) if folder is None else (folder, below)

    def path(self, image: str) -> Path:
        """Where an image, or a folder of images, lies."""
        folder, below = self.place(image)
        return folder / below


def place_of(root: Path | Roots, image: str) -> tuple[Path, str]:
    """As :meth:`Roots.place`; with one root only, that and the image."""
    return root.place(image) if isinstance(root, Roots) else (root, image)


def as_metadata(root: Path | Roots) -> dict[str, str]:
    """What a manifest's metadata say of its images' folders; nothing if there is only the root."""
    if not isinstance(root, Roots) or not root.elsewhere:
        return {}
    return {KEY: json.dumps({name: str(path) for name, path in sorted(root.elsewhere.items())})}


def stated_roots(root: str, elsewhere: Mapping[str, str] | None = None) -> Roots:
    """The folders that a spec names, which are texts there."""
    return Roots(Path(root), {name: Path(path) for name, path in (elsewhere or {}).items()})


def roots_of(root: Path, *manifests: str | os.PathLike[str]) -> Roots:
    """The folders that the images of some manifests are read from.

    Args:
        root: the images' root.
        manifests: or other tables of images, all of which are then below the root.

    Raises:
        synthsight.files.FileError: one is damaged.
    """
    elsewhere: dict[str, Path] = {}
    for path in manifests:
        text = (read_schema(path).metadata or {}).get(KEY.encode(), b"{}")
        elsewhere |= {name: Path(folder) for name, folder in json.loads(text).items()}
    return Roots(root, elsewhere)
