"""Decoded images: how fast they are made, what they take on the disk, what reading them costs.

    python benchmarks/pixels.py [--images 200] [--passes 3] [--processes 2]

Pictures of 1024 x 1024, the size of DALL-E 2's and Midjourney's, as JPEG are decoded into 224 x 224
by `prepare_pixels`, which checks the sha256 of each file and writes the file of pixels, and by a
loop over Pillow's `open`, `convert`, `resize` and `crop`, each in as many processes; the pixels are
compared. Then `prepare_pixels` with 1, 2 and 4 threads. Then they are read as `classify`
does, memory-mapped, in batches of 64: as views, as the copies that become tensors, and with the
inference of a small network after it (torchvision's squeezenet1_1 with random weights). Clock
times, the best of the passes.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image

from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels, read_batches
from synthsight.inference.normalise import normalise

GEOMETRY = Geometry(resize=256, crop=(224, 224), interpolation="bilinear")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 64
SIDE = 1024


def draw(folder: Path, images: int) -> None:
    """Pictures with some detail, as JPEG."""
    rng = np.random.default_rng(0)
    for number in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{number:05}.jpg")


def best(function: Callable[[], object], passes: int) -> float:
    """Seconds of the fastest call."""
    seconds = []
    for _ in range(passes):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def plainly(folder: Path, names: list[str]) -> tuple[bytes, float]:
    """The pixels of some pictures as a person would get them, and seconds of processor."""
    found, before = [], time.process_time()
    for name in names:
        picture = Image.open(folder / name).convert("RGB")
        picture = picture.resize((256, 256), Image.Resampling.BILINEAR)
        found.append(np.asarray(picture.crop((16, 16, 240, 240))))
    return np.stack(found).tobytes(), time.process_time() - before


def prepared(folder: Path, names: list[str], sums: dict[str, str]) -> tuple[bytes, float]:
    """The same by :func:`prepare_pixels`, read from the file that it writes."""
    before = time.process_time()
    path = folder / f"{names[0]}.arrow"
    prepare_pixels([(name, SIDE, SIDE) for name in names], folder, GEOMETRY, path, sha256=sums)
    found = b"".join(batch.tobytes() for _, batch in read_batches(path, BATCH))
    return found, time.process_time() - before


def beside_pillow(folder: Path, names: list[str], processes: int, passes: int) -> None:
    """Compare both ways, in turns, in pools of processes that are there already."""
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    shares = [names[n::processes] for n in range(processes)]
    ratios, spent, fastest = [], [], {"Pillow": 0.0, "prepare_pixels": 0.0}
    with ProcessPoolExecutor(processes) as pool:
        for _ in range(passes + 1):
            start = time.perf_counter()
            plain = list(pool.map(plainly, [folder] * processes, shares))
            between = time.perf_counter()
            ours = list(pool.map(prepared, [folder] * processes, shares, [sums] * processes))
            end = time.perf_counter()
            assert [each for each, _ in plain] == [each for each, _ in ours], "the pixels differ"
            spent.append(sum(each for _, each in plain) / sum(each for _, each in ours))
            ratios.append((between - start) / (end - between))
            for way, taken in (("Pillow", between - start), ("prepare_pixels", end - between)):
                fastest[way] = max(fastest[way], len(names) / taken)
    print(
        f"in {processes} processes, Pillow {fastest['Pillow']:.0f} images/s, prepare_pixels "
        f"{fastest['prepare_pixels']:.0f}; {statistics.median(ratios[1:]):.2f} x, by seconds "
        f"of processor {statistics.median(spent[1:]):.2f} x (medians of {passes}), the same pixels"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    model = torchvision.models.squeezenet1_1().eval()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, args.images)
        manifest = [(f"{number:05}.jpg", SIDE, SIDE) for number in range(args.images)]
        names = [name for name, _, _ in manifest]
        beside_pillow(folder, names, args.processes, args.passes)
        path = folder / "pixels.arrow"

        def prepare(threads: int) -> None:
            prepare_pixels(manifest, folder, GEOMETRY, path, threads=threads)

        seconds = {n: best(functools.partial(prepare, n), args.passes) for n in (1, 2, 4)}
        for threads, taken in seconds.items():
            print(
                f"decoding, {threads} threads: {args.images / taken:6.0f} images/s, "
                f"{seconds[1] / taken:.2f} x one thread"
            )
        size = path.stat().st_size / args.images
        print(f"on the disk: {size:,.0f} bytes an image, {size / (224 * 224 * 3):.4f} x the pixels")

        def view() -> None:
            for _, batch in read_batches(path, BATCH):
                batch[:, ::64].max()

        def copy() -> None:
            for _, batch in read_batches(path, BATCH):
                torch.from_numpy(batch.copy())

        @torch.inference_mode()
        def infer() -> None:
            for _, batch in read_batches(path, BATCH):
                model(normalise(torch.from_numpy(batch.copy()), MEAN, STD))

        taken = {
            "views": best(view, args.passes),
            "copies": best(copy, args.passes),
            "copies and inference": best(infer, args.passes),
        }
        for way, spent in taken.items():
            print(
                f"{way}: {spent / args.images * 1e6:.0f} us an image, "
                f"{spent / taken['copies and inference']:.2%} of reading with inference"
            )


if __name__ == "__main__":
    main()
