"""Class names are those of the official packages, and a label file is taken as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.labels.files import LabelError
from synthsight.labels.spaces import IMAGENETS, LabelSpace, load_labels, packages_of

SIZES = {"imagenet-1k": 1000, "imagenet-12k": 11821, "imagenet-21k": 21843, "imagenet-22k": 21841}
SIZES |= {"imagenet-21k-miil": 11221, "imagenet-22k-ms": 21842}


def write(folder: Path, content: bytes) -> LabelSpace:
    path = folder / "labels.txt"
    path.write_bytes(content)
    return load_labels(str(path))


def test_the_simple_names_are_those_of_torchvisions_weights() -> None:
    from torchvision.models import AlexNet_Weights, ResNet50_Weights

    for weights in (AlexNet_Weights.IMAGENET1K_V1, ResNet50_Weights.IMAGENET1K_V2):
        assert load_labels("imagenet-1k").simple == tuple(weights.meta["categories"])


def test_the_packages_of_names_are_those_that_have_them() -> None:
    assert packages_of("imagenet-1k") == ("timm", "torchvision")
    assert packages_of("imagenet-22k") == packages_of("labels.txt") == ("timm",)


@pytest.mark.parametrize("name", IMAGENETS)
def test_the_lemmas_are_those_of_timms_imagenet_info(name: str) -> None:
    from timm.data import ImageNetInfo

    info = ImageNetInfo(name)
    lemmas = [info.index_to_description(index) for index in range(info.num_classes())]
    assert [", ".join(names) for names in load_labels(name).lemmas] == lemmas


@pytest.mark.parametrize("name", IMAGENETS)
def test_a_label_space_names_every_class(name: str) -> None:
    space = load_labels(name)
    assert len(space) == len(space.simple) == len(space.lemmas) == SIZES[name]
    assert all(space.simple) and all(all(names) and names for names in space.lemmas)
    assert space.name == name


def test_simple_and_lemmas_are_about_the_same_classes() -> None:
    space = load_labels("imagenet-1k")
    known = {0: "tench", 21: "kite", 331: "hare", 861: "toilet seat", 999: "toilet tissue"}
    for index, name in known.items():
        assert space.simple[index] == name
        assert name in space.lemmas[index]
    assert space.names("simple")[0] == ("tench",)
    assert space.names("lemmas")[0] == ("tench", "Tinca tinca")


def test_a_line_of_a_label_file_is_a_class_and_its_synonyms(tmp_path: Path) -> None:
    space = write(tmp_path, b"wood rabbit, cottontail , hare\nkite\n")
    assert space.simple == ("wood rabbit", "kite")
    assert space.lemmas == (("wood rabbit", "cottontail", "hare"), ("kite",))
    assert len(space) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"cat\ndog",
        b"cat\ndog\n",
        b"cat\r\ndog\r\n",
        b"cat\rdog\r",
        b"\xef\xbb\xbfcat\ndog\n",
        b"cat\ndog\n\n  \n\r\n",
        b"  cat\t\n dog \n",
        b"cat,\ndog,,\n",
    ],
)
def test_line_ends_blanks_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, content: bytes
) -> None:
    assert write(tmp_path, content).lemmas == (("cat",), ("dog",))


def test_a_name_keeps_its_letters(tmp_path: Path) -> None:
    names = ("Käse", "大熊猫", "hen-of-the-woods", "carpenter's kit")
    assert write(tmp_path, "\n".join(names).encode()).simple == names


def test_only_line_ends_begin_a_class(tmp_path: Path) -> None:
    content = "form\x0cfeed\nnext\x85line\nline\u2028separator\n"
    assert len(write(tmp_path, content.encode())) == 3


@pytest.mark.parametrize("content", [b"cat\n\ndog\n", b"cat\n , \ndog\n"])
def test_a_class_without_a_name_is_an_error_that_gives_the_line(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(LabelError, match=r"labels\.txt, line 2: a class without a name"):
        write(tmp_path, content)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \n", b"\xef\xbb\xbf"])
def test_an_empty_label_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LabelError, match=r"labels\.txt: empty"):
        write(tmp_path, content)


def test_a_label_file_that_is_not_utf8_is_an_error_that_gives_the_byte(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"labels\.txt: not UTF-8 text .* at byte 7"):
        write(tmp_path, b"cat\ncaf\xe9\n")


def test_an_unknown_label_space_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(LabelError, match=r"'imagenet-2k'.*imagenet-1k, imagenet-12k"):
        load_labels("imagenet-2k")


def test_a_folder_is_no_label_file(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no label file"):
        load_labels(str(tmp_path))


def test_a_label_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """A notebook that stays open sees what the file says now."""
    assert write(tmp_path, b"cat\n").simple == ("cat",)
    assert write(tmp_path, b"dog\n").simple == ("dog",)
