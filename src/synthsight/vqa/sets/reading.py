"""Reading a set of questions as it is published: which questions, and about which images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from synthsight.images.finding import ImageFinder
from synthsight.tabular import Form, TableError, read_rows
from synthsight.values import text_of
from synthsight.vqa.sets.below import Below, Shown, by_prompts
from synthsight.vqa.sets.forms import (
    ANNOTATIONS,
    CELL,
    INDEX,
    KNOWN,
    NAME,
    PROMPT,
    QUESTIONS,
    SetForm,
    advice,
    pair_of,
)
from synthsight.vqa.sets.given import Given, Read, kept_or_read
from synthsight.vqa.sets.vqa2 import read_pair

#: A question, and an image that it is about.
Row = tuple[Given, Shown]

#: Images that a note names.
_NAMED = 3


def read_set(
    path: Path,
    form: SetForm,
    columns: Mapping[str, str],
    find: ImageFinder,
    below: Below,
    notes: list[str],
    kept: Path | None,
) -> Iterator[Row]:
    """Yield the questions of a table in one of the known forms, each with an image.

    Of a question about all images of a prompt there is one for each of these; for a generator that
    has none there is one with the reason.

    Args:
        path: the file.
        form: its form.
        columns: the names of the columns of questions; of those that the form does not know, such
            as ``objects``, the file may have some.
        find: looks images up by their paths.
        below: looks them up otherwise.
        notes: receives what was recognised, and what else the user should know.
        kept: folder of caches, or None.

    Raises:
        synthsight.tabular.TableError: the file cannot be read, or has no images to go with it.
    """
    optional = {key: name for key, name in columns.items() if key not in _STATED}
    how = [form.name, form.image, form.by, sorted(optional.items())]
    read = kept_or_read(
        (path,), how, kept if form.by == INDEX else None, partial(_read, path, form, optional)
    )
    notes.extend(read.notes)
    asked = f"{len(read.given):,} yes/no questions"
    if form.answer is None:
        asked = f"{len(read.given):,} questions, whose answers are all yes"
    passed = sum(read.passed.values())
    others = f"; passed over are those with other choices than yes and no, {passed:,}"
    notes.append(
        f"{path} is a set of questions in the form of {form.name}: {asked}"
        + (others if passed else "")
    )
    yield from _with_images(path, form, read, find, below, notes)


_STATED = ("image", "question", "answer")


def _read(path: Path, form: SetForm, optional: Mapping[str, str]) -> Read:
    columns = {
        "image": form.image,
        "question": form.question,
        **({} if form.answer is None else {"answer": form.answer}),
        **({} if form.choices is None else {"choices": form.choices}),
        **{key: name for key, name in optional.items() if name not in (form.image, form.question)},
    }
    wanted = Form(
        *(columns, list(optional), "vqa.columns", "a file of questions", "questions"),
        known=KNOWN,
        embedded=advice(path),
        cell=CELL,
    )
    given = []
    passed: Counter[str] = Counter()
    for line, row in read_rows(path, wanted):
        cells = {key: row.get(name) for key, name in columns.items() if key != "choices"}
        if form.choices is not None and not _are_yes_and_no(row.get(form.choices)):
            passed["choices"] += 1
            continue
        if form.answer is None:
            cells["answer"] = "yes"
        given.append(Given(line, cells))
    return Read(tuple(given), dict(passed))


def _are_yes_and_no(choices: Any) -> bool:
    """Whether the answers to choose from are yes and no; as text, they may stand in brackets."""
    if isinstance(choices, str):
        choices = [each.strip(" '\"") for each in choices.strip(" []").split(",")]
    if not isinstance(choices, list | tuple):
        return False
    return sorted(text_of(each).lower() for each in choices) == ["no", "yes"]


def _with_images(
    path: Path,
    form: SetForm,
    read: Read,
    find: ImageFinder,
    below: Below,
    notes: list[str],
) -> Iterator[Row]:
    named = [text_of(each.cells["image"]) for each in read.given]
    if form.by == PROMPT:
        yield from _of_prompts(path, read, named, below, notes)
    elif form.by == NAME:
        for each, name in zip(read.given, named, strict=True):
            shown = Shown(name)
            if name and find.find(name)[1] is not None:
                shown = below.named(name) or shown
            yield each, shown
    else:
        found = [below.called(name) if name else Shown(name) for name in named]
        if found and all(each.reason is not None for each in found):
            raise TableError(
                f"{path}: no image is called like a row, as VLMEvalKit calls them: "
                f"{found[0].reason}. If the images are in the table itself, {advice(path)}"
            )
        yield from zip(read.given, found, strict=True)


def _of_prompts(
    path: Path, read: Read, named: Sequence[str], below: Below, notes: list[str]
) -> Iterator[Row]:
    prompts = set(named) - {""}
    found = by_prompts(below, prompts)
    images = sum(map(len, found.by_prompt.values()))
    makers = [name for name in found.generators if name is not None]
    notes.append(
        f"{path}: below {below.root} are {images:,} images of {len(found.by_prompt):,} of its "
        f"{len(prompts):,} prompts" + (f", by the generators {', '.join(makers)}" if makers else "")
    )
    if found.others and images:
        named_others = ", ".join(found.others[:_NAMED])
        more = ", ..." if len(found.others) > _NAMED else ""
        notes.append(
            f"{path}: {len(found.others):,} images below {below.root} are of no prompt of it, and "
            f"nothing is asked about them: {named_others}{more}"
        )
    for each, prompt in zip(read.given, named, strict=True):
        if not prompt:
            yield each, Shown("")
        else:
            yield from ((each, shown) for shown in found.of(prompt, below))


def read_vqa2(
    paths: Sequence[Path],
    annotations: Sequence[Path],
    below: Below,
    notes: list[str],
    kept: Path | None,
) -> Iterator[tuple[Path, Row]]:
    """Yield the yes/no questions of pairs of files of VQA v2, each with its file and its image.

    Args:
        paths: files of questions.
        annotations: the files of annotations that go with them, in the same order.
        below: looks up images by their numbers.
        notes: receives what was recognised.
        kept: folder of caches, or None.

    Raises:
        synthsight.tabular.TableError: they are no such pairs, or cannot be read.
    """
    check_pairs(paths, annotations)
    for path, answers in zip(paths, annotations, strict=True):
        read = kept_or_read((path, answers), "VQA v2", kept, partial(read_pair, path, answers))
        notes.extend(read.notes)
        passed = ", ".join(f"{count:,} of the type {kind!r}" for kind, count in read.passed.items())
        notes.append(
            f"{path} is a set of questions in the form of VQA v2: {len(read.given):,} yes/no "
            "questions" + (f"; passed over are {passed}" if passed else "")
        )
        for each in read.given:
            image = each.cells["image"]
            number = int(image) if image.isascii() and image.isdecimal() else None
            shown = Shown(image) if number is None else below.numbered(number)
            yield path, (each, shown)


def check_pairs(paths: Sequence[Path], annotations: Sequence[Path]) -> None:
    """Refuse files that are no pairs of questions and annotations.

    Raises:
        synthsight.tabular.TableError: the message says what to write.
    """
    for path in paths:
        kind = pair_of(path)
        if kind == ANNOTATIONS:
            raise TableError(
                f"{path} holds the annotations of VQA v2: name it in vqa.annotations, and the file "
                "of its questions here"
            )
        if annotations and kind != QUESTIONS and path.exists():
            raise TableError(
                f"{path} is not a file of questions of VQA v2, so vqa.annotations says nothing "
                "about it: remove that key"
            )
        if not annotations and kind == QUESTIONS:
            raise TableError(
                f"{path} holds the questions of VQA v2, without answers: name the file of its "
                "annotations in vqa.annotations"
            )
    for path in annotations:
        if path.exists() and pair_of(path) != ANNOTATIONS:
            raise TableError(f"{path}, in vqa.annotations, does not hold the annotations of VQA v2")
    if annotations and len(annotations) != len(paths):
        raise TableError(
            f"there are {len(annotations)} files in vqa.annotations, and {len(paths)} in "
            "vqa.questions: name one for each, in the same order"
        )
