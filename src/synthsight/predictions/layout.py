"""What the columns of a file of predictions hold, told by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthsight.errors import SynthsightError
from synthsight.tabular import folded
from synthsight.wording import did_you_mean

#: By what a column holds, the names under which programs and people write it.
NAMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "filename", "file_name", "file", "path", "image_path", "file_path"),
    "label": (
        *("label", "class", "class_name", "label_name", "synset", "wnid"),
        *("prediction", "predicted", "predicted_class", "predicted_label"),
        *("pred", "pred_class", "pred_label", "y_pred", "argmax"),
    ),
    "index": (
        *("index", "class_index", "class_id", "label_index"),
        *("predicted_index", "pred_index"),
    ),
    "rank": ("rank",),
    "probability": ("probability", "prob", "predicted_probability", "score", "confidence"),
    "logits": ("logits", "logit"),
    "guesses": ("predictions", "guesses"),
}

#: The keys of ``columns`` in a configuration.
ROLES = tuple(role for role in NAMES if role != "guesses")

#: What may come in numbered columns, one for each rank, and further names that it has there.
_NUMBERED = {"label": ("top",), "index": (), "probability": (), "logits": ()}

#: Of the names of a class, those that the truth has as often as a prediction.
_EITHER = (
    *("label", "class", "class_name", "label_name", "synset", "wnid"),
    *("index", "class_index", "class_id", "label_index"),
)

#: What a prediction's column may be called, whatever else its name says, and what it is not.
_PREDICTED = re.compile(r"pred|argmax|yhat|guess|^top[0-9]|^(answer|response|output)s?$")
_ABOUT_ONE = re.compile(
    r"(prob|probability|probabilities|score|conf|confidence|logit|correct|right|hit|time)"
    r"s?[0-9]*$"
)

#: The roles that say which class was predicted.
_CLASSES = ("label", "index", "guesses")

_NUMBER = re.compile(r"(.*?)[ _.-]?([0-9]{1,5})")


class LayoutError(SynthsightError):
    """Columns that do not say what was predicted for which image."""


@dataclass(frozen=True)
class Layout:
    """Which columns hold what.

    Attributes:
        single: by role, a column with a value for each row, or with a list of values by rank.
        numbered: by role, columns with a value each, by rank.
        unread: the file's other columns.
    """

    single: Mapping[str, str]
    numbered: Mapping[str, tuple[str, ...]]
    unread: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that are read."""
        return (*self.single.values(), *(name for each in self.numbered.values() for name in each))


def find_layout(names: Sequence[str], stated: Mapping[str, str]) -> Layout:
    """What the columns of a file hold.

    Args:
        names: of its columns.
        stated: names that a configuration states, by role.

    Raises:
        LayoutError: a role that is needed has no column, or several might be meant; without the
            file.
    """
    single: dict[str, str] = {}
    numbered: dict[str, tuple[str, ...]] = {}
    free = [name for name in names if name not in stated.values()]
    chosen = stated.keys() & set(_CLASSES)
    for role, aliases in NAMES.items():
        if role in stated:
            if (name := stated[role]) in names:
                single[role] = name
            elif series := _series(names, [name], role):
                numbered[role] = series
            else:
                hint = did_you_mean(name, names)
                raise LayoutError(
                    f"no column {name!r}, as columns.{role} says{hint}. It has: {_shown(names)}"
                )
            continue
        if chosen and role in _CLASSES:
            continue  # another column may be the truth
        found = [name for name in free if folded(name) in _folded(aliases)]
        if len(found) > 1:
            raise LayoutError(
                f"the columns {found[0]!r} and {found[1]!r} may both be its {role}: state which "
                f"is, columns: {{{role}: {found[0]}}}"
            )
        series = _series(free, [*aliases, *_NUMBERED[role]], role) if role in _NUMBERED else ()
        if found and series:
            raise LayoutError(
                f"the column {found[0]!r} and {_these(series)} may both be its {role}: state which "
                f"is, columns: {{{role}: {found[0]}}} or {{{role}: {_stem(series, names)}}}"
            )
        if found:
            single[role] = found[0]
        elif series:
            numbered[role] = series
    if "image" not in single:
        raise LayoutError(
            f"no column says which image a row is about{did_you_mean('image', names)}. It has: "
            f"{_shown(names)}. State it: columns: {{image: NAME}}"
        )
    layout = Layout(single, numbered)
    given = {*single, *numbered}
    if "guesses" in single and (other := next(iter(given & {"label", "index"}), None)):
        name = single[other] if other in single else numbered[other][0]
        raise LayoutError(
            f"the columns {name!r} and {single['guesses']!r} may both say which class was "
            f"predicted: state which does, columns: {{{other}: {name}}} or "
            f"{{label: {single['guesses']}}}"
        )
    if not given & {"label", "index", "logits", "guesses"} and not _is_distribution(layout):
        raise LayoutError(
            f"no column says which class was predicted{did_you_mean('label', names)}. It has: "
            f"{_shown(names)}. State it: columns: {{label: NAME}}"
        )
    if not chosen:
        _check_truth(names, layout)
    read = set(layout.columns)
    return Layout(single, numbered, tuple(name for name in names if name not in read))


def _check_truth(names: Sequence[str], layout: Layout) -> None:
    """Refuse a column that may be the truth, if another looks like what was predicted."""
    roles = dict.fromkeys(layout.columns, "")
    for role in _CLASSES:
        of_role = (layout.single[role],) if role in layout.single else layout.numbered.get(role, ())
        roles |= dict.fromkeys(of_role, role)
    either = _folded(_EITHER)
    truths = [name for name, role in roles.items() if role and folded(name) in either]
    predicted = [
        name
        for name in names
        if roles.get(name, "label")
        and name not in truths
        and _PREDICTED.search(folded(name))
        and not _ABOUT_ONE.search(folded(name))
    ]
    if truths and predicted:
        role = "index" if roles.get(predicted[0]) == "index" else "label"
        raise LayoutError(
            f"the column {truths[0]!r} may be the truth, since {predicted[0]!r} looks like what "
            f"was predicted: state which is, columns: {{{role}: {predicted[0]}}}"
        )


def _is_distribution(layout: Layout) -> bool:
    """Whether probabilities alone are there, which may be those of all classes."""
    return "probability" in layout.single or "probability" in layout.numbered


def _series(names: Sequence[str], aliases: Sequence[str], role: str) -> tuple[str, ...]:
    """The numbered columns of a role, by their numbers; empty if there are none."""
    wanted = _folded(aliases)
    found: dict[int, str] = {}
    for name in names:
        match = _NUMBER.fullmatch(name)
        if match and folded(match[1]) in wanted:
            number = int(match[2])
            if number in found:
                raise LayoutError(
                    f"the columns {found[number]!r} and {name!r} are both {role} {number}"
                )
            found[number] = name
    numbers = sorted(found)
    if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        gap = next(n for n in range(numbers[0], numbers[-1]) if n not in found)
        raise LayoutError(
            f"of the columns of its {role}, {found[numbers[0]]!r} to {found[numbers[-1]]!r}, "
            f"number {gap} is missing"
        )
    if numbers and numbers[0] not in (0, 1):
        raise LayoutError(
            f"the columns of its {role} begin with {found[numbers[0]]!r}, and the first is missing"
        )
    return tuple(found[number] for number in numbers)


def _these(series: Sequence[str]) -> str:
    last = f" to {series[-1]!r}" if len(series) > 1 else ""
    return f"{series[0]!r}{last}"


def _stem(series: Sequence[str], names: Sequence[str]) -> str:
    """What a configuration calls numbered columns."""
    stem = series[0].rstrip("0123456789")
    return f"{stem}_" if stem in names else stem


def _folded(aliases: Sequence[str]) -> set[str]:
    return {folded(alias) for alias in aliases}


def _shown(names: Sequence[str], keep: int = 12) -> str:
    shown = ", ".join(name[:60] for name in names[:keep])
    return shown if len(names) <= keep else f"{shown} and {len(names) - keep} more"
