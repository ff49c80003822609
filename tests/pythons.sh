#!/usr/bin/env bash
# The tests that need no network of the neural kind, under each newer Python that is found on this
# machine: what differs between versions of Python differs without torch, too, whose five gigabytes
# are left out. Environments stay in .venv-VERSION; a machine with one Python skips all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=(
    tests/archives/test_archive.py tests/archives/test_unpack.py tests/report tests/statistics
    tests/labels/test_audit.py tests/labels/test_files.py tests/labels/test_matching.py
    tests/images/test_manifest.py tests/images/test_reading.py
    tests/plan/test_digest.py tests/plan/test_machine.py tests/plan/test_others.py
    tests/plan/test_rows.py tests/plan/test_settings.py tests/plan/test_specs.py
    tests/test_cells.py tests/test_contents.py tests/test_files.py tests/test_keys.py
    tests/test_origin.py tests/test_program.py
)

found=0
for version in 3.12 3.13; do
    python=$(command -v "python$version" || true)
    # A shim of pyenv's may stand for no version at all.
    if [[ -z $python ]] || ! "$python" -c pass 2>/dev/null; then
        python=$(compgen -G "$HOME/.pyenv/versions/$version.*/bin/python$version" | tail -n 1 || true)
    fi
    if [[ -z $python ]]; then
        echo "No Python $version here: skipped."
        continue
    fi
    found=1
    environment=.venv-$version
    if [[ ! -e $environment/installed || requirements.txt -nt $environment/installed \
        || requirements-dev.txt -nt $environment/installed ]]; then
        "$python" -m venv --clear "$environment"
        grep -h -v -E '^(torch|triton|nvidia[a-z0-9-]*|cuda[a-z0-9-]*)==' requirements.txt \
            >"$environment/requirements.txt"
        grep -h -E '^(hypothesis|iniconfig|pluggy|pytest|sortedcontainers)==' requirements-dev.txt \
            >>"$environment/requirements.txt"
        "$environment/bin/python" -m pip install --quiet --no-deps \
            --requirement "$environment/requirements.txt"
        touch "$environment/installed"
    fi
    echo "Python $version:"
    # Beside the workflow's own environment, which an editable installation would change.
    PYTHONPATH=$PWD/src "$environment/bin/python" -m pytest -q -p no:cacheprovider \
        -m "not workflow and not slow" "${tests[@]}"
done
((found)) || echo "The tests run under one Python only, that of .venv."
