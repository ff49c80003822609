"""How fast models were, from the logs of a run's jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synthsight.commands import main
from synthsight.inference.batches import report_speed
from synthsight.library.speeds import read_speeds

CPU = torch.device("cpu")


def log(run: Path, model: str, category: str, *lines: str) -> None:
    path = run / "logs" / "classify" / model / f"{category}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_the_median_over_jobs_is_what_a_model_takes(tmp_path: Path) -> None:
    for category, seconds in (("kite", 4.0), ("pizza", 1.0), ("vase", 2.0)):
        log(tmp_path, "net", category, "a warning", report_speed(100, "images", seconds, CPU))
    log(tmp_path, "net", "none", report_speed(0, "images", 0.0, CPU))
    log(tmp_path, "net", "failed", "RuntimeError: no")
    log(tmp_path, "twice", "kite", *(report_speed(10, "images", s, CPU) for s in (10.0, 0.1)))
    (fast, slow) = read_speeds(tmp_path)
    assert (fast.model, fast.rate, fast.jobs) == ("twice", 100, 1), "the last line counts"
    assert (slow.model, slow.device, slow.rate) == ("net", "cpu", 50)
    assert (slow.slowest, slow.fastest, slow.jobs, slow.images) == (25, 100, 3, 300)


def test_devices_are_not_mixed(tmp_path: Path) -> None:
    line = report_speed(100, "images", 1.0, CPU)
    log(tmp_path, "net", "kite", line)
    log(tmp_path, "net", "vase", line.replace("on cpu", "on cuda:0"))
    assert {speed.device for speed in read_speeds(tmp_path)} == {"cpu", "cuda:0"}


def test_the_command_prints_a_line_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "results" / "mine"
    (run / "tables").mkdir(parents=True)
    assert main.main(["speed", "mine"]) == 1
    assert "No log of the run 'mine' says" in capsys.readouterr().out
    log(run, "net", "kite", report_speed(300, "images", 2.0, CPU))
    assert main.main(["speed", "mine"]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.split() == [
        "net",
        "150",
        "(150",
        "to",
        "150)",
        *["cpu,", "1", "job,", "300", "images"],
    ]
