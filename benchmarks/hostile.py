"""What files that are made to do harm cost: the numbers of docs/reliability.md.

Indexes tens of thousands of damaged files, the bombs of ``tests/hostile.py`` one by one at a larger
scale, and tiny and ordinary images, which a helper process must not make slower::

    python -m benchmarks.hostile --damaged 50000 --scale 40
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from synthsight.images.examine import Examined, examine, examine_all
from synthsight.images.reading import MAX_PIXELS
from tests import hostile


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damaged", type=int, default=50_000, help="files with bits flipped")
    parser.add_argument("--scale", type=int, default=40, help="of the bombs")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        damaged(folder, args.damaged, args.seed)
        bombs(folder, args.scale)
        ordinary(folder)


def write(folder: Path, files: Iterable[hostile.File]) -> list[str]:
    """Write files; their names."""
    names = []
    for name, content in files:
        (folder / name).write_bytes(content)
        names.append(name)
    return names


def damaged(folder: Path, count: int, seed: int) -> None:
    """Bits flipped and parts spliced, over every format."""
    files = itertools.chain(
        hostile.bit_flips(count, seed),
        hostile.splices(count // 4, seed),
        hostile.truncations(),
        hostile.dimensions(),
        hostile.metadata(),
        hostile.polyglots(),
    )
    names = write(folder, files)
    start = time.perf_counter()
    found = examine_all(folder, names, MAX_PIXELS)
    seconds = time.perf_counter() - start
    usable = sum(each.reason is None for each in found)
    print(f"{len(names)} damaged files: {usable} usable, {len(names) - usable} excluded, ", end="")
    print(f"{seconds:.0f} s, {1000 * seconds / len(names):.2f} ms a file")
    for reason, number in Counter(kind(each) for each in found).most_common():
        print(f"  {number:6} {reason}")
    for name in names:
        (folder / name).unlink()


def kind(found: Examined) -> str:
    """A reason without what differs from file to file."""
    return "usable" if found.reason is None else found.reason.partition(":")[0]


def bombs(folder: Path, scale: int) -> None:
    """Each by itself, in a process whose memory is measured."""
    for name, content in hostile.bombs(scale):
        write(folder, [(name, content)])
        size = len(content)
        del content
        start = time.perf_counter()
        process = os.fork()
        if process == 0:
            (found,) = examine_all(folder, [name], MAX_PIXELS)
            print(f"  {name:26} {size / 1e6:7.2f} MB: {found.reason or 'usable'}", flush=True)
            os._exit(0)
        _, _, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - start
        print(f"{'':40} {seconds:6.2f} s, {usage.ru_maxrss / 1e6:.2f} GB", flush=True)
        (folder / name).unlink()


def ordinary(folder: Path) -> None:
    """Images that mean no harm, with and without a helper."""
    photos = [(f"{n}.jpg", hostile.encoded(n, "baseline.jpg", (1024, 1024))) for n in range(200)]
    tiny = [(f"{n}.png", hostile.png(1, 1, (b"teSt", b"%d" % n))) for n in range(10_000)]
    for what, files in (("1024 x 1024 JPEG", photos), ("1 x 1 PNG", tiny)):
        names = write(folder, files)
        for _ in range(2):
            start = time.perf_counter()
            for each in names:
                examine(folder, each, MAX_PIXELS)
            direct = time.perf_counter() - start
            start = time.perf_counter()
            examine_all(folder, names, MAX_PIXELS)
            helped = time.perf_counter() - start
        print(
            f"{len(names)} of {what}: {1000 * direct / len(names):.3f} ms each in the job, ", end=""
        )
        print(f"{1000 * helped / len(names):.3f} ms each through a helper")
        for each in names:
            (folder / each).unlink()


if __name__ == "__main__":
    main()
