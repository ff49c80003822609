"""How logits are best stored as Parquet: encodings, compressions and row groups side by side.

    python benchmarks/logits_encoding.py [--images 8000] [--repeats 3]

The logits are generated: 1000 classes, means that differ by class, noise, a few high values for
each image. What compresses in logits is their sign and exponent; the mantissa's bits are noise in
real ones, too. Times are the processor's, the best of the repeats, of writing all and of reading
all in the parts that `score` reads; memory is the most that Arrow takes for reading.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

#: Rows that are scored at a time (synthsight.classifiers.score).
ROWS = 8192

PLAIN: dict[str, Any] = {"use_dictionary": False}
SPLIT: dict[str, Any] = {
    "use_dictionary": False,
    "column_encoding": {"logits.list.element": "BYTE_STREAM_SPLIT"},
}
COMPRESSIONS = [("none", None), ("snappy", None), ("lz4", None), ("zstd", 1), ("zstd", 3)]
COMPRESSIONS += [("zstd", 9)]


def generate(images: int) -> pa.Table:
    """Logits like those of an ImageNet classifier."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((images, 1000), np.float32)
    values += 0.7 * rng.standard_normal(1000, np.float32)
    high = rng.integers(1000, size=(images, 8))
    np.put_along_axis(values, high, 4 + 2 * rng.standard_normal((images, 8), np.float32), axis=1)
    logits = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 1000)
    names = [f"midjourney/toilet_seat/{number:08}.png" for number in range(images)]
    return pa.table({"image": names, "logits": logits})


def read(path: Path) -> int:
    """Read as `score` does."""
    rows = 0
    for part in pq.ParquetFile(path).iter_batches(ROWS):
        rows += len(part.column("logits").flatten().to_numpy()) // 1000
    return rows


def _peak(path: Path) -> float:
    read(path)
    return pa.default_memory_pool().max_memory() / 2**20


def peak(path: Path) -> float:
    """MiB that Arrow takes to read it, at the most."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (path,))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=8000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    table = generate(args.images)
    raw = args.images * 4000
    print(f"{args.images} images, {raw / 1e6:.0f} MB of float32")
    print("encoding           compression  row group   size    write     read    memory")
    ways: list[tuple[str, dict[str, Any], str, int | None, int]] = [
        (name, encoding, compression, level, 1024)
        for (name, encoding), (compression, level) in itertools.product(
            (("PLAIN", PLAIN), ("BYTE_STREAM_SPLIT", SPLIT)), COMPRESSIONS
        )
    ]
    ways += [("BYTE_STREAM_SPLIT", SPLIT, "zstd", 1, rows) for rows in (128, 8192, 1 << 20)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logits.parquet"
        for name, encoding, compression, level, rows in ways:
            writing, reading = [], []
            for _ in range(args.repeats):
                start = time.process_time()
                pq.write_table(
                    table,
                    path,
                    compression=compression,
                    compression_level=level,
                    row_group_size=rows,
                    **encoding,
                )
                writing.append(time.process_time() - start)
                start = time.process_time()
                assert read(path) == args.images
                reading.append(time.process_time() - start)
            size = path.stat().st_size / raw
            print(
                f"{name:18} {compression:>7} {level or '':>3} {rows:>10}  {size:6.1%}  "
                f"{min(writing):6.3f} s {min(reading):6.3f} s  {peak(path):5.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
