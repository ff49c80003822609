#!/usr/bin/env bash
# The tests that need neither torch nor a run, under each newer Python that is found on this machine:
# what differs between versions of Python is in how files, archives, sources and texts are read.
# Environments stay in .venv-VERSION, and all versions are tested at once; one that is not found is
# skipped, with a line that says so.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=(
    tests/archives/test_archive.py tests/archives/test_unpack.py tests/report
    tests/labels/test_audit.py tests/labels/test_files.py tests/labels/test_matching.py
    tests/images/test_manifest.py tests/images/test_reading.py
    tests/plan/test_digest.py tests/plan/test_machine.py tests/plan/test_others.py
    tests/plan/test_rows.py tests/plan/test_settings.py tests/plan/test_specs.py
    tests/test_cells.py tests/test_contents.py tests/test_files.py tests/test_keys.py
    tests/test_origin.py tests/test_program.py
)

# Packages that these tests do without: gigabytes, some that have to be built, and what uses them.
left_out="torch|triton|nvidia[a-z0-9-]*|cuda[a-z0-9-]*|transformers|tokenizers|hf-xet"
left_out+="|num2words|docopt|snakemake[a-z-]*|connection-pool|throttler|sqlalchemy|sqlmodel|pulp"

# The interpreter of a version; nothing if there is none.
interpreter() {
    local python
    python=$(command -v "python$1" || true)
    # A shim of pyenv's may stand for no version at all.
    if [[ -z $python ]] || ! "$python" -c pass 2>/dev/null; then
        python=$(compgen -G "$HOME/.pyenv/versions/$1.*/bin/python$1" | tail -n 1 || true)
    fi
    echo "$python"
}

# Make an environment, if it is missing or old, and run the tests in it.
check() {
    local python=$1 environment=$2
    if [[ ! -e $environment/installed || requirements.txt -nt $environment/installed \
        || requirements-dev.txt -nt $environment/installed ]]; then
        "$python" -m venv --clear "$environment"
        grep -h -v -E "^($left_out)==" requirements.txt >"$environment/requirements.txt"
        grep -h -E '^(hypothesis|iniconfig|pluggy|pytest|sortedcontainers)==' requirements-dev.txt \
            >>"$environment/requirements.txt"
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
            --no-compile --only-binary :all: --requirement "$environment/requirements.txt"
        touch "$environment/installed"
    fi
    # Beside the workflow's own environment, which an editable installation would change.
    PYTHONPATH=$PWD/src "$environment/bin/python" -m pytest -q -p no:cacheprovider \
        -m "not workflow and not slow and not long" "${tests[@]}"
}

declare -A running
for version in 3.12 3.13; do
    python=$(interpreter "$version")
    if [[ -z $python ]]; then
        echo "No Python $version here: skipped."
        continue
    fi
    check "$python" ".venv-$version" >".venv-$version.log" 2>&1 &
    running[$version]=$!
done
status=0
for version in "${!running[@]}"; do
    wait "${running[$version]}" || status=1
    echo "Python $version:"
    cat ".venv-$version.log"
done
((${#running[@]})) || echo "The tests run under one Python only, that of .venv."
exit $status
