"""Putting yes/no questions to a VQA model: P(yes) for each question."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synthsight.errors import SynthsightError
from synthsight.images.reading import open_checked
from synthsight.inference.batches import Batches, fetch, set_precision
from synthsight.vqa.answers import Answers
from synthsight.vqa.families.base import UnansweredError, VqaModel
from synthsight.vqa.putting import GREY
from synthsight.vqa.shards import ShardRow
from synthsight.wording import one_line


class NonFiniteAnswersError(SynthsightError):
    """A model that answers with NaN or an infinite value."""


def ask(
    model: VqaModel[Any, Any, Any],
    rows: Sequence[ShardRow],
    root: Path,
    batch_size: int,
    threads: int = 1,
    precision: str = "fp32",
    blind: bool = False,
    release: Callable[[], bool] = lambda: False,
) -> Answers:
    """Ask every question; each image is decoded once for all its questions.

    It is encoded once, too, by families whose ``see`` does that.

    Questions of about the same length share a batch, or those about an image, as the family
    prefers. If memory runs out and none can be released,
    the current batch is halved; beyond float rounding, P(yes) does not depend on the batch.
    What the model cannot take stays unanswered, with a reason. Progress is printed.

    Args:
        model: the model to ask.
        rows: questions with status ``ok``.
        root: folder that image paths are relative to.
        batch_size: initial number of questions per batch.
        threads: number of images decoded in parallel.
        precision: one of :data:`synthsight.inference.batches.PRECISIONS`.
        blind: whether the model sees nothing: each image is put as a mid-grey one of its size, and
            no names of objects, which were seen in it, are told.
        release: see :class:`synthsight.inference.batches.Batches`.

    Returns:
        The answers, in the order of the rows.

    Raises:
        NonFiniteAnswersError: an answer is not finite; the message has their number and the first.
        torch.OutOfMemoryError: a single question does not fit.
    """
    sha256 = {row.image: row.sha256 for row in rows}
    questions_of: dict[str, list[int]] = {}
    texts: list[Any] = []
    reasons: list[str | None] = []
    for index, row in enumerate(rows):
        try:
            texts.append(model.read(row.question, None if blind else row.objects))
            reasons.append(None)
            questions_of.setdefault(row.image, []).append(index)
        except UnansweredError as error:
            texts.append(None)
            reasons.append(str(error))
    images = sorted(questions_of)
    given = np.full((len(rows), 2), np.nan)
    seeing, answering = Batches(batch_size, release), Batches(batch_size, release)
    answered, start = 0, time.perf_counter()

    def prepare(image: str) -> Tensor | Image.Image | UnansweredError:
        picture = open_checked(root, image, sha256[image])
        if blind:
            picture = Image.new("RGB", picture.size, GREY)
        try:
            look: Tensor | Image.Image = model.prepare(picture)
        except UnansweredError as error:
            return error
        return look

    with (
        torch.inference_mode(),
        set_precision(precision, model.device),
        ThreadPoolExecutor(threads) as pool,
    ):
        for first in range(0, len(images), model.window):
            window = images[first : first + model.window]
            alike: dict[tuple[int, ...], dict[str, Tensor | Image.Image]] = {}
            for image, look in zip(window, pool.map(prepare, window), strict=True):
                if isinstance(look, UnansweredError):
                    for index in questions_of[image]:
                        reasons[index] = str(look)
                    answered += len(questions_of[image])
                    continue
                alike.setdefault(_size_of(look), {})[image] = look
            for group in alike.values():
                seen = _joined(list(seeing.run(model.see, list(group.values()))))
                place = {image: number for number, image in enumerate(group)}
                asked = [index for image in group for index in questions_of[image]]
                if not model.by_image:
                    asked.sort(key=lambda index: len(texts[index]))

                def answer(
                    part: list[int], seen: Tensor | list[Any] = seen, place: dict[str, int] = place
                ) -> Tensor:
                    about = [place[rows[index].image] for index in part]
                    try:
                        found = model.margins(seen, about, [texts[index] for index in part])
                    except UnansweredError as error:
                        if len(part) > 1:
                            return torch.cat([answer([index], seen, place) for index in part])
                        reasons[part[0]] = str(error)
                        return torch.full((1, 2), torch.nan, device=model.device)
                    return found if found.ndim == 2 else _without_mass(found)

                given[asked] = torch.cat(fetch(answering.run(answer, asked))).double().numpy()
                answered += len(asked)
            speed = answered / (time.perf_counter() - start)
            print(f"{answered} of {len(rows)} questions, {speed:.1f} per second", flush=True)
    asked_for = np.array([reason is None for reason in reasons], np.bool_)
    margins, mass = given.T
    bad = ~np.isfinite(margins) & asked_for
    if bad.any():
        first_bad = rows[int(bad.argmax())]
        raise NonFiniteAnswersError(
            f"NaN or infinite answers to {bad.sum()} of {len(rows)} questions, the first about "
            f"{first_bad.image!r}, {first_bad.question!r}: the checkpoint is damaged"
        )
    left = int((~asked_for).sum())
    if left:
        first_left = int((~asked_for).argmax())
        row = rows[first_left]
        print(
            f"WARNING: {left} of {len(rows)} questions stay unanswered, the first about "
            f"{row.image!r}, {one_line(row.question, 200)!r}: {reasons[first_left]}",
            flush=True,
        )
    return Answers(1 / (1 + np.exp(-margins)), mass, reasons)


def _without_mass(margins: Tensor) -> Tensor:
    return torch.stack([margins, torch.full_like(margins, torch.nan)], dim=1)


def _size_of(look: Tensor | Image.Image) -> tuple[int, ...]:
    return look.size if isinstance(look, Image.Image) else tuple(look.shape)


def _joined(parts: list[Any]) -> Tensor | list[Any]:
    """The features of several batches as those of one."""
    return torch.cat(parts) if isinstance(parts[0], Tensor) else list(chain.from_iterable(parts))
