"""What is tested depends on nothing but the sources: not on clock, process or hash seed.

Several processes that run the tests together must agree on what there is to run, and a test that
failed must be the same test when it is run again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import collected
from tests.conftest import FOUND
from tests.support import REPOSITORY

pytestmark = pytest.mark.slow

#: In seconds: another second, hour, day and year.
SHIFT = 401 * 86_400 + 5 * 3_600 + 7


def collect(file: Path, folder: Path, seed: int, shift: int, *paths: str) -> dict[str, str]:
    """The tests, named in a folder, as a process with such a hash seed and clock sees them."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.collected", "-p", "no:cacheprovider"),
            *("--collect-only", "--quiet", *paths),
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
            "PYTHONHASHSEED": str(seed),
            collected.COLLECTED: str(file),
            collected.SHIFT: str(shift),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    content = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.long
def test_ids_and_parameters_are_those_of_another_process_at_another_time(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    here = collected.fingerprints(request.config.stash[FOUND])
    seed = 4711 if os.environ.get("PYTHONHASHSEED") != "4711" else 4712
    # What was named is named again, in its order, which is that of the tests.
    where = request.config.invocation_params.dir
    there = collect(tmp_path / "there.json", where, seed, SHIFT, *request.config.args)
    assert {name: there.get(name) for name in here} == here
    chosen = [item.nodeid for item in request.session.items]
    assert [name for name in there if name in {*chosen}] == chosen, "in another order"


#: Tests as they should not be, by what they depend on, and one as it should be.
EXAMPLES = """
import datetime, gzip, os, pytest
one = lambda *values, **ids: pytest.mark.parametrize("value", values, **ids)
@one(gzip.compress(b""))
def test_second(value): pass
@one(gzip.compress(b""), ids=["hidden"])
def test_second_behind_an_id(value): pass
@one(str(datetime.date.today()), str(datetime.datetime.now())[:4])
def test_day(value): pass
@one(*{f"name {number}" for number in range(99)})
def test_hashes(value): pass
@one(os.getpid())
def test_process(value): pass
@one(b"same", 0.5, None, {"a": [("b", print)]}, {"c", "d"}, object(), os.sep)
def test_sources(value): pass
"""


@pytest.mark.long
def test_what_depends_on_more_than_the_sources_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "test_examples.py").write_text(EXAMPLES, encoding="utf-8")
    here, there = (
        collect(tmp_path / f"{shift}.json", tmp_path, seed, shift)
        for seed, shift in ((1, 0), (2, SHIFT))
    )
    at_fault = {
        one.partition("::")[2].partition("[")[0]
        for one, other in zip(here.items(), there.items(), strict=True)
        if one != other
        for one in (one[0], other[0])
    }
    assert at_fault == {
        "test_second",
        "test_second_behind_an_id",
        "test_day",
        "test_hashes",
        "test_process",
    }
    assert len(here) == 7 + 99 + 5
