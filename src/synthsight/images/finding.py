"""Finding the images that tables and questions name, however people have written their paths."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath

from synthsight.files import hint_at_home
from synthsight.images.endings import SUFFIXES
from synthsight.images.reading import looks_like_image
from synthsight.junk import is_junk

#: Number of missing images for which a close name is suggested: each costs a scan of all names.
_HINTS = 100

#: Number of folders whose names are kept.
_FOLDERS = 4096


class ImageFinder:
    """Checks whether images exist; looks each of them up once.

    A path that leads to no file, but in another way of writing to exactly one, is taken for that:
    with backslashes, from the root's own folder or an absolute one, in upper for lower case, with
    composed for decomposed letters.

    Args:
        root: folder that image paths are relative to.

    Attributes:
        renamed: paths as written, and as they are.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.missing = 0
        self.resolved_root = root.resolve()
        self.renamed: list[tuple[str, str]] = []
        self._find = cache(self._look_up)

    def find(self, written: str) -> tuple[str, str | None]:
        """The image's path below the root, and why it cannot be used, or None."""
        folder, slash, name = written.rpartition("/")
        if name in self._plain(folder or slash):  # nearly all are, and a million must not take long
            return written, None
        return self._find(written)

    def _look_up(self, written: str) -> tuple[str, str | None]:
        image = PurePosixPath(written).as_posix()
        reason = self._reason(image)
        if reason is None:
            return image, None
        for path in self._otherwise(written):
            if path != image and self._reason(path, hints=False) is None:
                self.renamed.append((written, path))
                return path, None
        return image, reason

    def _reason(self, image: str, hints: bool = True) -> str | None:
        """Why an image cannot be used, judging by its name and the start of its content."""
        return self._wrong_as_written(image) or self._wrong_file(PurePosixPath(image), hints)

    def _wrong_as_written(self, image: str) -> str | None:
        path = PurePosixPath(image)
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", image):
            return f"a URL: download the image to {self.root}, and write its path below it"
        if left := next(filter(is_junk, re.split(r"[\\/]", image)), None):
            return f"{left!r} is something that systems leave, and no image: remove the row"
        if (
            hint_at_home(image.replace("\\", "/"))
            or re.match(r"[A-Za-z]:[\\/]", image)
            or path.is_absolute()
        ):
            return f"the image's path must stay below {self.root}: write it from there"
        if ".." in path.parts:
            return f"the image's path has '..': write it from {self.root}, without"
        if "\0" in image:
            return "a NUL character in the image's path"
        return None

    def _wrong_file(self, path: PurePosixPath, hints: bool) -> str | None:
        file = self.root / path
        try:
            # Checked first, since any link in the path may lead anywhere.
            if not file.resolve().is_relative_to(self.resolved_root):
                return f"a link that leads out of {self.root}: copy the file instead"
            if not file.exists():
                hint = self._close(path, file.parent) if hints else ""
                return f"no such image below {self.root}{hint}"
            if not looks_like_image(file):
                endings = " ".join(sorted(SUFFIXES))
                return f"not an image by its name (extensions read: {endings}) or content"
        except (OSError, RuntimeError) as error:  # a name that is too long, a loop of links
            return f"cannot be looked up: {getattr(error, 'strerror', None) or 'a loop of links'}"
        return None

    def _otherwise(self, written: str) -> Iterator[str]:
        """Other ways to write a path, with ``..`` in none of them; the plainest first."""
        path = written.replace("\\", "/")
        drive = re.match(r"[A-Za-z]:/", path) is not None
        tries = [PurePosixPath(os.path.expanduser(path))]
        if tries[0].is_absolute():
            for root in (Path(os.path.abspath(self.root)), self.resolved_root):
                if tries[0].is_relative_to(root):
                    tries = [PurePosixPath(tries[0].relative_to(root))]
                    break
            else:
                return
        elif not drive:
            # From a folder further up: the last folders of the root, and then the image.
            folders = self.resolved_root.parts
            tries += [
                PurePosixPath(*tries[0].parts[length:])
                for length in range(1, len(tries[0].parts))
                if tries[0].parts[:length] == folders[-length:]
            ]
        for each in tries:
            if ".." in each.parts or "\0" in str(each) or drive:
                continue
            yield each.as_posix()
            actual = self._actual(each)
            if actual is not None:
                yield actual

    def _actual(self, path: PurePosixPath) -> str | None:
        """The one path whose names differ at most in case and in how letters are composed."""
        found = PurePosixPath()
        for name in path.parts:
            names = self._names(self.root / found)
            like = (
                [name]
                if name in names
                else self._alike(self.root / found).get(folded_path(name), [])
            )
            if len(like) != 1:
                return None
            found /= like[0]
        return found.as_posix()

    def _close(self, path: PurePosixPath, folder: Path) -> str:
        """A hint at the name closest to a missing one; for the first missing ones only."""
        self.missing += 1
        if self.missing > _HINTS:
            return ""
        like = self._alike(folder).get(folded_path(path.name), [])
        if len(like) > 1:
            return f"; it may be any of {', '.join(like[:4])}, which differ in case or accents only"
        hint = difflib.get_close_matches(path.name[:255], list(self._names(folder)), n=1)
        return f"; close: {(path.parent / hint[0]).as_posix()}" if hint else ""

    @lru_cache(maxsize=_FOLDERS)  # noqa: B019 (lives only while one file is read)
    def _plain(self, folder: str) -> frozenset[str]:
        """The names of images in a folder that can be taken as they are written.

        They are regular files with an image's ending, and no part of their path is a link or could
        be understood in another way.
        """
        path = PurePosixPath(folder)
        if folder and ("/".join(path.parts) != folder or self._wrong_as_written(f"{folder}/x")):
            return frozenset()
        try:
            if (self.root / path).resolve() != self.resolved_root / path:
                return frozenset()
            with os.scandir(self.root / path) as scan:
                return frozenset(
                    entry.name
                    for entry in scan
                    if os.path.splitext(entry.name)[1].lower() in SUFFIXES
                    and entry.is_file(follow_symlinks=False)
                    and not (is_junk(entry.name) or "\\" in entry.name or entry.name[0] == "~")
                    and entry.name.isprintable()
                )
        except (OSError, RuntimeError, ValueError):
            return frozenset()

    @cache  # noqa: B019
    def _names(self, folder: Path) -> dict[str, None]:
        """The names in a folder below the root, sorted; none of one that is elsewhere, or junk."""
        if not folder.is_dir() or not folder.resolve().is_relative_to(self.resolved_root):
            return {}
        return dict.fromkeys(sorted(name for name in os.listdir(folder) if not is_junk(name)))

    @cache  # noqa: B019
    def _alike(self, folder: Path) -> dict[str, list[str]]:
        alike: dict[str, list[str]] = {}
        for name in self._names(folder):
            alike.setdefault(folded_path(name), []).append(name)
        return alike


def folded_path(name: str) -> str:
    """A path without case and with composed letters, the same for paths that look alike."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
