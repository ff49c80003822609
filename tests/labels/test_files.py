"""Label files as people find them: numbered, with synsets, in JSON, and what is none."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest

from synthsight.labels.files import LabelError
from synthsight.labels.matching import chosen
from synthsight.labels.spaces import LabelSpace, load_labels

TENCH, SHARK, HEN = "n01440764", "n01484850", "n01514859"

NAMES = (("tench", "Tinca tinca"), ("great white shark",), ("hen",))

#: Files that all say the same three classes.
SAME = {
    "lines": "tench, Tinca tinca\ngreat white shark\nhen\n",
    "numbered": "0 tench, Tinca tinca\n1 great white shark\n2 hen\n",
    "numbered from one": "1: tench, Tinca tinca\n2: great white shark\n3: hen",
    "numbered with tabs": "0\ttench, Tinca tinca\r\n1\tgreat white shark\r\n2\then\r\n",
    "numbered in a table": "index,name\n0,tench, Tinca tinca\n1,great white shark\n2,hen\n",
    "a table with a header and two columns that say the same": (
        'id,"name",output\n3,hen,2\n1,"tench, Tinca tinca",0\n2,great white shark,1\n'
    ),
    "a table with the index of pandas": (
        ',class_name\n0,"tench, Tinca tinca"\n1,great white shark\n2,hen\n'
    ),
    "a table with tabs": "ClassId\tName\n2\then\n0\ttench, Tinca tinca\n1\tgreat white shark\n",
    "a table of synsets": (
        f"wnid;names;index\n{HEN};hen;2\n{TENCH};tench, Tinca tinca;0\n"
        f"{SHARK};great white shark;1\n"
    ),
    "a table of synsets without numbers": (
        f'synset,words\n{TENCH},"tench, Tinca tinca"\n{SHARK},great white shark\n{HEN},hen\n'
    ),
    "digits of another width": (
        "\uff12 hen\n\uff10 tench, Tinca tinca\n\uff11 great white shark\n"
    ),
    "circled digits": "③ hen\n① tench, Tinca tinca\n② great white shark\n",
    "a Python mapping of names": (
        "{'hen': 2,\n 'tench, Tinca tinca': 0,\n 'great white shark': 1}\n"
    ),
    "Python tuples": "('hen', 2),\n('tench, Tinca tinca', 0),\n('great white shark', 1)\n",
    "a Python list": "[\n 'tench, Tinca tinca',\n 'great white shark',\n 'hen',\n]\n",
    "a Python list in a line": "['tench, Tinca tinca', 'great white shark', 'hen']",
    "a Python mapping in a line": (
        "{2: ('hen',), 0: ('tench', 'Tinca tinca'), 1: ('great white shark',)}"
    ),
    "quoted names": '"tench, Tinca tinca",\n"great white shark",\n"hen"\n',
    "a list in Markdown": "* tench, Tinca tinca\n* great white shark\n* hen\n",
    "a numbered list in a list": "- 3: hen\n- 1: tench, Tinca tinca\n- 2: great white shark\n",
    "square brackets": "[2] hen\n[0] tench, Tinca tinca\n[1] great white shark\n",
    "a list of mappings": json.dumps(
        [
            {"id": 3, "name": "hen", "kind": "bird"},
            {"id": 1, "name": "tench, Tinca tinca", "kind": "fish"},
            {"id": 2, "name": "great white shark", "kind": "fish"},
        ]
    ),
    "annotations as COCO's": json.dumps(
        {
            "info": {},
            "categories": [
                {"name": "great white shark", "id": 2},
                {"name": "tench, Tinca tinca", "id": 1},
                {"name": "hen", "id": 3},
            ],
        }
    ),
    "below a key": json.dumps({"classes": ["tench, Tinca tinca", "great white shark", "hen"]}),
    "dashes": "2 - hen\n0 - tench, Tinca tinca\n1 \u2013 great white shark\n",
    "numbered in another order": "2: hen\n0: tench, Tinca tinca\n1: great white shark\n",
    "numbered at the end": "hen,2\ntench, Tinca tinca,0\ngreat white shark,1\n",
    "numbered at the end of a table": (
        'name,index\ngreat white shark,2\nhen,3\n"tench, Tinca tinca",1\n'
    ),
    "as Places365's": "tench, Tinca tinca 0\ngreat white shark 1\nhen 2\n",
    "numbers that pandas has widened": "hen,2.0\ngreat white shark,1.0\ntench, Tinca tinca,0.0\n",
    "bars": "2|hen\n0|tench, Tinca tinca\n1|great white shark\n",
    "equals signs": "hen=2\ngreat white shark=1\ntench, Tinca tinca=0\n",
    "arrows": "2 -> hen\n0 -> tench, Tinca tinca\n1 -> great white shark\n",
    "brackets": "(2) hen\n(0) tench, Tinca tinca\n(1) great white shark\n",
    "words in front": "class 2: hen\nclass 0: tench, Tinca tinca\nclass 1: great white shark\n",
    "YAML": "names:\n  2: hen\n  0: tench, Tinca tinca\n  1: great white shark\n",
    "pairs": json.dumps([["2", "hen"], ["0", "tench", "Tinca tinca"], ["1", "great white shark"]]),
    "pairs with the number last": json.dumps(
        [["hen", 3], ["tench", "Tinca tinca", 1], ["great white shark", 2]]
    ),
    "a Python mapping": "{0: 'tench, Tinca tinca',\n 1: \"great white shark\",\n 2: 'hen'}\n",
    "a Python mapping of quoted numbers": (
        "{'0': 'tench, Tinca tinca',\n '1': 'great white shark',\n '2': 'hen',\n}\n"
    ),
    "synsets, names and numbers": (
        f"{HEN},hen,2\n{TENCH},tench, Tinca tinca,0\n{SHARK},great white shark,1\n"
    ),
    "a list": json.dumps(["tench, Tinca tinca", "great white shark", "hen"]),
    "a list of lists": json.dumps([["tench", "Tinca tinca"], ["great white shark"], ["hen"]]),
    "a mapping": json.dumps({"0": "tench, Tinca tinca", "1": "great white shark", "2": "hen"}),
    "a mapping in another order": json.dumps(
        {"2": "hen", "1": "great white shark", "0": ["tench", "Tinca tinca"]}
    ),
    "a config.json": json.dumps(
        {
            "model_type": "vit",
            "id2label": {"0": "tench, Tinca tinca", "1": "great white shark", "2": "hen"},
        }
    ),
    "numbers of folders": json.dumps({"hen": 2, "tench, Tinca tinca": 0, "great white shark": 1}),
    "synsets in front": f"{TENCH} tench, Tinca tinca\n{SHARK} great white shark\n{HEN} hen\n",
    "class_index": json.dumps(
        {"0": [TENCH, "tench", "Tinca tinca"], "1": [SHARK, "great white shark"], "2": [HEN, "hen"]}
    ),
    "synsets and numbers": (
        f"{TENCH} 1 tench, Tinca tinca\n{SHARK} 2 great white shark\n{HEN} 3 hen\n"
    ),
}


def load(folder: Path, text: str, name: str = "labels.txt") -> LabelSpace:
    (folder / name).write_bytes(text.encode())
    return load_labels(str(folder / name))


@pytest.mark.parametrize("what", SAME)
def test_the_usual_forms_of_a_label_file_say_the_same(tmp_path: Path, what: str) -> None:
    space = load(tmp_path, SAME[what])
    assert space.lemmas == NAMES
    assert space.simple == ("tench", "great white shark", "hen")
    unread = ("not read: column 'kind'",) if what == "a list of mappings" else ()
    assert space.notes == unread
    with_synsets = "synsets" in what or what == "class_index"
    assert space.synsets == ((TENCH, SHARK, HEN) if with_synsets else None)


def test_names_with_underscores_match_as_the_words_they_are(tmp_path: Path) -> None:
    content = {"0": [TENCH, "tench"], "1": [SHARK, "great_white_shark"], "2": [HEN, "hen"]}
    space = load(tmp_path, json.dumps(content))
    assert chosen(["great white shark"], space).tolist() == [False, True, False]
    assert chosen([SHARK], space).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "text",
    [
        f"{TENCH}\n{SHARK}\n",
        f"1 {SHARK}\n0 {TENCH}\n",
        f"{SHARK},1\n{TENCH},0\n",
        f"{SHARK} 1\n{TENCH} 0\n",
        json.dumps([TENCH, SHARK]),
        json.dumps({"1": SHARK, "0": TENCH}),
        json.dumps({SHARK: 1, TENCH: 0}),  # class_to_idx of torchvision's ImageFolder
    ],
)
def test_a_file_of_synsets_alone_has_the_names_of_wordnet(tmp_path: Path, text: str) -> None:
    space = load(tmp_path, text)
    assert space.synsets == (TENCH, SHARK)
    assert space.lemmas[0] == ("tench", "Tinca tinca")
    with pytest.raises(LabelError, match="names of n99999999 are not known"):
        load(tmp_path, f"{TENCH}\nn99999999\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("1957 Chevrolet\n1967 Ford\n", 2),
        ("3 wheeler\ncar\n", 2),
        ("7 seven\n", 1),
        ("1 cent\n2 cents\n", 2),
        ("1 cent\n2 cent\n", 2),
        ("7, seven\n5, five\n", 2),
        ("Boeing 747\nBoeing 737\n", 2),
        ("id card\n0 point\n", 2),
        ("2 cents\n1 cent\n", 2),
        ("2 seater\n3 wheeler\n", 2),
        ("crane 2\ncrane 1\ncrane 0\n", 3),
        ("Windows 95\nWindows 98\nDOS 6\n", 3),
        ("Audi S4 2012\nAudi S4 2007\nBMW M3 2012\nBMW 3 Series 2012\n", 4),
        ("background\n1 kite\n2 clock\n", 3),  # the numbers say the order that the lines are in
        ("1.5 l can\n0.5 l bottle\n", 2),
        ("737-200\n747-100\nF-16\nIl-2\n", 4),
        ("angle: 0\nangle: 90\nangle: 180\n", 3),
        ("grade: 2\ngrade: 0\ngrade: 1\n", 3),
        ("stage=1\nstage=2\n", 2),
        ("2 wheel\n3 wheel\n4 wheel\n", 3),
        ("2-wheel\n3-wheel\n4-wheel\n", 3),
        ("4 wheeler car\n5 wheeler lorry\n6 wheeler truck\n", 3),
        ("0-2\n3-9\n10-19\n", 3),  # years, as FairFace's
        ("A320\nA330\nB737\n", 3),
        ("MP3 player\nMP4 player\n", 2),
        ("1 bamboo\n2 bamboo\n3 bamboo\n1 dot\n2 dots\n3 dots\n", 6),
    ],
)
def test_names_that_begin_with_a_number_stay(tmp_path: Path, text: str, lines: int) -> None:
    assert load(tmp_path, text).simple == tuple(
        line.partition(",")[0] for line in text.strip().split("\n")
    )
    assert len(load(tmp_path, text)) == lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\n1\n2\n", "its 3 classes have numbers, not names"),
        ("17\n4\n", "its 2 classes have numbers, not names"),
        ("0,17\n1,4\n", "its 2 classes have numbers, not names"),
        ("0: a\n1: b\n3: c\n", r"without gaps \(2 is missing\), so the order is unknown"),
        ("0: a\n1: b\n1: c\n", "but 1 stands twice"),
        ("0: a\n1: \n2: c\n\n", "line 2: a class without a name"),
        ('{"0": "a", "0": "b"}', "a key occurs twice"),
        (
            f"{TENCH} 2 tench\n{HEN} 1 hen\n",
            "a synset and a number, and the numbers are in the order neither",
        ),
        ("a,1\nb,3\n", r"they are not 0, 1, 2.*\(2 is missing\)"),
        ("a,0\nb,0\n", "but 0 stands twice"),
        ('{"0": "a", "2": "b"}', "without gaps"),
        ('{"a": 0, "b": 0}', "two names have the same number"),
        ('{"0": "LABEL_0", "1": "LABEL_1"}', "its 2 classes have numbers, not names"),
        ("0: \n1: \n", "its 2 classes have numbers, not names"),
        ('{"a": "b"}', "expected a line per class, or JSON"),
        ('[["a"], 3]', "class 1 is '3'"),
        ("{0: 'a', 0: 'b', 1: 'c'}", "a key occurs twice"),
        ("{'a': 1, 'b': 1}", "two names have the same number"),
        ('[{"id": 1, "name": "a"}, {"name": "b"}]', "class 0 is "),
        ('[{"id": 1, "name": "a"}, {"id": 5, "name": "b"}]', "column 'id' does not number"),
        ('["a", ""]', "class 1 has no name"),
        ("[]", "expected a line per class"),
        ('{"a": ', "neither JSON nor text"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "it is a Git LFS pointer"),
        ("<!DOCTYPE html><html>", "it is a web page"),
        ("PK\x03\x04 and so on", "it is a zip archive: unpack it first, not a label file"),
    ],
)
def test_what_does_not_say_the_names_of_all_classes_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(LabelError, match=message) as caught:
        load(tmp_path, text)
    assert "labels.txt" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("kite,1,x\nclock,0,y\nbagel,2,z\n", "they are in another order than"),
        (
            "wall clock,1,a device\nkite,0,toy\nbagel,2,daily bread\n",
            "they are in another order than",
        ),
        (
            "nombre,orden,x\nkite,1,a\nclock,0,b\nbagel,2,c\n",
            r"line 1 has none \(if it is a header",
        ),
        ("0,clock\n2,bagel\n1,kite\n2,pretzel\n", "2 stands twice"),
        ("0 clock\n2 bagel\n1 kite\n4 pretzel\n", "they are not 0, 1, 2"),
        ("2,bagel\n3,clock\n4,kite\n", "they are not 0, 1, 2"),
        ("-1,bg\n0,kite\n1,clock\n", "they are not 0, 1, 2"),
        ("1 kite\n0 clock\nbagel\n", "line 3 has none"),
        ("kite 1\nclock\nbagel 0\n", "line 2 has none"),
        ("1_kite\n0_clock\n2_bagel\n", "they are in another order than"),
        ("kite-1\nclock-0\n", "they are in another order than"),
        ("c1 kite\nc0 clock\n", "they are in another order than"),
        ("1kite\n0clock\n", "they are in another order than"),
        ("kite1\nclock0\nbagel2\n", "they are in another order than"),
        ("kite\uff11\nclock\uff10\n", "they are in another order than"),
        ("3D model\n2D sketch\n1D array\n", "they are in another order than"),
        ("Grade 0 healthy\nGrade 2 ill\nGrade 1 mild\n", "they are in another order than"),
        ("hen,3\nhen,2\ncock,1\ncock,0\n", "they are in another order than"),
        ("2 people\n1 person\ncrowd\n", "line 3 has none"),
        ('[["kite", 7], ["clock", 4]]', "they are not 0, 1, 2"),
        ('[["1", "kite"], ["0", "clock"], ["0", "bagel"]]', "0 stands twice"),
    ],
)
def test_numbers_that_leave_the_order_of_the_classes_open_are_refused(
    tmp_path: Path, text: str, trouble: str
) -> None:
    message = f"look like those of the classes, but {trouble}.* write each in front, `0: NAME`"
    with pytest.raises(LabelError, match=message):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "form",
    [
        *("{i} {n}", "{i}: {n}", "{i},{n}", "{i}\t{n}", "{i}. {n}", "{i:03d}.{n}", "({i}) {n}"),
        *("{i}|{n}", "{i} - {n}", "{i} -> {n}", "class {i}: {n}", "- {i}: {n}", "{i}: '{n}',"),
        *("{n},{i}", "{n}\t{i}", "{n}: {i}", "'{n}': {i},", "{n} -> {i}"),
    ],
)
def test_numbers_in_names_do_not_disturb_those_of_the_classes(tmp_path: Path, form: str) -> None:
    names = (
        "2 cents",
        "Boeing 747",
        "3D model",
        "7-eleven",
        "x: y",
        "U.S. dollar",
        "1 cent",
        "C++",
    )
    lines = [form.format(i=number, n=names[number]) for number in (3, 0, 7, 1, 6, 2, 5, 4)]
    assert load(tmp_path, "\n".join(lines)).simple == names


def test_a_number_before_a_dot_is_whole_where_most_are(tmp_path: Path) -> None:
    text = "003.7-eleven\n001.Black_footed_Albatross\n002.hen\n"
    assert load(tmp_path, text).simple == ("Black_footed_Albatross", "hen", "7-eleven")


def test_a_json_list_is_the_way_to_keep_numbers_in_names(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"in another order than the lines.*write a JSON list"):
        load(tmp_path, "Galaxy 2\nNexus 1\niPhone 3\n")
    assert load(tmp_path, '["Galaxy 2", "Nexus 1"]').simple == ("Galaxy 2", "Nexus 1")
    assert load(tmp_path, '["2 seater", "3 wheeler", "4 door"]').simple[0] == "2 seater"


def test_synsets_and_names_are_not_parted_by_a_second_number(tmp_path: Path) -> None:
    text = f"1,{HEN},hen,3\n2,{TENCH},tench,1\n3,{SHARK},great white shark,2\n"
    with pytest.raises(
        LabelError, match=r"two numbers.* the first \(1, 2, 3\) and the last \(3, 1, 2\)"
    ):
        load(tmp_path, text)


def test_mappings_may_have_padded_numbers(tmp_path: Path) -> None:
    assert load(tmp_path, '{"01": "kite", "00": "clock"}').simple == ("clock", "kite")
    with pytest.raises(LabelError):
        load(tmp_path, '{"\u00b2": "kite", "0": "clock"}')


def test_imagenets_own_names_are_read_as_they_are(tmp_path: Path) -> None:
    space = load_labels("imagenet-1k")
    names = tuple(tuple(name.split(", ")) for name in map(", ".join, space.lemmas))
    assert load(tmp_path, "\n".join(", ".join(each) for each in names)).lemmas == names
    assert load(tmp_path, "\n".join(space.simple)).simple == space.simple


def test_numbers_with_names_are_classes(tmp_path: Path) -> None:
    assert load(tmp_path, "zero\n1\n2\n").simple == ("zero", "1", "2")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("id,name,output\n0,hen,2\n1,kite,0\n2,vase,1\n", "columns 'id' and 'output'"),
        ("index\tlabel\timagenet_id\n1\then\t0\n0\tkite\t1\n", "'index' and 'imagenet_id'"),
        (",name,index\n0,hen,1\n1,kite,0\n", r"1 \(without a name\) and 'index'"),
        ("0,hen,2\n1,kite,0\n2,vase,1\n", r"the first \(0, 1, 2\) and the last \(2, 0, 1\)"),
        ("0,2,hen\n1,0,kite\n2,1,vase\n", r"the first \(0, 1, 2\) and number 2 \(2, 0, 1\)"),
        ("2 hen 0\n0 kite 1\n1 vase 2\n", r"the first \(2, 0, 1\) and the last \(0, 1, 2\)"),
        ("1 hen,2\n2 kite,0\n0 vase,1\n", r"the last \(2, 0, 1\) and the first \(1, 2, 0\)"),
        ("1 002.hen\n2 001.kite\n", r"the first \(1, 2\) and the first \(2, 1\)"),
        ('[[0, "hen", 1], [1, "kite", 0]]', r"the first \(0, 1\) and the last \(1, 0\)"),
    ],
)
def test_two_columns_that_number_the_classes_differently_are_an_error_that_names_both(
    tmp_path: Path, text: str, columns: str
) -> None:
    with pytest.raises(LabelError, match=f"{columns}.*[Rr]emove the one that does not say which"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "names", "unread"),
    [
        ("wn id,label,index\n217,springer,1\n0,tench,0\n", (("tench",), ("springer",)), "wn id"),
        ("id,name,kind\n2,kite,toy\n1,hen,bird\n", (("hen",), ("kite",)), "kind"),
        ("217,springer,1\n0,tench,0\n", (("tench", "0"), ("springer", "217")), None),
        ("1,217,springer\n0,0,tench\n", (("tench", "0"), ("springer", "217")), None),
        ("1: 2 cents\n0: 1 cent\n", (("1 cent",), ("2 cents",)), None),
        ("2 cents,1\n1 cent,0\n", (("1 cent",), ("2 cents",)), None),
        ("0: Galaxy 2\n1: Nexus 1\n", (("Galaxy 2",), ("Nexus 1",)), None),
        ("0,hen,1957\n1,kite,1957\n", (("hen", "1957"), ("kite", "1957")), None),
    ],
)
def test_of_two_columns_of_numbers_that_of_all_classes_gives_the_order(
    tmp_path: Path, text: str, names: tuple[tuple[str, ...], ...], unread: str | None
) -> None:
    space = load(tmp_path, text)
    assert space.lemmas == names
    assert space.notes == (() if unread is None else (f"not read: column {unread!r}",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,name\n5,hen\n17,kite\n", "column 'id' does not number the classes"),
        ("id,species,genus\n0,a,b\n1,c,d\n", "not clear which of columns 'id', 'species' and 'gen"),
        ("label,name\n0,0\n1,1\n", r"not clear which.*If they are numbers alone, write a JSON"),
        ("id,name,url\n0,hen,a\n1,kite\n", "line 3 has 2 cells, and the header 3"),
    ],
)
def test_a_table_that_does_not_say_what_its_columns_are_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        load(tmp_path, text)


@pytest.mark.parametrize("text", ["c0 hen\nc1 kite\n", "1hen\n2kite\n", "hen0\nkite1\n"])
def test_numbers_of_the_lines_within_words_stay_and_are_noted(tmp_path: Path, text: str) -> None:
    space = load(tmp_path, text)
    assert list(space.simple) == text.split("\n")[:2]
    assert "the numbers are read as part of the names" in space.notes[0]


def test_the_advice_for_classes_called_by_numbers_keeps_these(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r'in a JSON list .*: \["7, seven", ...\]'):
        load(tmp_path, "0\n1\n")
    assert load(tmp_path, '["0, zero", "1, one"]').lemmas == (("0", "zero"), ("1", "one"))


def test_synsets_in_another_order_than_imagenets_are_noted(tmp_path: Path) -> None:
    """As in the development kit of 2012, whose numbers are no model's outputs."""
    space = load(tmp_path, f"{HEN} 1 hen\n{TENCH} 2 tench\n")
    assert space.synsets == (HEN, TENCH) and "not in alphabetical order" in space.notes[0]


def test_synsets_in_front_of_all_names_but_the_background_s_are_no_names(tmp_path: Path) -> None:
    space = load(tmp_path, f"background\n{TENCH}, tench\n{HEN}, hen\n")
    assert space.simple == ("background", "tench", "hen") and space.synsets is None


@pytest.mark.parametrize(
    "piece", ["\t", " \t", "1\t", "class ", ". ", "a1", "->", "( ", '","', "="]
)
def test_long_lines_take_no_square_of_time(tmp_path: Path, piece: str) -> None:
    """A square would be minutes; the bound is far above what a slow machine takes."""
    started = time.process_time()
    with contextlib.suppress(LabelError):
        load(tmp_path, f"{piece * 30_000}x\n" * 3)
    assert time.process_time() - started < 10
