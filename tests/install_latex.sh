#!/usr/bin/env bash
# What the tests of LaTeX tables need: pdflatex and booktabs from Debian. Where they are not to be had,
# the tests that compile are skipped with a reason.
set -uo pipefail

if ! command -v pdflatex >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        "${as_root[@]}" apt-get update -qq >/dev/null 2>&1
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends texlive-latex-base texlive-latex-recommended >/dev/null 2>&1
    fi
fi
command -v pdflatex >/dev/null || echo "install_latex: no pdflatex; its tests will be skipped"
exit 0
