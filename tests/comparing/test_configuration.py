"""What differs between two configurations is said by its key, whatever the order of a list."""

from __future__ import annotations

from synthsight.comparing.configuration import flat


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
