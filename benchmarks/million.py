"""A run of very many images: time, memory and disk of each stage, and what ten times as many need.

    python benchmarks/million.py --images 2000 20000 [--categories 20] [--folder FOLDER]

For each number of images: small JPEGs, all unlike, of two generators and photographs, are drawn.
The real command runs on them with one small network of random weights up to the report, pixels not
kept (`keep_pixels: false`); then once more with nothing new, and once more with one more image.
Printed are, for each rule, seconds of the processor, seconds in which any of its jobs was at work,
and the most memory of one job; the memory of all processes together; and what lies on the disk.

From the two largest numbers follows for each rule a cost that all runs have and one for each image
(a + b n), and from these the time and the disk of a million and ten million images. The number of
categories, and so of jobs, stays the same. Records are kept in the folder, so that numbers can be
run one by one, and pictures that an interrupted start has drawn are used; without `--folder` it is
`synthsight-million` among the system's temporary files. Exits with 1 if the time
of a stage that matters grows faster than the images.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from processes import SHORT, Run, snakemake
from projects import draw, lay_out

SOURCES = {"dream": 0.45, "muse": 0.45, "photo": 0.1}
#: How the network takes the pictures.
SMALL_PICTURES = {"resize": 128, "crop": 112, "interpolation": "bilinear"}
#: What is made: tables and the page, without figures.
TARGETS = ("tables", "results/million/report.html")
PREDICTED = (1_000_000, 10_000_000)
#: Seconds of the processor below which a stage does not matter.
SMALL = 60.0
#: How much faster than the images the time of a stage may grow, for noise.
LOOSE = 1.25


def paint(job: tuple[Path, int, int]) -> None:
    """A picture; of 16 x 16 patches, so that no two are nearly the same."""
    path, seed, side = job
    if not path.exists():  # by an earlier start, which was ended
        draw(path, seed, side, coarse=16)


def images_of(folder: Path, number: int, categories: list[str], side: int) -> None:
    """Draw the pictures, in all processes that there are cores."""
    jobs = []
    each = number // len(categories)
    for place, category in enumerate(categories):
        begin = 0
        for source, share in SOURCES.items():
            end = each if source == "photo" else begin + round(each * share)
            for n in range(begin, end):
                path = folder / "pictures" / source / category / f"{n:06}.jpg"
                jobs.append((path, place * each + n, side))
            begin = end
    with multiprocessing.Pool() as pool:
        for _ in pool.imap_unordered(paint, jobs, chunksize=500):
            pass


def disk(folder: Path) -> dict[str, dict[str, int]]:
    """Bytes on the disk and files: each part of the results, what Snakemake keeps, images."""
    results = folder / "results" / "million"
    parts = [*sorted(results.iterdir()), folder / ".snakemake", folder / "pictures"]
    return {path.relative_to(folder).as_posix(): measure(path) for path in parts}


def measure(path: Path) -> dict[str, int]:
    """Bytes that a file or folder takes on the disk, and its number of files."""
    size = files = 0
    for place in [path] if path.is_file() else path.rglob("*"):
        try:
            status = place.lstat()
        except FileNotFoundError:  # a temporary one
            continue
        size += status.st_blocks * 512
        files += not place.is_dir()
    return {"bytes": size, "files": files}


class Pixels:
    """The most that stored pixels took at a time, looked at every two seconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "results" / "million" / "pixels"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.bytes = 0

    def __enter__(self) -> Pixels:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(2):
            self.bytes = max(self.bytes, measure(self._folder)["bytes"])


def measured(
    folder: Path, number: int, categories: int, side: int, figures: bool
) -> dict[str, Any]:
    """Draw, run three times; what was found."""
    names = [f"thing{place:03}" for place in range(categories)]
    begin = time.monotonic()
    if not (folder / "config.yaml").exists():
        # Its modules are not to count in the memory of what is forked from here.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            images = {"root": "pictures", "real": "photo"}
            options = {"run": "million", "keep_pixels": False}
            pool.apply(lay_out, (folder, names, 1, images, SMALL_PICTURES), options)
    images_of(folder, number, names, side)
    print(f"{number:,} images drawn in {time.monotonic() - begin:.0f} s", flush=True)
    with Pixels(folder) as pixels:
        runs = {"first": snakemake(folder, *TARGETS)}
    on_disk = disk(folder)
    runs["nothing new"] = snakemake(folder, *TARGETS)
    draw(folder / "pictures" / "dream" / names[0] / "new.jpg", number, side, coarse=16)
    runs["one more image"] = snakemake(folder, *TARGETS)
    if figures:
        runs["figures"] = snakemake(folder, "figures")
    return {
        "images": number,
        "categories": categories,
        "side": side,
        "load": os.getloadavg()[2],
        "pixels": pixels.bytes,
        "disk": on_disk,
        "runs": {what: as_record(run) for what, run in runs.items()},
    }


def as_record(run: Run) -> dict[str, Any]:
    """A run as JSON has it, without what it said."""
    record = asdict(run)
    del record["said"]
    return record


def show(found: Mapping[str, Any]) -> None:
    """Print what was found of a number of images."""
    first = found["runs"]["first"]
    print(f"\n{found['images']:,} images of {found['side']} px, load {found['load']:.1f}")
    print(f"{'rule':32}{'processor':>12}{'clock':>10}{'memory':>11}")
    rules = sorted(first["rules"].items(), key=lambda item: -item[1]["processor"])
    for rule, took in rules:
        memory = f"{took['memory'] / 1e6:8.0f} MB" if took["memory"] else ""
        print(f"{rule:32}{took['processor']:10.1f} s{took['clock']:8.1f} s{memory:>11}")
    for what, run in found["runs"].items():
        share = run["processor"] / first["processor"]
        print(
            f"{what:16}{run['jobs']:5} jobs, {run['processor']:9.1f} s of processor ({share:.1%}), "
            f"{run['clock']:8.1f} s, {run['memory'] / 1e9:.2f} GB in all processes"
        )
    print(f"pixels, at most {found['pixels'] / 1e6:.0f} MB")
    for part, of in sorted(found["disk"].items(), key=lambda item: -item[1]["bytes"]):
        if of["bytes"] >= 1e5:
            print(f"{part:40}{of['bytes'] / 1e6:10.1f} MB {of['files']:9,} files")


def line(small: tuple[int, float], large: tuple[int, float]) -> tuple[float, float]:
    """What all have and what each image adds, from two measurements; neither below nothing."""
    each = max(0.0, (large[1] - small[1]) / (large[0] - small[0]))
    return max(0.0, large[1] - each * large[0]), each


def model(small: Mapping[str, Any], large: Mapping[str, Any]) -> list[str]:
    """Print what more images are predicted to take; the stages that grow faster than the images."""
    sizes = small["images"], large["images"]
    print(f"\na + b n from {sizes[0]:,} and {sizes[1]:,} images")
    heads = "".join(f"{number:>16,}" for number in PREDICTED)
    print(f"{'':32}{'a':>9}{'b':>12}{heads}")
    growing, totals = [], dict.fromkeys(PREDICTED, 0.0)
    rules = [found["runs"]["first"]["rules"] for found in (small, large)]
    nothing = {"processor": 0.0}
    for rule in sorted(rules[1].keys() - {SHORT}, key=lambda name: -rules[1][name]["processor"]):
        one, other = (of.get(rule, nothing) for of in rules)
        a, b = line((sizes[0], one["processor"]), (sizes[1], other["processor"]))
        for number in PREDICTED:
            totals[number] += a + b * number
        if other["processor"] < 1:
            continue
        then = "".join(f"{a + b * number:14,.0f} s" for number in PREDICTED)
        print(f"{rule:32}{a:7.1f} s{1000 * b:9.3f} ms{then}")
        fast = other["processor"] > LOOSE * one["processor"] * sizes[1] / sizes[0]
        if fast and other["processor"] > SMALL:
            growing.append(f"{rule}: {one['processor']:.0f} s, then {other['processor']:.0f} s")
    print(f"{'all':53}" + "".join(f"{totals[n] / 3600:14,.1f} h" for n in PREDICTED))
    print("on the disk")
    for part in sorted(large["disk"], key=lambda name: -large["disk"][name]["bytes"]):
        points = [
            (found["images"], float(found["disk"].get(part, {"bytes": 0})["bytes"]))
            for found in (small, large)
        ]
        a, b = line(*points)
        if points[1][1] >= 1e6:
            then = "".join(f"{(a + b * number) / 1e9:13,.2f} GB" for number in PREDICTED)
            print(f"{part:32}{a / 1e6:6.1f} MB{b:10.1f} B{then}")
    return growing


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="*", default=[2_000, 20_000])
    parser.add_argument("--categories", type=int, default=20)
    parser.add_argument("--side", type=int, default=128, help="of the images, in pixels")
    folder = Path(tempfile.gettempdir()) / "synthsight-million"
    parser.add_argument("--folder", type=Path, default=folder)
    parser.add_argument("--figures", action="store_true", help="make the figures in the end")
    parser.add_argument("--keep", action="store_true", help="leave the projects where they are")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for number in args.images:
        project = args.folder / f"of-{number}"
        project.mkdir(exist_ok=True)
        if (project / "results").exists():
            sys.exit(f"{project} has results already: remove it")
        found = measured(project, number, args.categories, args.side, args.figures)
        (args.folder / f"{number}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        show(found)
        if not args.keep:
            shutil.rmtree(project)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in args.folder.glob("*.json")]
    records.sort(key=lambda found: found["images"])
    if len(records) > 1:
        growing = model(*records[-2:])
        if growing:
            sys.exit("grows faster than the images: " + "; ".join(growing))


if __name__ == "__main__":
    main()
