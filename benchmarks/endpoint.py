"""Asking a server many questions: how fast, in how much memory, and what a restart costs.

    python benchmarks/endpoint.py [--questions 10000] [--images 500] [--side 1024] [--concurrency 8]

A server on the loopback interface, in a process of its own, answers at once with the likeliest
tokens, so what is measured is what asking costs here: reading and encoding pictures, requests, the
journal. Peak memory is stated after a tenth of the questions and at the end: it must not grow with
their number. Then the same is asked again, of which nothing is sent. Everything is made in a
temporary folder.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from synthsight.files import sha256_of
from synthsight.vqa.endpoint.asking import Task, ask
from synthsight.vqa.endpoint.client import Access
from synthsight.vqa.endpoint.request import Asking
from synthsight.vqa.shards import ShardRow
from tests.loopback_chat import serve


def answer(connection: Connection) -> None:
    """Serve until the other end says something, and then say how many questions were asked."""
    with serve() as (url, server):
        server.requests = Forgetful()  # type: ignore[assignment]
        connection.send(url)
        connection.recv()
        connection.send(server.requests.total)


class Forgetful(list):  # type: ignore[type-arg]
    """Counts what is appended, and does not hold the pictures in it."""

    total = 0

    def append(self, item: object) -> None:
        """Count an item."""
        self.total += 1

    def __len__(self) -> int:
        return self.total


def draw(folder: Path, images: int, side: int) -> list[str]:
    """Photograph-like JPEGs; the sha256 of each."""
    rng = np.random.default_rng(0)
    sums = []
    for number in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (side // 16, side // 16, 3), dtype=np.uint8))
        path = folder / f"{number:05}.jpg"
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(path, quality=90)
        sums.append(sha256_of(path))
    return sums


def peak() -> str:
    """The most memory that this process has had."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB"


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=10000)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--concurrency", type=int, default=8)
    args = parser.parse_args()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=answer, args=(there,))
    process.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sums = draw(folder, args.images, args.side)
        per_image = args.questions // args.images
        rows = [
            ShardRow(n, f"{i:05}.jpg", f"Is it {n}?", "yes", None, None, sums[i], "ok", None)
            for i in range(args.images)
            for n in range(per_image)
        ]
        url = here.recv()
        asking = Asking(url, "m", "{question} Answer yes or no.", "auto", args.side, 16)
        access = Access(url, concurrency=args.concurrency)
        journal = folder / "journal" / "1.jsonl"
        for part in (rows[: len(rows) // 10], rows, rows):
            task = Task(part, folder, asking, False, journal.parent, journal, 0.0)
            start = time.perf_counter()
            ask(task, access)
            took = time.perf_counter() - start
            size = journal.stat().st_size / 1e6
            print(f"== {len(part)} questions: {took:.1f} s, peak {peak()}, journal {size:.1f} MB")
    here.send(None)
    print(f"== requests received: {here.recv()}")
    process.join()


if __name__ == "__main__":
    main()
