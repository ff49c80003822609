"""How long a run takes, as far as that is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.plan.pace import Pace, in_words, kind_of


def timed(kept: Path, jobs: list[tuple[str, float, float]], cores: int = 2) -> float:
    """Let a run have these jobs (kind, size, seconds), two at a time; how long it took."""
    pace = Pace(kept, cores)
    pace.begin((kind, size) for kind, size, _ in jobs)
    for job in jobs:
        pace.finish(*job)
    elapsed = sum(seconds for _, _, seconds in jobs) / 2
    pace.save(elapsed)
    return elapsed


def test_a_run_takes_what_the_last_one_took_and_a_part_of_it_less(tmp_path: Path) -> None:
    jobs = [("classify a", 10.0, 20.0), ("classify b", 10.0, 40.0)] * 10
    took = timed(tmp_path / "pace", jobs)
    whole = [(kind, size) for kind, size, _ in jobs]
    assert Pace(tmp_path / "pace", 2).begin(whole) == pytest.approx(took)
    assert Pace(tmp_path / "pace", 2).begin(whole[:1]) == pytest.approx(10)
    assert Pace(tmp_path / "pace", 2).begin([("classify a", 100)]) == pytest.approx(100)
    assert Pace(tmp_path / "pace", 8).begin(whole) is None, "with as many cores it is not known"


def test_a_run_of_few_jobs_says_nothing_of_how_many_are_at_work(tmp_path: Path) -> None:
    timed(tmp_path / "pace", [("report", 1, 8)] * 20)
    pace = Pace(tmp_path / "pace", 2)
    pace.begin([("report", 1)])
    pace.finish("report", 1, 8)
    pace.save(8)
    assert Pace(tmp_path / "pace", 2).begin([("report", 1)] * 2) == pytest.approx(8)


def test_what_is_not_known_is_not_told(tmp_path: Path) -> None:
    timed(tmp_path / "pace", [("score", 1, 10)] * 20)
    known = [("score", 1.0)] * 18
    assert Pace(tmp_path / "pace", 2).begin([*known, ("new", 1)] * 2) == pytest.approx(190)
    assert Pace(tmp_path / "pace", 2).begin([*known, *[("new", 1)] * 3]) is None
    assert Pace(tmp_path / "none", 2).begin(known) is None
    assert Pace(None, 2).begin(known) is None
    (tmp_path / "damaged").write_text('{"kinds": {"score": [1]}}')
    assert Pace(tmp_path / "damaged", 2).begin(known) is None


def test_what_is_left_follows_from_how_fast_it_has_been_so_far(tmp_path: Path) -> None:
    pace = Pace(tmp_path / "none", 2)
    pace.begin([("score", 1.0)] * 40)
    assert pace.left(60) is None
    pace.finish("score", 1, 30)
    assert pace.left(15) is None, "too early"
    pace.finish("score", 1, 30)
    assert pace.left(5) is None, "too early"
    assert pace.left(30) == pytest.approx(38 * 15)


def test_jobs_of_a_kind_are_those_of_a_rule_and_a_model() -> None:
    category = {"category": "bagel"}
    assert kind_of("classify", {"model": "a", **category}) == "classify a"
    assert kind_of("prepare_pixels", {"geometry": "g", **category}) == "prepare_pixels g"
    assert kind_of("ask", {"vqa_model": "b", "shard": "0"}) == "ask b"
    assert kind_of("plot_failures", category) == kind_of("plot_kappa", {})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "10 s"),
        (44, "40 s"),
        (57, "1 min"),
        (3500, "58 min"),
        (4000, "1 h 10 min"),
        (1e5, "28 h"),
    ],
)
def test_a_time_is_told_no_more_exactly_than_it_is_known(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
