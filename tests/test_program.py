"""How programs begin and end: arguments, pipes, help, one line for what a user can mend."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synthsight.errors import SynthsightError, about
from synthsight.files import atomic
from synthsight.program import Arguments, many, one, program

SPEC = ("--spec", '{"level": 0.9}')
GIVEN = ("--note", "n.json", "--scores", "a.parquet", "b.parquet", *SPEC)
REST = ("--batch-size", "8", "--csv", "out/t.csv", "--top-csv", "out/top.csv")


def made(function: Callable[[Arguments], None] = lambda args: None) -> Callable[[], None]:
    """A program with arguments of every kind."""

    @program(
        one("note", "a note"),
        many("scores", "scores"),
        many("vqa_scores", "more scores", required=False),
        one("checkpoint", "a file, perhaps", required=False),
        spec=True,
        outputs=["csv", "top_csv"],
        counts={"batch_size": None, "threads": 1},
    )
    def main(args: Arguments) -> None:
        """Not the help."""
        function(args)

    return main


def run(
    monkeypatch: pytest.MonkeyPatch, main: Callable[..., None], *arguments: str, **named: object
) -> None:
    monkeypatch.setattr(sys, "argv", ["folder/anything.py", *arguments])
    main(**named)


def given(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, object]:
    seen: list[Arguments] = []
    run(monkeypatch, made(seen.append), *arguments)
    return vars(seen[0])


def message(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> object:
    """What a program says that ends with an error, if it is one of its user's."""

    def fail(args: Arguments) -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, made(fail), *GIVEN, *REST)
    return caught.value.code


def test_a_program_gets_what_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, *GIVEN, *REST, "--vqa-scores", "--checkpoint") == {
        "note": "n.json",
        "scores": ["a.parquet", "b.parquet"],
        "vqa_scores": [],
        "checkpoint": None,
        "spec": {"level": 0.9},
        "csv": "out/t.csv",
        "top_csv": "out/top.csv",
        "batch_size": 8,
        "threads": 1,
    }


def test_what_need_not_be_given_is_empty_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = given(monkeypatch, *GIVEN, *REST)
    assert (seen["vqa_scores"], seen["checkpoint"]) == ([], None)
    seen = given(monkeypatch, *GIVEN, *REST, "--vqa-scores", "v", "--checkpoint", "c")
    assert (seen["vqa_scores"], seen["checkpoint"]) == (["v"], "c")


@pytest.mark.parametrize("option", ["--note", "--scores", "--spec", "--batch-size", "--csv"])
def test_what_must_be_given_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    arguments = [*GIVEN, *REST]
    at = arguments.index(option)
    count = 2 if option == "--scores" else 1
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, made(), *arguments[:at], *arguments[at + 1 + count :])
    assert caught.value.code == 2
    assert f"the following arguments are required: {option}\n" in capsys.readouterr().err


def test_options_are_not_guessed_from_their_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, made(), *GIVEN, *REST, "--thread", "2")


def piped(text: str) -> str:
    """A pipe as ``@<(printf ...)`` makes it."""
    end, start = os.pipe()
    os.write(start, text.encode())
    os.close(start)
    return f"@/dev/fd/{end}"


def test_lists_and_settings_come_through_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = piped("a b.parquet\n@c.parquet\n'd'.parquet\n")
    spec = piped(json.dumps({"category": "fig@ é"}) + "\n")
    seen = given(monkeypatch, "--note", "n", "--scores", scores, "--spec", spec, *REST)
    assert seen["scores"] == ["a b.parquet", "@c.parquet", "'d'.parquet"]
    assert seen["spec"] == {"category": "fig@ é"}


def test_a_file_may_begin_with_the_sign_of_a_pipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("images").write_text("other")
    assert given(monkeypatch, *GIVEN, *REST, "--checkpoint", "@images")["checkpoint"] == "@images"


def test_the_help_is_the_modules_docstring(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, made(), "--help")
    text = capsys.readouterr().out
    assert str(__doc__) in text and "Not the help" not in text
    assert "usage: test_program " in text and "a file, perhaps" in text


def test_what_a_worker_holds_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    @program()
    def main(args: Arguments, models: object = None) -> None:
        seen.append(models)

    seen: list[object] = []
    monkeypatch.setattr(sys, "argv", ["x"])
    main()
    main("models")
    assert seen == [None, "models"]


def test_an_error_for_the_user_is_one_line_and_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert message(monkeypatch, SynthsightError("no such thing")) == "test_program: no such thing"


def test_an_error_may_say_which_of_several_things_it_is_about() -> None:
    with pytest.raises(SynthsightError, match=r"^model 'a': no such thing$"), about("model 'a'"):
        raise SynthsightError("no such thing")


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "permissions"),
        (errno.EROFS, "can be written"),
        (errno.EIO, "check the disk"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    said = str(message(monkeypatch, OSError(code, "anything", "out/t.csv")))
    assert said.startswith(f"test_program: out/t.csv: {os.strerror(code)}; ")
    assert remedy in said and "\n" not in said


def test_a_missing_input_is_the_users_and_another_missing_file_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = FileNotFoundError(errno.ENOENT, "anything", "b.parquet")
    said = message(monkeypatch, gone)
    assert said == (
        "test_program: b.parquet: No such file or directory; run the workflow again: it makes what "
        "is missing"
    )
    other = FileNotFoundError(errno.ENOENT, "anything", "other")
    with pytest.raises(FileNotFoundError):
        message(monkeypatch, other)


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError("without a number")])
def test_any_other_error_is_a_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with pytest.raises(type(error)):
        message(monkeypatch, error)


def test_a_full_disk_is_named_by_the_file_that_was_written(tmp_path: Path) -> None:
    for error in (OSError(errno.ENOSPC, "full"), OSError(errno.ENOSPC, "full", "temporary")):
        with pytest.raises(OSError, match="full") as caught, atomic(tmp_path / "t.csv"):
            raise error
        assert caught.value.filename == str(tmp_path / "t.csv")
