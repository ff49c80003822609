"""What differs between two configurations is said by its key, whatever the order of a list."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from synthsight.comparing.configuration import aspects, flat


def test_settings_are_texts_by_their_paths() -> None:
    content = {"images": {"root": "a", "real": None}, "seed": 3, "rules": ["x", "y"], "none": {}}
    assert flat(content) == {
        "images.root": "a",
        "images.real": "null",
        "seed": "3",
        "rules": '["x", "y"]',
        "none": "{}",
    }


def test_models_go_by_their_names_and_not_by_their_places() -> None:
    one, other = {"name": "net", "crop": 64}, {"name": None, "model": "timm/x", "crop": None}
    there, back = flat({"models": [one, other]}), flat({"models": [other, one]})
    assert there == back
    assert there["models[net].crop"] == "64" and there["models[timm/x].crop"] == "null"
    assert flat({"models": ["timm/x", one]})["models[timm/x]"] == '"timm/x"'


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ({"weights_sha256": "1"}, {"weights_sha256": "2"}, ["weights"]),
        ({"weights_source": "here"}, {"weights_source": "there"}, []),
        ({"geometry": {"crop": [4, 4]}}, {"geometry": {"crop": None}}, ["preprocessing"]),
        ({"predictions": {}, "sha256": "1"}, {"predictions": {}, "sha256": "2"}, ["predictions"]),
        ({"answers": {}, "sha256": "1"}, {"answers": {}, "sha256": "2"}, ["answers"]),
        ({"predictions": {"rows": 3}}, {"predictions": {"rows": 4}}, []),
        ({"endpoint": {"url": "x"}}, {"endpoint": {"url": "y"}}, ["server"]),
        (
            {"folds": 5, "label_space": "x"},
            {"folds": 4, "label_space": "y"},
            ["classes", "training"],
        ),
    ],
)
def test_what_differs_of_a_model_has_a_word(a: Any, b: Any, told: list[str]) -> None:
    sides = [SimpleNamespace(abouts={"net": each}) for each in (a, b)]
    assert aspects(*sides, "net") == told


def test_a_model_of_which_one_run_knows_nothing_differs_in_nothing() -> None:
    sides = [SimpleNamespace(abouts=each) for each in ({"net": {"sha256": "1"}}, {})]
    assert aspects(*sides, "net") == []
