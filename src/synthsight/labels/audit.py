"""The label audit: which classes each category accepts under each rule, and what looks wrong.

A low accuracy may be the label's fault: ImageNet's only ``kite`` is a hawk, ``sunglass`` leaves out
the class *sunglasses*, ``squirrel`` accepts the squirrel monkey. The audit compares the classes
that the word rules accept with those that a person has chosen, class by class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.labels.definitions import Definition
from synthsight.labels.matching import Target, accepted_classes, chosen, find_rule, words
from synthsight.labels.spaces import LabelSpace, are_of_run, wordnet_definitions

HOMONYM = "homonym suspected"
NEAR_TWIN = "near twin left out"
NOTHING = "nothing accepted"

COLUMNS = [
    "label_space",
    "category",
    "index",
    "synset",
    "names",
    "definition",
    "accepted_by",
    "why",
    "flag",
    "flagged_rules",
    "shared_with",
]


def label_audit(
    definitions: Mapping[str, Definition], spaces: Sequence[LabelSpace], rules: Sequence[str]
) -> pd.DataFrame:
    """Audit the categories against the label spaces of the run's models.

    Args:
        definitions: one for every category of the run, empty if nothing is known about it.
        spaces: label spaces, each once.
        rules: the rules to audit.

    Returns:
        The columns :data:`COLUMNS`, with one row per class that some rule accepts or that is
        flagged, and one without a class for a category with rules that accept nothing.
        ``accepted_by`` and ``flagged_rules`` are lists of rules separated by spaces. Flags: a word
        rule accepts a class that the person did not choose (:data:`HOMONYM`); it leaves out one
        that the person chose or, where nobody has chosen, one whose name differs from the
        category's only by a plural ending (:data:`NEAR_TWIN`); rules accept no class at all
        (:data:`NOTHING`). ``shared_with`` names the other categories of the run that accept the
        class under a rule that asks for a choice, separated by semicolons.
    """
    rows = [
        {"label_space": space.name, "category": name, **row}
        for space in spaces
        for name, definition in sorted(definitions.items())
        for row in _audit(definition, definition.target(name), space, rules)
    ]
    audit = pd.DataFrame(rows, columns=COLUMNS).astype({"index": "Int64"})
    return audit.assign(shared_with=pd.Series(_shared_with(audit, rules), audit.index, object))


def _shared_with(audit: pd.DataFrame, rules: Sequence[str]) -> list[str | None]:
    """For each row the other categories that accept its class under a rule that asks for a choice.

    Under such a rule two categories that accept the same class cannot be told apart by it.
    """
    choices = {rule for rule in rules if find_rule(rule).choice}
    takers: dict[tuple[str, int], list[str]] = {}
    rows = list(
        zip(
            audit["label_space"], audit["index"], audit["category"], audit["accepted_by"],
            strict=True,
        )
    )  # fmt: skip
    for space, index, category, accepted_by in rows:
        if choices & set(accepted_by.split()):
            takers.setdefault((space, index), []).append(category)
    shared = []
    for space, index, category, _ in rows:
        among = [] if pd.isna(index) else takers.get((space, index), [])
        others = [each for each in among if each != category] if category in among else []
        shared.append("; ".join(others) or None)
    return shared


def _audit(
    definition: Definition, target: Target, space: LabelSpace, rules: Sequence[str]
) -> Iterator[dict[str, object]]:
    accepted = {rule: accepted_classes(target, space, rule) for rule in rules}
    word_rules = [rule for rule in rules if find_rule(rule).looks_at == "names"]
    wanted = _wanted(target, space)
    for index in np.flatnonzero(np.any([wanted, *accepted.values()], axis=0)):
        takes = [rule for rule in rules if accepted[rule][index]]
        left_out = [rule for rule in word_rules if rule not in takes]
        by_word = [rule for rule in word_rules if rule in takes]
        flag, flagged = None, []
        if target.classes is not None and not wanted[index]:
            flag, flagged = HOMONYM, by_word
        elif wanted[index] and left_out:
            flag, flagged = NEAR_TWIN, left_out
        yield _row(space, int(index), definition, takes, flag, flagged)
    nothing = [rule for rule in rules if not accepted[rule].any()]
    if nothing:
        yield {"accepted_by": "", "flag": NOTHING, "flagged_rules": " ".join(nothing)}


def _wanted(target: Target, space: LabelSpace) -> npt.NDArray[np.bool_]:
    """The classes that should count: the chosen ones, else those of the same name up to plurals.

    Where the classes are the run's categories it is the category's own, whatever was chosen.
    """
    if are_of_run(space.name):
        own = words(target.name)
        return np.array([words(name) == own for name in space.simple], dtype=np.bool_)
    if target.classes is not None:
        return chosen(target.classes, space)
    named = [words(name) for name in (target.name, *target.also)]
    return np.array(
        [
            any(_alike(words(name), each) for name in names for each in named)
            for names in space.lemmas
        ],
        dtype=np.bool_,
    )


def _alike(found: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether two names have the same words up to plural endings."""
    return len(found) == len(wanted) and all(
        one == other or one in (other + "s", other + "es") or other in (one + "s", one + "es")
        for one, other in zip(found, wanted, strict=True)
    )


def _row(
    space: LabelSpace,
    index: int,
    definition: Definition,
    takes: Sequence[str],
    flag: str | None,
    flagged: Sequence[str],
) -> dict[str, object]:
    synset = space.synsets[index] if space.synsets is not None else None
    names = space.lemmas[index]
    reasons = definition.classes or {}
    why = next((reasons[key] for key in (synset, *names) if key in reasons), None)
    return {
        "index": index,
        "synset": synset,
        "names": ", ".join(names),
        "definition": wordnet_definitions().get(synset) if synset else None,
        "accepted_by": " ".join(takes),
        "why": why,
        "flag": flag,
        "flagged_rules": " ".join(flagged),
    }


def messages(audit: pd.DataFrame) -> list[str]:
    """The flags of an audit, one sentence each, and which categories share classes."""
    sentences = []
    for row in audit[audit["flag"].notna()].to_dict("records"):
        by = row["flagged_rules"].split()
        rules = " and ".join([", ".join(by[:-1]), by[-1]] if len(by) > 1 else by)
        identity = str(row["names"])
        if isinstance(row["synset"], str):
            identity += f" ({row['synset']}: {row['definition']})"
        if row["flag"] == HOMONYM:
            counts = "counts" if len(by) == 1 else "count"
            text = f"{rules} {counts} {identity}, which nobody chose: {HOMONYM}"
        elif row["flag"] == NEAR_TWIN:
            text = f"{rules} {'does' if len(by) == 1 else 'do'} not count {identity}: {NEAR_TWIN}"
        else:
            text = f"no class counts under {rules}: {NOTHING}"
        sentences.append(f"{row['category']}: {text} [{_called(row['label_space'])}]")
    return sentences + _shared_classes(audit)


def _called(space: str) -> str:
    """A label space as sentences name it."""
    return "the run's categories" if are_of_run(space) else space


def names_asked(
    audit: pd.DataFrame, put: Mapping[str, tuple[str, Sequence[Sequence[str]]]]
) -> list[str]:
    """A sentence for each zero-shot classifier and category: by which names it is asked for it.

    Args:
        audit: of :func:`label_audit`.
        put: by model, the name of its label space and the names that are put for each class.
    """
    sentences = []
    for model, (space, names) in sorted(put.items()):
        rows = audit[(audit["label_space"] == space) & (audit["accepted_by"] != "")]
        for category, accepted in rows.groupby("category"):
            asked = [", ".join(map(repr, names[index])) for index in accepted["index"]]
            sentences.append(
                f"{category}: {model} is asked for {'; '.join(asked)} [{_called(space)}]"
            )
    return sentences


def _shared_classes(audit: pd.DataFrame) -> list[str]:
    """A sentence for each category and the categories it shares classes with."""
    shared = audit[audit["shared_with"].notna()]
    return [
        f"{category}: shares {', '.join(map(str, rows['names']))} with {others}: no model can tell "
        "them apart by these, and in a choice among categories a tie counts for each "
        f"[{_called(str(space))}]"
        for (space, category, others), rows in shared.groupby(
            ["label_space", "category", "shared_with"]
        )
    ]
