"""Pictures that are there more than once."""

from __future__ import annotations

from collections.abc import Iterable

from synthsight.images.manifest import ImageRecord

#: Images that a message names.
_NAMED = 3


def in_several_categories(records: Iterable[ImageRecord]) -> str | None:
    """A sentence on pictures that are in several categories, byte for byte; None if there are none.

    One of their labels is most likely wrong.
    """
    by_content: dict[str, list[ImageRecord]] = {}
    for record in records:
        if record.status == "ok" and record.sha256 is not None:
            by_content.setdefault(record.sha256, []).append(record)
    shared = sorted(
        sorted(record.image for record in same)
        for same in by_content.values()
        if len({record.category for record in same}) > 1
    )
    if not shared:
        return None
    count = "A picture is" if len(shared) == 1 else f"{len(shared):,} pictures are"
    named = "; ".join(" and ".join(images[:_NAMED]) for images in shared[:_NAMED])
    more = "; ..." if len(shared) > _NAMED else ""
    return (
        f"{count} in several categories, so that one label of each is most likely wrong: {named}"
        f"{more}. Remove the wrong ones"
    )
