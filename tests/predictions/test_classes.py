"""What a label means: one class of the label space, or an error that says what to write."""

from __future__ import annotations

import pytest

from synthsight.labels.spaces import LabelSpace, load_labels
from synthsight.predictions.classes import ClassError, Classes
from tests.predictions.support import LABELS


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("kite", 0),
        ("cottontail", 1),
        ("wood rabbit, cottontail", 1),
        ("Wood_Rabbit", 1),
        (" vase ", 5),
        ("toilet-seat: the seat of a toilet", 6),
        ("n00000004", 4),
        ("3", 3),
        ("LABEL_6", 6),
        ("crane bird", 3),
    ],
)
def test_a_name_a_synset_and_an_index_mean_a_class(written: str, expected: int) -> None:
    assert Classes(LABELS).by_label(written) == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("crane", "'crane' is the name of class 4 \\(crane, n00000004\\) and class 3"),
        ("vaze", "is none of the 7 classes of seven; did you mean 'vase'\\?"),
        ("7", "there is no class 7: seven has 7 classes, numbered from 0 to 6"),
        ("LABEL_7", "there is no class 7"),
        ("n01440764", "seven has no class 'n01440764'"),
        ("", "is none of the"),
    ],
)
def test_what_means_no_class_or_several_is_refused(written: str, said: str) -> None:
    with pytest.raises(ClassError, match=said):
        Classes(LABELS).by_label(written)


def test_a_number_that_is_also_a_name_is_refused_unless_both_are_the_same_class() -> None:
    space = LabelSpace("digits", ("0", "2", "1"), (("0",), ("2",), ("1",)))
    assert Classes(space).by_label("0") == 0
    with pytest.raises(ClassError, match="'1' may be an index, or the name of class 2"):
        Classes(space).by_label("1")


def test_a_label_beside_an_index_may_not_be_of_another_class() -> None:
    classes = Classes(LABELS)
    classes.check_pair(3, "crane")  # of which there are two: the index decides
    classes.check_pair(4, "crane")
    classes.check_pair(4, "what nobody knows")
    for written in ("vase", "n00000005"):
        with pytest.raises(ClassError, match="beside the index 4, and is class 5 \\(vase"):
            classes.check_pair(4, written)


def test_of_imagenet_all_names_that_one_class_alone_has_are_found_and_no_others() -> None:
    space = load_labels("imagenet-1k")
    classes, ambiguous = Classes(space), 0
    for number, names in enumerate(space.lemmas):
        assert classes.by_label(space.synsets[number] if space.synsets else "") == number
        for name in (space.simple[number], ", ".join(names)):
            try:
                assert classes.by_label(name) == number
            except ClassError:
                ambiguous += 1
    # Both cranes, both maillots: the simple names crane and maillot, and WordNet's.
    assert ambiguous == 5
