"""The report in Firefox: what a person does first works there, too."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.report.browsing import RULE, hits
from tests.support import REPOSITORY, Project

FIREFOX, NODE = shutil.which("firefox-esr") or shutil.which("firefox"), shutil.which("node")
DRIVER = REPOSITORY / ".venv/browser/node_modules/puppeteer-core"
DRIVER_FILE = DRIVER / "lib/esm/puppeteer/puppeteer-core.js"


@pytest.mark.long
@pytest.mark.skipif(
    FIREFOX is None or NODE is None or not DRIVER_FILE.is_file(),
    reason="no Firefox, or nothing to drive it: tests/install_browser.sh",
)
def test_firefox_shows_what_chromium_shows(finished: Project) -> None:
    program = Path(__file__).with_name("firefox.mjs")
    report = finished.results / "report.html"
    words = [NODE, program, DRIVER_FILE, FIREFOX, report, "clock", "effnet", "resnet"]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    table = hits(finished.results)
    table = table[table["rule"] == RULE]
    right = table.pivot_table("top1_hit", "image", "model", "all").astype(bool)
    first, second = right["effnet"], right["resnet"]
    assert seen["complaints"] == []
    assert seen["all"] == right.shape[0]
    assert seen["category"] == table.loc[table["category"] == "clock", "image"].nunique()
    assert seen["four"] == [
        (first & second).sum(),
        (first & ~second).sum(),
        (~first & second).sum(),
        (~first & ~second).sum(),
    ]
    assert "against=resnet" in seen["address"]
    assert seen["opened"]
    assert seen["closed"], "Back closes a picture"
    assert seen["charts"] >= 9
    assert seen["tables"]
    assert seen["wider"] <= 0
