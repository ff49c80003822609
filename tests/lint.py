"""`snakemake --lint`, less the points that are open on purpose, each with its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

#: Titles of lints that are not followed, and why.
OPEN = {
    "Specify a conda environment or container for each rule.": (
        "all rules run in the one environment that requirements.txt pins"
    ),
}


def main() -> None:
    """Print what is left of the lints; exit with 1 if anything is."""
    program = Path(sys.executable).with_name("snakemake")
    completed = subprocess.run([program, "--lint", "json"], capture_output=True, text=True)
    if not completed.stdout.strip().startswith("{"):
        sys.exit(f"snakemake --lint gave no report:\n{completed.stdout}{completed.stderr}")
    report = json.loads(completed.stdout)
    found = [
        f"{item.get('rule') or item.get('snakefile')}: {lint['title']}: {lint['body']}"
        for items in (report["rules"], report["snakefiles"])
        for item in items
        for lint in item["lints"]
        if lint["title"] not in OPEN
    ]
    print("\n".join(found) or f"snakemake --lint: nothing but {len(OPEN)} open point(s)")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
