#!/usr/bin/env bash
# What the browser's tests need beside Python's packages: Chromium from Debian, axe-core from the npm
# registry. Where either is not to be had, the tests that need it are skipped with a reason.
set -uo pipefail
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        "${as_root[@]}" apt-get update -qq >/dev/null 2>&1
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1
    fi
fi
command -v chromium >/dev/null || echo "install_browser: no Chromium; its tests will be skipped"

axe=.venv/browser/node_modules/axe-core/axe.min.js
if [ ! -f "$axe" ] && command -v npm >/dev/null; then
    npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .venv/browser \
        axe-core@4.14.1 >/dev/null 2>&1
fi
[ -f "$axe" ] || echo "install_browser: no axe-core; the test that needs it will be skipped"
exit 0
