"""Asking an endpoint the questions of a shard, several at a time, each once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from synthsight.vqa.answers import Answers
from synthsight.vqa.endpoint.client import (
    Access,
    EndpointError,
    NoReplyError,
    Patience,
    RefusedError,
    Server,
)
from synthsight.vqa.endpoint.journal import Entry, Journal, read_journals
from synthsight.vqa.endpoint.pictures import Picture, picture_of
from synthsight.vqa.endpoint.reply import Answer, Reply, answer_of
from synthsight.vqa.endpoint.request import (
    Asking,
    Dialect,
    body_of,
    digest_of,
    first_dialect,
)
from synthsight.vqa.putting import text_for
from synthsight.vqa.shards import ShardRow
from synthsight.wording import one_line

#: So many questions in a row without a reply, or twice as many as are under way, and more than may
#: stay so: the server is down, and the others are not asked.
_IN_A_ROW = 10


#: Of a share times a number.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Task:
    """What a job asks.

    Attributes:
        rows: questions whose images can be used.
        root: folder that image paths are relative to.
        asking: what decides the answers.
        blind: whether grey pictures are shown.
        folder: of the model's journals.
        journal: the one that is written, in this folder.
        allow_unanswered: up to which share of the questions may stay without a reply.
    """

    rows: Sequence[ShardRow]
    root: Path
    asking: Asking
    blind: bool
    folder: Path
    journal: Path
    allow_unanswered: float


@dataclass(frozen=True)
class Known:
    """What is known after asking: the entry of each question, or why there is none."""

    entries: list[Entry | None]
    reasons: list[str | None]


def ask(task: Task, access: Access, patience: Patience | None = None) -> Known:
    """Ask what is in no journal yet, and keep each answer as it comes.

    A picture is read when its first question's turn comes and dropped behind its last, so as many
    are in memory as questions are under way.

    Args:
        task: what is asked.
        access: how the server is reached.
        patience: how long to try.

    Returns:
        The entries and the reasons, in the order of the rows.

    Raises:
        EndpointError: the server cannot be asked, or more questions stay without a reply than may.
        synthsight.vqa.endpoint.keys.KeyMissingError: something is to be asked, without a key.
        synthsight.images.reading.ChangedImageError: an image has changed since it was indexed.
        synthsight.vqa.endpoint.journal.JournalError: another process asks the same.
    """
    with closing(Journal(task.journal)) as journal:
        known = known_of(task)
        asked = _Asked(task, journal, known, access.concurrency)
        missing = [index for index, entry in enumerate(known) if entry is None]
        print(
            f"{len(task.rows) - len(missing)} of {len(task.rows)} questions have been answered "
            f"before, {len(missing)} are put to {task.asking.model!r} at {access.url}",
            flush=True,
        )
        if missing:
            try:
                asyncio.run(asked.run(missing, Server(access, patience)))
            except ExceptionGroup as group:
                raise _first(group) from None
    asked.check()
    return Known(asked.entries, asked.reasons)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """What ended the others."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def known_of(task: Task) -> list[Entry | None]:
    """The entries of the questions that have been answered before, in the order of the rows.

    One with the likeliest first tokens goes before one without, where both will do; where they must
    be there, one without is none.
    """
    needed = task.asking.logprobs == "always"
    ways = task.asking.ways
    digests = [[digest_of(task.asking, row, task.blind, way) for way in ways] for row in task.rows]
    found = read_journals(task.folder, {each for some in digests for each in some})
    entries = []
    for some in digests:
        known = [found[each] for each in some if each in found]
        known = [each for each in known if not (needed and lacks_tokens(each.reply))]
        entries.append(known[0] if known else None)
    return entries


def lacks_tokens(reply: Reply) -> bool:
    """Whether something is said but no probabilities of tokens are stated."""
    return reply.tokens is None and reply.refusal is None and bool(reply.text)


class _Asked:
    """The state of asking."""

    def __init__(
        self, task: Task, journal: Journal, known: Sequence[Entry | None], concurrency: int
    ) -> None:
        self.task = task
        self.journal = journal
        self.entries = list(known)
        self.reasons: list[str | None] = [None] * len(task.rows)
        without = any(entry is not None and not entry.dialect["top"] for entry in known)
        self.dialect = first_dialect(task.asking, without)
        self.concurrency = concurrency
        self.in_a_row = 0
        self.pictures = _Pictures(task)

    @property
    def failed(self) -> list[int]:
        """The questions that stay without a reply."""
        return [index for index, reason in enumerate(self.reasons) if reason is not None]

    @property
    def too_many(self) -> bool:
        """Whether more questions stay without a reply than may."""
        allowed = self.task.allow_unanswered * len(self.task.rows)
        return len(self.failed) > allowed + _ROUNDING

    async def run(self, missing: Sequence[int], server: Server) -> None:
        """Put the questions, as many at a time as may be under way."""
        self.pictures.expect(self.task.rows[index].image for index in missing)
        waiting = iter(missing)
        started, done, step = time.perf_counter(), 0, max(1, len(missing) // 20)

        async def next_ones() -> None:
            nonlocal done
            for index in waiting:
                await self.one(index, server)
                done += 1
                if done % step == 0:
                    speed = done / (time.perf_counter() - started)
                    said = f"{done} of {len(missing)} questions, {speed:.1f} per second"
                    print(said, flush=True)

        async with server, asyncio.TaskGroup() as group:
            for _ in range(min(self.concurrency, len(missing))):
                group.create_task(next_ones())

    async def one(self, index: int, server: Server) -> None:
        """Put one question, and keep the answer."""
        row, task = self.task.rows[index], self.task
        picture = await self.pictures.of(row)
        try:
            reply, dialect = await self.reply(row, picture, server)
        except NoReplyError as error:
            self.reasons[index] = str(error)
            self.in_a_row += 1
            if self.too_many and self.in_a_row >= max(_IN_A_ROW, 2 * self.concurrency):
                raise self.failure("others were not put any more") from None
            return
        finally:
            self.pictures.drop(row)
        self.in_a_row = 0
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(reply, at, picture.how, dialect.as_dict())
        self.journal.add(digest_of(task.asking, row, task.blind, bool(dialect.top)), entry)
        self.entries[index] = entry
        if task.asking.logprobs == "always" and lacks_tokens(reply):
            raise EndpointError(_NO_TOKENS)

    async def reply(self, row: ShardRow, picture: Picture, server: Server) -> tuple[Reply, Dialect]:
        """The reply to a question, in the dialect that the server takes."""
        asking = self.task.asking
        needed = asking.logprobs == "always"
        while True:
            dialect = self.dialect
            try:
                return await server.post(body_of(asking, dialect, row.question, picture.url)), (
                    dialect
                )
            except RefusedError as error:
                if error.filtered:
                    return Reply(None, finish="content_filter"), dialect
                said = error.said.replace(text_for(asking.prompt, row.question), "")
                if self.dialect != dialect:
                    continue  # another question was refused before, for the same reason
                other = dialect.adapted(said, needed)
                if other is None and needed and "logprob" in said.lower():
                    raise EndpointError(f"{_NO_TOKENS}. The server says: {error.said}") from None
                if other is None:
                    raise
                print(f"the server refuses a request: {one_line(error.said, 200)}", flush=True)
                print(f"from here on: {_in_words(other)}", flush=True)
                self.dialect = other

    def check(self) -> None:
        """Whether the answers can be used.

        Raises:
            EndpointError: too many questions stay without a reply.
        """
        if self.too_many:
            raise self.failure("the others have been answered")
        replies = [entry.reply for entry in self.entries if entry is not None]
        said = [reply for reply in replies if reply.text and reply.refusal is None]
        without = sum(map(lacks_tokens, said))
        if 0 < without < len(said):
            print(
                f"WARNING: {without} of {len(said)} replies came without probabilities of tokens: "
                "of these the text counts, of the others P(yes)",
                flush=True,
            )
        served = Counter(reply.served for reply in replies)
        if len(served) > 1:
            names = ", ".join(
                f"{name!r} ({number})"
                for name, number in sorted(served.items(), key=lambda item: str(item[0]))
            )
            print(f"WARNING: the server calls its model by several names: {names}", flush=True)

    def failure(self, others: str) -> EndpointError:
        """That too many questions stay without a reply."""
        first, rows = self.failed[0], self.task.rows
        share = self.task.allow_unanswered
        return EndpointError(
            f"{len(self.failed)} of {len(rows)} questions stay without a reply, more than "
            f"endpoint.allow_unanswered: {share:g} allows ({others}); the first about "
            f"{rows[first].image!r}, {one_line(rows[first].question, 200)!r}: "
            f"{self.reasons[first]}. All answers are kept in {self.task.journal}: run again when "
            "the server is well, and only what is missing is asked"
        )


_NO_TOKENS = (
    "the server states no probabilities of tokens, which endpoint.logprobs: always asks for; with "
    "auto or never the text counts"
)


def _in_words(dialect: Dialect) -> str:
    tokens = f"the {dialect.top} likeliest first tokens" if dialect.top else "no probabilities"
    temperature = "temperature 0" if dialect.temperature else "the server's own temperature"
    return f"{tokens}, {dialect.limit}, {temperature}"


class _Pictures:
    """The pictures of the questions under way, each read once."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._left: Counter[str] = Counter()
        self._held: dict[str, asyncio.Task[Picture]] = {}

    def expect(self, images: Iterator[str]) -> None:
        """Be told which images questions are about, once for each question."""
        self._left.update(images)

    async def of(self, row: ShardRow) -> Picture:
        """The picture of a question."""
        if row.image not in self._held:
            task = self._task
            read = asyncio.to_thread(
                picture_of,
                *(task.root, row.image, str(row.sha256), task.asking.max_side, task.blind),
            )
            self._held[row.image] = asyncio.create_task(read)
        return await self._held[row.image]

    def drop(self, row: ShardRow) -> None:
        """Be told that a question has been put."""
        self._left[row.image] -= 1
        if not self._left[row.image]:
            del self._held[row.image]


def answers_from(known: Known, max_tokens: int) -> Answers:
    """What entries say, as :func:`synthsight.vqa.answers.write_answers` takes it.

    Args:
        known: the entries and the reasons.
        max_tokens: how long a reply could be, for reasons.
    """
    found = [
        Answer(reason=reason) if entry is None else answer_of(entry.reply, max_tokens)
        for entry, reason in zip(known.entries, known.reasons, strict=True)
    ]
    numbers = np.array([(each.p_yes, each.mass) for each in found], np.float64).reshape(-1, 2)
    return Answers(
        *(numbers[:, 0], numbers[:, 1], [each.reason for each in found]),
        predicted=[each.predicted for each in found],
        said=[each.said for each in found],
    )
