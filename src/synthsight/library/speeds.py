"""How fast models were, as the logs of a run's jobs say.

That depends on the machine, and so is in no table: a run gives the same bytes on all of them.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from pathlib import Path

#: The line of :func:`synthsight.inference.batches.report_speed` about images.
_LINE = re.compile(r"^(\d+) images in [0-9.]+ s \(([0-9.]+) images/s\) on ([^\s;]+);", re.MULTILINE)


@dataclass(frozen=True)
class Speed:
    """How fast a model was on one kind of device.

    Attributes:
        model: its name.
        device: as torch calls it, such as ``cpu`` or ``cuda``.
        rate: images a second: the median over jobs, each of which is about a category or a part.
        slowest: that of the slowest job, in which a model's first batch often is.
        fastest: that of the fastest job.
        jobs: their number.
        images: number of images in all of them.
    """

    model: str
    device: str
    rate: float
    slowest: float
    fastest: float
    jobs: int
    images: int


def read_speeds(run: Path) -> list[Speed]:
    """The speed of each model that a run classified images with, the fastest first.

    A job's time is that of reading stored pixels, normalising them and the network; loading it, and
    decoding images, are not in it. Jobs of no images, and logs without such a line (of a job that
    failed, or is running), do not count.

    Args:
        run: the run's folder.
    """
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    logs = run / "logs" / "classify"
    for path in sorted([*logs.glob("*/*.log"), *logs.glob("*/*/*.log")]):
        text = path.read_text(encoding="utf-8", errors="replace")
        for images, rate, device in _LINE.findall(text)[-1:]:
            if int(images):
                jobs = found.setdefault((path.relative_to(logs).parts[0], device), [])
                jobs.append((int(images), float(rate)))
    speeds = []
    for (model, device), jobs in found.items():
        rates = [rate for _, rate in jobs]
        images = sum(number for number, _ in jobs)
        middle = statistics.median(rates)
        speeds.append(Speed(model, device, middle, min(rates), max(rates), len(jobs), images))
    return sorted(speeds, key=lambda speed: (-speed.rate, speed.model))
