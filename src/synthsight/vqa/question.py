"""A question about an image, as a file has it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """A question, as given in the file.

    Attributes:
        line: line of the file, from 1; for Parquet and VQA v2, which have no lines, the number of
            the row or question, from 1.
        image: path below the images' root, in POSIX form.
        question: its text, without surrounding whitespace.
        answer: the truth, ``yes`` or ``no``; the file's own text if it is neither.
        generator: the image's generator, or None.
        objects: names of objects in the image, separated by ``&&``, for OFA's prompt, or None.
        reason: why the question is left out; None if it is not.
        group: what the image has in common with others of one prompt, seed or scene, or None. It
            decides nothing about what is asked, so digests of questions are without it.
        file: the file that it is from; likewise no part of digests.
    """

    line: int
    image: str
    question: str
    answer: str
    generator: str | None = None
    objects: str | None = None
    reason: str | None = None
    group: str | None = field(default=None, repr=False)
    file: str = field(default="", repr=False, compare=False)
