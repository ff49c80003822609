"""What a frame or an array of logits holds: values by class, images, and what these show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.labels.spaces import LabelSpace
from synthsight.library import arguments
from synthsight.library.errors import ApiError
from synthsight.library.scored import is_of_run
from synthsight.wording import one_line


def rows_of(logits: npt.ArrayLike) -> pd.DataFrame:
    """An array of logits as a frame.

    Args:
        logits: (images, classes).

    Raises:
        ApiError: it has another shape, or is no array.
    """
    if isinstance(logits, np.ma.MaskedArray):
        raise ApiError("logits must be an array without a mask: give `.data`, or fill it")
    try:
        values = np.asarray(logits)
    except (ValueError, TypeError, RuntimeError) as error:  # the latter are those of tensors
        raise ApiError(f"logits must be an array: {one_line(error)}") from None
    if values.ndim != 2:
        raise ApiError(
            "logits must have two dimensions, a row for each image and a column for each class; "
            f"these have the shape {values.shape}"
        )
    return pd.DataFrame(values)


def level(frame: pd.DataFrame, name: str, otherwise: int) -> pd.Index[Any]:
    """A level of a frame's index, by its name, or by its number if none is called so.

    Raises:
        ApiError: two are.
    """
    if list(frame.index.names).count(name) > 1:
        raise ApiError(f"two levels of the index are called {name!r}")
    return frame.index.get_level_values(name if name in frame.index.names else otherwise)


def by_class(frame: pd.DataFrame, labels: LabelSpace) -> npt.NDArray[np.float32]:
    """The logits in the order of the classes, by the names of the columns.

    Args:
        frame: a row for each image.
        labels: the classes.

    Raises:
        ApiError: the columns are not those of the classes, or hold something else than numbers.
    """
    found = list(frame.columns)
    if not found:
        raise ApiError("there is no column: one is needed for each class")
    numbers = [int(name) if str(name).isdecimal() else None for name in found]
    count = len(found)
    if None not in numbers:
        _check_numbers(frame, labels)
        places = {number: place for place, number in enumerate(numbers)}
        if lost := sorted(set(range(count)) - set(places)):
            raise ApiError(
                f"the columns are not numbered from 0 to {count - 1}: {lost[0]} is missing. All "
                "classes are needed, in any order"
            )
        order = [places[number] for number in range(count)]
    elif found == list(labels.simple):
        order = list(range(count))
    else:
        unknown = [name for name in found if name not in labels.simple]
        lost_names = [name for name in labels.simple if name not in found]
        if unknown or lost_names or len(set(found)) < count:
            what = f"{unknown[0]!r} is no class" if unknown else "a class is missing or twice"
            raise ApiError(
                f"the columns are neither the numbers nor the names of the classes of "
                f"{labels.name}: {what}. Call them 0, 1, 2, ..."
            )
        order = [found.index(name) for name in labels.simple]
    try:
        if any(getattr(each, "kind", "") == "c" for each in frame.dtypes):
            raise TypeError("complex numbers")
        return frame.to_numpy(np.float32)[:, order]
    except (TypeError, ValueError) as error:
        raise ApiError(f"a column holds something else than logits: {error}") from None


def _check_numbers(frame: pd.DataFrame, labels: LabelSpace) -> None:
    """Refuse columns whose numbers may as well be names of classes, of which each is another."""
    written = [str(name) for name in frame.columns]
    in_order = all(isinstance(n, int | np.integer) for n in frame.columns) and (
        written == [str(number) for number in range(len(written))]
    )
    named = sorted(written) == sorted(labels.simple)
    alike = list(labels.simple) == [str(number) for number in range(len(labels))]
    if named and not alike and not in_order and not is_of_run(frame):
        raise ApiError(
            f"the columns may be numbers of classes or their names, which {labels.name} has in "
            "another order: put them in the order of the classes and call them 0, 1, 2, ..., as "
            "numbers, not as texts"
        )


def categories(
    frame: pd.DataFrame, category: str | Sequence[str] | pd.Series | None, named: bool
) -> list[str]:
    """What each image shows.

    Args:
        frame: a row for each image.
        category: what the caller says of it; None to take it from the index.
        named: whether the index says which image a row is.

    Raises:
        ApiError: it does not say that of each image.
    """
    if isinstance(category, str):
        return [category] * len(frame)
    if category is None:
        if "category" not in frame.index.names:
            raise ApiError("what do the images show? Give `category`, one for all or one for each")
        return _all_texts(level(frame, "category", 0))
    if isinstance(category, Mapping | Set | pd.DataFrame) or not hasattr(category, "__len__"):
        raise ApiError(
            "the categories must be a list, in the order of the images, or a series, not a "
            f"{type(category).__name__}"
        )
    if len(category) != len(frame):
        raise ApiError(f"{len(frame)} images, but {len(category)} categories")
    if isinstance(category, pd.Series):
        if not named and not category.index.equals(frame.index):
            raise ApiError(
                "a series of categories goes by its index, which an array does not have: give "
                "`.tolist()` to go by the order, or the logits as a frame with the same index"
            )
        category = _aligned(category, frame)
    return _all_texts(category)


def otherwise(frame: pd.DataFrame, shown: Sequence[str]) -> str | None:
    """Words on images of which the index says that they show something else, if there are any.

    Args:
        frame: a row for each image.
        shown: what each is said to show.
    """
    if "category" not in frame.index.names:
        return None
    pairs = zip(level(frame, "category", 0), shown, strict=True)
    wrong = [(index, said) for index, said in pairs if index != said]
    if not wrong:
        return None
    index, said = wrong[0]
    return (
        f"{len(wrong)} of {len(frame)} images are of another category in the frame's index "
        f"({index!r}) than in `category` ({said!r}), which counts. To select by category, write "
        f"`frame.loc[[{said!r}]]`"
    )


def _all_texts(categories: Iterable[object]) -> list[str]:
    for each in categories:
        if not isinstance(each, str):
            raise ApiError(f"a category is a text, not {arguments.shown(each)}")
    return list(map(str, categories))


def _aligned(category: pd.Series, frame: pd.DataFrame) -> list[str]:
    """A series of categories in the order of a frame, by the index of both."""
    for index in (frame.index, level(frame, "image", -1)):
        if category.index.equals(index):
            return list(category)
        if category.index.is_unique and index.is_unique and set(category.index) == set(index):
            return list(category.loc[list(index)])
    first = next((each for each in category.index if each not in frame.index), category.index[0])
    raise ApiError(
        f"the categories' index is not that of the logits: {first!r} is not an image's, or stands "
        "twice. Give a list to go by the order"
    )
