"""Which images are real, and a pattern for groups: what can be wrong, and where that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.plan import specs
from tests.plan.test_config import answered_, error, errors, images, load, workplace_, write

__all__ = ["answered_", "workplace_"]  # fixtures

pytestmark = pytest.mark.usefixtures("answered")


@pytest.fixture(autouse=True)
def generators_(workplace_: None) -> None:
    """Two generators and photographs, in a root of their own."""
    for generator in ("mj", "sd", "photos"):
        images(f"{generator}/pizza/a_1.png", f"{generator}/rabbit/a_1.png", root="made")


def of(keys: str, root: str = "made") -> Path:
    return write(images=f"images:\n  root: {root}\n{keys}")


def test_without_the_keys_nothing_is_real_and_specs_are_as_they_were() -> None:
    found = load(write(images="images: {root: made}"))
    assert found.real == frozenset()
    assert specs.find_sources(found) == {}
    assert specs.report(found)["settings"]["images"] == {
        "root": "made",
        "max_pixels": 100_000_000,
        "archive": None,
    }


def test_folders_called_like_photographs_are_noted_beside_others() -> None:
    (note,) = load(of("")).warnings
    assert note == (
        "'photos' in 'made': taken for generated images, since images.real names nothing. If these "
        "are real photographs, write `real: photos` below `images`"
    )
    images("Real_images/pizza/1.png", root="made")
    assert "`real: ['Real_images', 'photos']`" in load(of("")).warnings[-1]
    images("photos/pizza/1.png", root="alone")
    assert not any("taken for generated" in note for note in load(of("", root="alone")).warnings)


@pytest.mark.parametrize("written", ["photos", "[photos]"])
def test_a_generator_s_folder_can_hold_real_photographs(written: str) -> None:
    found = load(of(f"  real: {written}"))
    assert found.real == {"photos"} and found.warnings == ()
    assert found.generators == {"mj", "sd", "photos"}
    assert specs.find_sources(found) == {"real": ["photos"]}
    assert specs.report(found)["settings"]["images"]["real"] in ("photos", ["photos"])


def test_several_folders_can() -> None:
    assert load(of("  real: [photos, sd]")).real == {"photos", "sd"}


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        ("photo", "line 4, images.real: no generator's folder 'photo' in 'made' with images of"),
        ("photo", "run's categories; did you mean 'photos'?"),
        ("zzzz", "; generators there: 'mj', 'photos', 'sd'"),
        ("[sd, foto]", "line 4, images.real[1]: no generator's folder 'foto' in 'made'"),
        ("[sd, sd]", "line 4, images.real[1]: 'sd' is listed twice"),
        ("[]", "line 4, images.real: found []"),
        ('""', 'line 4, images.real: found ""'),
        ("7", "line 4, images.real: found 7; write text"),
        ("[mj, sd, photos]", "line 4, images.real: every image in 'made' would be a real photo"),
    ],
)
def test_a_name_that_cannot_be_is_explained(real: str, expected: str) -> None:
    assert expected in error(of(f"  real: {real}"))


def test_a_category_s_folder_is_no_generator_s() -> None:
    message = error(of("  real: pizza", root="images"))
    assert "'pizza' is a category's folder, not a generator's" in message
    assert "images/<name>/<category>/" in message


def test_nothing_is_said_of_names_where_there_are_no_images() -> None:
    assert [line.partition(":")[0] for line in errors(of("  real: x", root="none"))] == [
        "config.yaml, line 3, images.root"
    ]


def test_categories_with_one_kind_of_images_are_noted() -> None:
    images("photos/toilet_seat/a.png", "sd/rabbit/b.png", root="made")
    images("mj/toaster/a.png", root="made")
    notes = load(of("  real: photos")).warnings
    assert any("no real photographs of 'toaster': real" in note for note in notes)
    assert any("no generated images of 'toilet_seat': real" in note for note in notes)


def test_where_no_category_has_both_kinds_it_is_noted() -> None:
    images("photos/pizza/a.png", "sd/rabbit/b.png", root="apart")
    (note,) = load(of("  real: photos", root="apart")).warnings
    assert note.startswith("no category has both real photographs (images.real) and generated")


def test_a_pattern_for_groups_is_in_the_spec() -> None:
    assert specs.find_sources(load(of(r"  group: (.*)_\d+"))) == {"group": r"(.*)_\d+"}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (r"'(.*_\d+'", "line 4, images.group: '(.*_\\\\d+' is not a regular expression"),
        (r".*_\d+", "line 4, images.group: '.*_\\\\d+' has no capturing groups"),
        ("(.)(.)", "line 4, images.group: '(.)(.)' has 2 capturing groups"),
        (r"(.)(?!\d)", "line 4, images.group: '(.)(?!\\\\d)' cannot be used"),
        ("(.*)-[0-9]+", "line 4, images.group: '(.*)-[0-9]+' matches no image. It has to match"),
        ("(.*)-[0-9]+", "without the file's ending, as in 'a_1'"),
        ("7", "line 4, images.group: found 7; write text"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_explained(group: str, expected: str) -> None:
    assert expected in error(of(f"  group: {group}"))


def test_one_image_that_matches_is_enough() -> None:
    images("sd/rabbit/z-1.png", root="made")
    assert load(of("  real: photos\n  group: (.*)-[0-9]+")).warnings == ()


# A folder elsewhere ------------------------------------------------------------------------------


def test_a_path_makes_a_folder_elsewhere_a_generator() -> None:
    images("pizza/1.png", "rabbit/1.png", "kite/1.png", root="other/val")
    found = load(of("  real: other/val/"))
    assert found.real == {"val"} and found.generators == {"mj", "sd", "photos", "val"}
    assert found.categories["pizza"].folders[-1] == ("val", "val/pizza")
    assert found.categories["pizza"].listing.images == 4
    assert found.roots.path("val/pizza/1.png") == Path("other/val/pizza/1.png")
    assert found.roots.path("sd/pizza/1.png") == Path("made/sd/pizza/1.png")
    (note,) = found.warnings
    assert note == (
        "1 of 3 folders in other/val are not used, since no category is called like them: 'kite'"
    )
    assert specs.find_sources(found) == {"real": ["val"]}
    assert specs.index_images(found, "pizza")["elsewhere"] == {"val": "other/val"}


def test_only_categories_with_images_elsewhere_are_indexed_from_there() -> None:
    images("pizza/1.png", root="other/val")
    found = load(of("  real: other/val"))
    assert "elsewhere" not in specs.index_images(found, "rabbit")
    assert any("no real photographs of 'rabbit'" in note for note in found.warnings)


@pytest.mark.parametrize("path", ["made/photos", "./made/photos/", "made/../made/photos"])
def test_a_path_into_the_root_names_the_folder_there(path: str) -> None:
    found = load(of(f"  real: {path}"))
    assert found.real == {"photos"} and not found.roots.elsewhere


def test_a_folder_in_the_working_folder_needs_a_slash() -> None:
    images("pizza/1.png", root="val")
    assert "if that is meant, write './val'" in error(of("  real: val"))
    assert load(of("  real: ./val")).real == {"val"}


def test_a_group_s_pattern_sees_the_images_elsewhere() -> None:
    images("pizza/z-1.png", root="other/val")
    assert load(of("  real: other/val\n  group: (.*)-[0-9]+")).real == {"val"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("other/none", "images.real: no folder 'other/none' (relative paths start at "),
        ("config.yaml/", "images.real: no folder 'config.yaml/'"),
        ("~/val", "images.real: '~/val': "),
        ("other/sd", "images.real: 'made' has a folder 'sd', too, and the images of both would"),
        ("[other/val, x/val]", "images.real[1]: two folders are called 'val'"),
        ("[other/val, ./other/val]", "images.real[1]: 'val' is listed twice"),
        ("./made/", "images.real: './made/' is images.root itself"),
        ("other/{a}", "images.real: the folder '{a}' cannot be used as a name"),
        ("other/empty", "images.real: no folder in 'other/empty' is called like a category of "),
    ],
)
def test_a_path_that_cannot_be_is_explained(path: str, expected: str) -> None:
    for name in ("other/sd", "other/val", "x/val", "other/{a}"):
        images("pizza/1.png", root=name)
    images("vase/1.png", root="other/empty")
    keys = f"  real: {path}" if path[0] == "[" else f"  real: '{path}'"
    assert expected in error(of(keys))


def test_a_category_written_otherwise_elsewhere_is_noted() -> None:
    images("toilet_seat/1.png", root="made/mj")
    images("pizza/1.png", "Toilet seat/1.png", root="other/val")
    notes = load(of("  real: other/val")).warnings
    assert any("it is written 'Toilet seat', and the category is 'toilet_seat'" in n for n in notes)


def test_a_link_to_a_category_elsewhere_is_noted() -> None:
    images("pizza/1.png", root="other/val")
    Path("other/val/rabbit").symlink_to(Path("made/mj/rabbit").absolute())
    notes = load(of("  real: other/val")).warnings
    assert any("other/val/rabbit is a link to a folder and is not followed" in n for n in notes)


@pytest.mark.parametrize(
    ("folder", "form"),
    [
        ("n02129165", "WordNet synsets"),
        ("291", "the numbers of ImageNet's classes, from 0"),
        ("lion, king of beasts, Panthera leo", "several of ImageNet's names of a class"),
    ],
)
def test_folders_elsewhere_are_understood_as_those_of_the_root_are(folder: str, form: str) -> None:
    images("mj/lion/1.png", "sd/lion/1.png", root="felines")
    images(f"{folder}/p.png", root="outside/shots")
    found = load(of("  real: outside/shots", root="felines"))
    (note,) = found.warnings
    assert note == (
        f"outside/shots: folders called by {form} are taken for categories of the run: "
        f"{folder!r} is 'lion'"
    )
    assert found.real == {"shots"} and list(found.categories) == ["lion"]
    assert ("shots", f"shots/{folder}") in found.categories["lion"].folders
    assert found.categories["lion"].listing.images == 3


def test_a_class_that_the_category_does_not_accept_is_not_its_photographs() -> None:
    """As the project's own definitions say that the kite is the toy, and ImageNet's the hawk."""
    Path("resources/categories.yaml").write_text("kite: {classes: {}}")
    images("sd/kite/1.png", "sd/lion/1.png", root="toys")
    images("n01608432/p.png", "n02129165/p.png", root="outside/hawks")
    found = load(of("  real: outside/hawks", root="toys"))
    assert found.categories["kite"].folders == (("sd", "sd/kite"),)
    assert ("hawks", "hawks/n02129165") in found.categories["lion"].folders
    (note,) = (note for note in found.warnings if "n01608432" in note)
    assert note.startswith("outside/hawks/n01608432 is not used: it is called as ImageNet calls")


def test_one_synset_is_one_category_whatever_the_roots_call_it() -> None:
    """And two names of it in one root are refused; another class of the name is another one."""
    images("mj/n02129165/1.png", root="felines")
    images("lion/p.png", "n02129604/p.png", root="outside/shots")
    config = of("  real: outside/shots", root="felines")
    found = load(config)
    assert ("shots", "shots/lion") in found.categories["lion"].folders
    assert any("1 of 2 folders" in note and "'n02129604'" in note for note in found.warnings)
    images("n02129165/p.png", root="outside/shots")
    assert "would both be the category 'lion'" in error(config)
