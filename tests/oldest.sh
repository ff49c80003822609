#!/usr/bin/env bash
# The tests of networks, numbers and tables under the oldest versions that synthsight runs with.
# Their environment, .venv-oldest, holds what requirements-oldest.txt lists and sees all else in .venv,
# so that of torch's gigabytes only torch itself is installed twice: CUDA's libraries are links, which
# is enough for a processor.
set -euo pipefail
cd "$(dirname "$0")/.."

below=$PWD/.venv
environment=$PWD/.venv-oldest
tests=(
    tests/adapted tests/classifiers tests/distances tests/features tests/images tests/inference
    tests/people tests/predictions tests/statistics tests/test_api.py tests/transfer tests/vqa
)
# What the newest version alone has: the list of kinds of chat model of the pinned transformers.
left_out=tests/vqa/test_chat.py::test_the_kinds_are_those_that_transformers_has

packages() {
    "$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
}

installed=$environment/installed
if [[ ! -e $installed || requirements-oldest.txt -nt $installed || requirements.txt -nt $installed ]]; then
    "$below/bin/python" -m venv --clear "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-compile --only-binary :all: --requirement requirements-oldest.txt
    libraries=$("$below/bin/python" -c 'import nvidia; print(*nvidia.__path__)' 2>/dev/null || true)
    if [[ -n $libraries ]]; then
        cp --recursive --symbolic-link --no-clobber "$libraries" "$(packages "$environment")/"
    fi
    touch "$installed"
fi
# Read at the end of the search path: what is installed here comes first. Other .pth files count, too.
echo "import site; site.addsitedir('$(packages "$below")')" >"$(packages "$environment")/below.pth"
"$environment/bin/python" -c '
import importlib.metadata
import pathlib
import re

for line in pathlib.Path("requirements-oldest.txt").read_text(encoding="utf-8").splitlines():
    if stated := re.match(r"([\w-]+)==([\w.]+)", line):
        found = importlib.metadata.version(stated[1])
        assert found == stated[2], f"{stated[1]} is {found}, not {stated[2]}"
'
"$environment/bin/python" -m pytest -q -p no:cacheprovider --numprocesses 3 --maxprocesses 8 \
    --dist worksteal -m "not workflow and not slow and not long" --deselect "$left_out" "${tests[@]}"
