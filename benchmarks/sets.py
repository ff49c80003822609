"""Unpacking sets as people publish them: time, and the peak of memory.

    python benchmarks/sets.py [--images 10000] [--bytes 100000]

Random bytes with the beginning of a JPEG, so that nothing compresses them, of 1,000 classes: as one
Parquet file with a single row group, which is the worst case for memory, as one with row groups of
100 rows, as the library datasets writes them, and as a WebDataset. Each is unpacked in a process of
its own, whose peak is compared with the same of an empty set. It fails above 1 GB.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.archives.archive import Archive
from synthsight.archives.fetch import fetch_images

GIGABYTES = 1.0
CLASSES = 1000


def pictures(images: int, size: int) -> Iterator[bytes]:
    """Bytes that look like a JPEG to whoever looks at the first ones."""
    rng = np.random.default_rng(0)
    for _ in range(images):
        yield b"\xff\xd8\xff" + rng.bytes(size - 3)


def write_parquet(path: Path, images: int, size: int, group: int) -> None:
    """A set as datasets writes it, in row groups of a size of their own."""
    names = [f"class {number}" for number in range(CLASSES)]
    features = {
        "image": {"_type": "Image"},
        "label": {"names": names, "_type": "ClassLabel"},
    }
    schema = pa.schema(
        [
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ("label", pa.int64()),
        ]
    ).with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    rows = []
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for number, content in enumerate(pictures(images, size), start=1):
            image = {"bytes": content, "path": f"{number}.jpg"}
            rows.append({"image": image, "label": number % CLASSES})
            if len(rows) == group or number == images:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=group)
                rows.clear()


def write_webdataset(path: Path, images: int, size: int) -> None:
    """A tar of samples, each with an image, a class and a prompt."""
    with tarfile.open(path, "w") as handle:
        names = "\n".join(f"class {number}" for number in range(CLASSES))
        parts = [("classnames.txt", names.encode())]
        for number, content in enumerate(pictures(images, size)):
            parts += [
                (f"{number:06}.cls", str(number % CLASSES).encode()),
                (f"{number:06}.jpg", content),
                (f"{number:06}.txt", b"a prompt"),
            ]
            for name, each in parts:
                member = tarfile.TarInfo(name)
                member.size = len(each)
                handle.addfile(member, io.BytesIO(each))
            parts.clear()


def unpack(path: Path) -> None:
    """Unpack a set beside itself, and print seconds, bytes of peak memory and files."""
    start = time.perf_counter()
    marker = fetch_images(Archive(str(path), None, path.with_suffix("")), lambda _: None)
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, peak_memory(), marker["files"]]))


def peak_memory() -> int:
    """Bytes. What getrusage says includes, on Linux, what the process that began this one held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--unpack", type=Path)
    args = parser.parse_args()
    if args.unpack is not None:
        unpack(args.unpack)
        return
    missed = False
    with tempfile.TemporaryDirectory() as name:
        for what in ("one image", "Parquet, one row group", "Parquet, of 100 rows", "WebDataset"):
            images = 1 if what == "one image" else args.images
            path = Path(name) / ("set.tar" if what == "WebDataset" else "set.parquet")
            if what == "WebDataset":
                write_webdataset(path, images, args.bytes)
            else:
                write_parquet(path, images, args.bytes, 100 if "100" in what else images)
            command = [sys.executable, __file__, "--unpack", str(path)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            seconds, peak, files = json.loads(said)
            print(
                f"{what:<24} {files:>6} images of {args.bytes:,} bytes  {seconds:7.1f} s  "
                f"{peak / 1e6:6.0f} MB at the peak",
                flush=True,
            )
            missed |= peak > GIGABYTES * 1e9 or files != images
            subprocess.run(["rm", "-r", str(path), str(path.with_suffix(""))], check=True)
    if missed:
        sys.exit("a bound is missed")


if __name__ == "__main__":
    main()
