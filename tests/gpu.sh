#!/usr/bin/env bash
# A GPU's numbers in one command: the tests of tests/cuda and benchmarks/gpu.py, with the torch that the
# machine has. See docs/gpu.md.
#
#   PYTHON=python3 WHEELS=folder DEVICE=cuda bash tests/gpu.sh
#
# PYTHON's packages are seen in the environment .venv-gpu; what is missing or too old there is taken from
# WHEELS, or from the package index if that is empty. torch and torchvision are never replaced. With
# DEVICE=cpu all is tried in small on a processor.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
wheels=${WHEELS:-}
device=${DEVICE:-cuda}
environment=.venv-gpu
begun=$SECONDS

if [[ ! -e $environment/installed || pyproject.toml -nt $environment/installed ]]; then
    "$python" -m venv --clear --system-site-packages "$environment"
    # The packages of a PYTHON that is a virtual environment itself are not seen by themselves.
    "$python" - "$environment"/lib/python3*/site-packages <<'SCRIPT'
import pathlib, sys, sysconfig

if sys.prefix != sys.base_prefix:
    below = sysconfig.get_path("purelib")
    path = pathlib.Path(sys.argv[1], "below.pth")
    path.write_text(f"import site; site.addsitedir({below!r})\n", encoding="utf-8")
SCRIPT
    "$environment/bin/python" tests/missing.py >"$environment/missing.txt"
    from=()
    [[ -z $wheels ]] || from=(--no-index --find-links "$wheels")
    install=("$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps)
    # One by one what is named and nothing else, so that nothing of the machine's is replaced.
    "${install[@]}" "${from[@]}" --requirement "$environment/missing.txt"
    "${install[@]}" --no-index --no-build-isolation --editable .
    "$environment/bin/python" -m pip check || echo "That may do harm, or none: the tests will tell."
    touch "$environment/installed"
fi
"$environment/bin/python" -c 'import torch; print("torch", torch.__version__, "from", torch.__path__[0])'

export PATH=$PWD/$environment/bin:$PATH
small=()
[[ $device == cuda ]] || small=(--small)
# Tests may need some gigabytes of the device, which a process that has ended gives back.
SYNTHSIGHT_TEST_DEVICE=$device python -m pytest -q -p no:cacheprovider --durations 5 tests/cuda
python benchmarks/gpu.py --device "$device" "${small[@]}" --output "gpu-$device.md"
echo "The section is in gpu-$device.md. All took $((SECONDS - begun)) s."
