"""What systems leave in folders of images: ignored wherever images are looked for, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

#: Names that no user gives, in lower case: of macOS, Windows, Linux, network storage, notebooks.
NAMES = frozenset(
    {
        *(".ds_store", "__macosx", ".appledouble", ".spotlight-v100", ".trashes", ".fseventsd"),
        *(".temporaryitems", ".apdisk", "icon\r", "network trash folder", "temporary items"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin"),
        *("system volume information", "recycler"),
        *("lost+found", ".directory", ".thumbnails", ".xvpics"),
        *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@tmp"),
        *(".ipynb_checkpoints", "__pycache__"),
    }
)

#: What precedes the names of the files in which macOS keeps what other systems cannot store, and of
#: those by which Office says that a file is open.
_BEGINNINGS = ("._", "~$")


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is something that systems leave."""
    return name.lower() in NAMES or name.startswith(_BEGINNINGS)


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is ignored: junk, or hidden."""
    return name.startswith(".") or is_junk(name)


def describe(names: Iterable[str], where: object) -> str | None:
    """One line about what was ignored, or None.

    Args:
        names: of all entries there; those that are not junk are not counted.
        where: the folder.
    """
    counts = Counter(
        f"{name[:2]}*" if name.startswith(_BEGINNINGS) else name for name in names if is_junk(name)
    )
    if not counts:
        return None
    each = ", ".join(f"{name!r} ({count})" for name, count in sorted(counts.items()))
    return f"{sum(counts.values())} entries in {where} that systems leave are ignored: {each}"
