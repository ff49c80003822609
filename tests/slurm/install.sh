#!/usr/bin/env bash
# What the tests on a cluster need: Snakemake's plugins, a local S3 server, in folders of their own, and
# Slurm and munge from Debian. The tests start daemons of their own; the packages' services are not started. Fails where
# something is not to be had.
set -euo pipefail
cd "$(dirname "$0")/../.."

"${PYTHON:-.venv/bin/python}" -m pip install --quiet --no-deps --upgrade --target .venv/slurm \
    --requirement requirements-slurm.txt --requirement requirements-cluster-generic.txt
"${PYTHON:-.venv/bin/python}" -m pip install --quiet --no-deps --upgrade --target .venv/storage \
    --requirement requirements-s3.txt --requirement tests/slurm/requirements.txt

export PATH=$PATH:/usr/sbin:/sbin
missing() {
    local name
    for name in slurmctld slurmd munged sbatch; do
        command -v "$name" >/dev/null || return 0
    done
    return 1
}

missing || exit 0
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
# Maintainers' scripts ask this file before they start a service.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq >/dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
if missing; then
    echo "install: Slurm's packages were installed, but not all of its programs are there" >&2
    exit 1
fi
