"""A digest changes with what runs, and with nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synthsight.canonical import canonical_json
from synthsight.plan import digest as digest_module
from synthsight.plan.digest import code_digest, code_digests, recall_sources

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src" / "synthsight"

PROGRAM = '''#!/usr/bin/env python3
"""What the program does."""

from synthsight.labels.spaces import load_labels


def main() -> None:
    """Run it."""
    print(load_labels("imagenet-1k").simple[0], "a string")


class Thing:
    """A thing."""


if __name__ == "__main__":
    main()
'''

Digests = Callable[..., dict[str, str]]


@pytest.fixture(name="write")
def write_(tmp_path: Path) -> Callable[[str], Path]:
    """Write a program under a name of its own: digests are kept by path."""

    def write(text: str) -> Path:
        path = tmp_path / f"program{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        return path

    return write


class Copy:
    """A copy of the package and its programs, to be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(SOURCE, folder / "synthsight", ignore=ignore)
        shutil.copytree(REPOSITORY / "workflow" / "scripts", folder / "scripts", ignore=ignore)

    def digests(self, **environment: str) -> dict[str, str]:
        """The digest of every program, by a fresh interpreter that sees the copy."""
        code = (
            "import json, pathlib; from synthsight.plan.digest import code_digest; "
            "print(json.dumps({p.stem: code_digest(p) for p in pathlib.Path('scripts').iterdir()"
            " if p.suffix == '.py'}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def edit(self, name: str, old: str = "", new: str = "\n_EDITED = 1\n") -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text + new)

    def changed_by(self, name: str, old: str = "", new: str = "\n_EDITED = 1\n") -> set[str]:
        """The programs whose digest an edit changes."""
        before = self.digests()
        self.edit(name, old, new)
        after = self.digests()
        return {program for program in before if before[program] != after[program]}


@pytest.fixture(name="copy")
def copy_(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


# --- Settings ---------------------------------------------------------------------------------


def test_equal_settings_have_the_same_json_whatever_their_order() -> None:
    first = {"b": [1, 2.5, None], "a": {"y": True, "x": "é"}}
    second = {"a": {"x": "é", "y": True}, "b": (1, 2.5, None)}
    assert canonical_json(first) == canonical_json(second)
    assert canonical_json(first) == '{"a":{"x":"\\u00e9","y":true},"b":[1,2.5,null]}'


def test_the_order_of_a_list_counts() -> None:
    assert canonical_json([1, 2]) != canonical_json([2, 1])


def test_a_number_that_json_has_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"mean": float("nan")})


# --- One program ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: "# a comment\n" + text.replace("\n\n\n", "\n\n\n\n\n# another\n"),
        lambda text: text.replace('"""What the program does."""', '"""Something else."""'),
        lambda text: text.replace('    """Run it."""\n', ""),
        lambda text: text.replace('"""A thing."""', '"""Another thing."""'),
        lambda text: text.replace('"""A thing."""', "pass"),
        lambda text: text.replace('"', "'").replace("'''", '"""'),
        lambda text: text.replace('load_labels("', 'load_labels(\n        "'),
    ],
    ids=["nothing", "comment", "module", "function", "class", "no docstring", "quotes", "format"],
)
def test_comments_docstrings_and_formatting_do_not_count(write, change) -> None:
    assert code_digest(write(change(PROGRAM))) == code_digest(write(PROGRAM))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("[0]", "[1]"),
        lambda text: text.replace("a string", "b string"),
        lambda text: text.replace("class Thing", "class Other"),
        lambda text: text + "\nmain()\n",
        lambda text: text.replace("    main()\n", "    main()\n    'not a docstring'\n"),
        lambda text: text.replace(
            "synthsight.labels.spaces import",
            "synthsight.labels.matching import words\nfrom synthsight.labels.spaces import",
        ),
    ],
    ids=["number", "string", "name", "statement", "expression", "import"],
)
def test_whatever_runs_counts(write, change) -> None:
    assert change(PROGRAM) != PROGRAM
    assert code_digest(write(change(PROGRAM))) != code_digest(write(PROGRAM))


def test_a_digest_does_not_depend_on_where_the_program_lies(write, tmp_path: Path) -> None:
    first = write(PROGRAM)
    second = tmp_path / "elsewhere" / "other_name.py"
    second.parent.mkdir()
    second.write_text(PROGRAM)
    assert code_digest(first) == code_digest(second)


# --- What a program reaches -------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    "statement",
    [
        "from synthsight.labels.matching import words",
        "from synthsight.labels.matching import words as w, contains",
        "from synthsight.labels import matching",
        "import synthsight.labels.matching",
        "import os, synthsight.labels.matching as m",
        "def late():\n    from synthsight.labels.matching import words",
        "class Late:\n    def late(self):\n        import synthsight.labels.matching",
        "from synthsight.classifiers.score import top_k",
        "try:\n    from synthsight.labels import matching\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_is_followed_wherever_and_however_it_is_written(
    copy: Copy, statement: str
) -> None:
    shutil.rmtree(copy.folder / "scripts")
    (copy.folder / "scripts").mkdir()
    (copy.folder / "scripts" / "reaches.py").write_text(statement + "\n")
    (copy.folder / "scripts" / "other.py").write_text(
        "from synthsight.statistics.agreement import agreement\n"
    )
    assert copy.changed_by("synthsight/labels/matching.py") == {"reaches"}


@pytest.mark.long
def test_the_packages_above_a_module_are_reached(copy: Copy) -> None:
    everything = set(copy.digests())
    assert copy.changed_by("synthsight/__init__.py") == everything
    of_figures = copy.changed_by("synthsight/figures/__init__.py")
    assert of_figures == {"plot"}


@pytest.mark.long
def test_an_edit_of_the_scoring_reaches_scoring_and_no_classification(copy: Copy) -> None:
    for module in ("classifiers/score", "labels/matching"):
        changed = copy.changed_by(f"synthsight/{module}.py")
        assert "score" in changed
        assert not changed & {
            *("index_images", "list_excluded", "fetch_weights", "prepare_pixels", "classify"),
            *("tabulate", "plot"),
        }


@pytest.mark.long
def test_an_edit_of_the_image_reader_reaches_those_that_read_images(copy: Copy) -> None:
    changed = copy.changed_by("synthsight/images/reading.py")
    assert {"index_images", "prepare_pixels"} <= changed
    assert not changed & {"score", "tabulate"}


@pytest.mark.long
@pytest.mark.parametrize(
    "file",
    ["templates/report.html.j2", "style.css", "program/charts.js", "vendor/d3.min.js"],
)
def test_an_edit_of_what_the_page_is_made_of_reaches_the_page_alone(copy: Copy, file: str) -> None:
    assert copy.changed_by(f"synthsight/report/{file}", new="\n") == {"report"}


@pytest.mark.long
def test_an_edit_of_what_is_said_of_duplicates_reaches_what_says_or_shows_it(copy: Copy) -> None:
    for module, reached in (
        ("duplicates", {"find_duplicates"}),
        ("neighbours", {"find_duplicates", "list_excluded"}),
        ("exclusion", {"list_excluded"}),
        ("pairs", {"find_duplicates", "list_excluded", "thumbnails_duplicates", "report"}),
    ):
        assert copy.changed_by(f"synthsight/images/{module}.py") == reached
    assert {"index_images", "find_duplicates"} <= copy.changed_by("synthsight/images/hashing.py")


@pytest.mark.long
def test_a_comment_in_a_module_reaches_nothing(copy: Copy) -> None:
    assert copy.changed_by("synthsight/files.py", new="\n# a comment\n") == set()
    assert copy.changed_by("synthsight/files.py") > {"classify", "score"}


@pytest.mark.long
def test_an_edit_of_a_program_reaches_that_program_alone(copy: Copy) -> None:
    assert copy.changed_by("scripts/score.py") == {"score"}


@pytest.mark.long
def test_the_seed_of_hashes_and_the_place_of_the_package_do_not_count(copy: Copy) -> None:
    first, second = copy.digests(PYTHONHASHSEED="1"), copy.digests(PYTHONHASHSEED="2")
    assert first == second
    scripts = REPOSITORY / "workflow" / "scripts"
    assert first == {path.stem: code_digest(path) for path in scripts.glob("*.py")}


@pytest.mark.long
def test_modules_that_import_each_other_end_the_search(copy: Copy) -> None:
    copy.edit("synthsight/labels/matching.py", new="\nfrom synthsight.classifiers import score\n")
    assert set(copy.digests()) > {"score"}


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make this process as new: nothing was parsed in it."""

    def forget() -> None:
        monkeypatch.setattr(digest_module, "_PARSED", {})
        monkeypatch.setattr(digest_module, "_KNOWN", {})
        monkeypatch.setattr(digest_module, "_USED", set())
        digest_module._read.cache_clear()

    forget()
    return forget


def test_what_was_parsed_is_kept_for_the_next_start(
    tmp_path: Path, forgetful: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = []
    for name in ("one", "two"):
        programs.append(tmp_path / f"{name}.py")
        programs[-1].write_text(f"from synthsight import files\nprint({name!r})\n")
    kept = tmp_path / "kept"
    first = code_digests(programs, kept)
    assert first == {path.stem: code_digest(path) for path in programs}
    assert first["one"] != first["two"]
    file = kept / "code.json"
    written = file.stat().st_mtime_ns

    def refuse(*_: object) -> None:
        raise AssertionError("parsed again")

    forgetful()
    with monkeypatch.context() as patched:
        patched.setattr(digest_module.ast, "parse", refuse)
        recall_sources(kept)
        assert code_digests(programs, kept) == first
        assert file.stat().st_mtime_ns == written, "nothing new, nothing written"
        # An edit is parsed, whatever the file's times say.
        forgetful()
        recall_sources(kept)
        programs[0].write_text("print('another')\n")
        with pytest.raises(AssertionError, match="parsed again"):
            code_digests(programs, kept)
    forgetful()
    second = code_digests(programs, kept)
    assert second["two"] == first["two"]
    assert second["one"] != first["one"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"python": "2.7", "parsed": {"a": 1}}'])
def test_a_damaged_or_foreign_file_of_what_was_parsed_is_made_again(
    tmp_path: Path, forgetful: Callable[[], None], content: str
) -> None:
    program = tmp_path / "one.py"
    program.write_text("print(1)\n")
    (tmp_path / "code.json").write_text(content)
    recall_sources(tmp_path)
    assert code_digests([program], tmp_path) == {"one": code_digest(program)}
    assert "parsed" in (tmp_path / "code.json").read_text()
