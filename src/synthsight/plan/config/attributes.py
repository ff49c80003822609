"""``images.attributes``: the file that says more of images, and its columns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from synthsight.bounds import Key
from synthsight.files import Digests, hint_at, is_file
from synthsight.images.attributes import MOST_COLUMNS, columns_of
from synthsight.plan.attribute_settings import AttributeSettings
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path
from synthsight.plan.settings import ImageSettings
from synthsight.tabular import TableError
from synthsight.wording import did_you_mean

_KEY: Key = ("images", "attributes")


@dataclass(frozen=True)
class Attributes:
    """Where attributes of images come from.

    Attributes:
        table: the file; None where what else is known of images alone says something.
        content: the sha256 of its bytes; None without one.
        image: its column with the images' paths.
        columns: those that are attributes, in their order; empty without a file.
        compare: those of them whose values are compared; None for all.
    """

    table: str | None
    content: str | None
    image: str
    columns: tuple[str, ...]
    compare: tuple[str, ...] | None


def load_attributes(
    images: ImageSettings, pending: bool, cache: Path, problems: list[Problem]
) -> Attributes | None:
    """Where attributes of images come from; None if nowhere, or if something is wrong.

    Args:
        images: the settings.
        pending: whether an archive has yet to be unpacked, perhaps with the file.
        cache: folder that caches digests of files.
        problems: to which everything wrong is added.
    """
    about = images.attributes
    if about is None:
        return None
    table = about.table if about.table is not None else images.table
    image = about.image if about.image is not None else _image(images, about)
    if table is None:
        for name in ("image", "columns"):
            if getattr(about, name) is not None:
                message = "there is no file that it could be about: name one as `table` beside it"
                problems.append(Problem((*_KEY, name), message))
        return Attributes(None, None, image, (), about.compare)
    if pending and not is_file(table):
        return None
    key: Key = (*_KEY, "table") if about.table is not None else _KEY
    if (reason := bad_path(table)) is not None:
        problems.append(Problem(key, reason))
        return None
    try:
        there = columns_of(Path(table), image)
    except TableError as error:
        problems.append(Problem(key, f"{error}{'' if is_file(table) else hint_at(table)}"))
        return None
    before = len(problems)
    columns = _columns(images, about, there, problems)
    for index, name in enumerate(about.compare or ()):
        if name not in (*columns, "prompt"):
            hint = did_you_mean(name, columns) or f"; attributes: {', '.join(columns)}"
            problems.append(Problem((*_KEY, "compare", index), f"no attribute {name!r}{hint}"))
    if len(problems) > before:
        return None
    digests = Digests(cache / "sha256_attributes.json")
    content = digests.of(table)
    digests.save()
    return Attributes(table, content, image, columns, about.compare)


def _image(images: ImageSettings, about: AttributeSettings) -> str:
    """The column with the images' paths, if none is named: that of the run's own table, in it."""
    return "image" if about.table is not None or images.table is None else images.columns.image


def _columns(
    images: ImageSettings, about: AttributeSettings, there: list[str], problems: list[Problem]
) -> tuple[str, ...]:
    """The columns that are attributes: those that are named, or all that say nothing else."""
    if about.columns is None:
        own = asdict(images.columns) if about.table in (None, images.table) else {}
        taken = {name for key, name in own.items() if key != "prompt"}
        columns = [name for name in there if name not in taken]
        if not columns or len(columns) > MOST_COLUMNS:
            what = "no further columns" if not columns else f"{len(columns)} further columns"
            message = f"the file has {what}: name those that are attributes, as `columns: [...]`"
            problems.append(Problem(_KEY, message))
        return tuple(columns)
    for index, name in enumerate(about.columns):
        place: Key = (*_KEY, "columns", index)
        if name in about.columns[:index]:
            problems.append(Problem(place, f"{name!r} is listed twice"))
        elif name not in there:
            hint = did_you_mean(name, there) or f"; it has: {', '.join(there)}"
            problems.append(Problem(place, f"the file has no column {name!r}{hint}"))
    return about.columns
