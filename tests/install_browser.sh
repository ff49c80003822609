#!/usr/bin/env bash
# What the browsers' tests need beside Python's packages: Chromium and Firefox from Debian, axe-core and
# what drives Firefox from the npm registry. Where one is not to be had, the tests that need it are
# skipped with a reason.
set -uo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v firefox-esr >/dev/null || missing+=(firefox-esr)
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        "${as_root[@]}" apt-get update -qq >/dev/null 2>&1
        for each in "${missing[@]}"; do
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -qq --no-install-recommends "$each" >/dev/null 2>&1
        done
    fi
fi
for each in chromium firefox-esr; do
    command -v "$each" >/dev/null || echo "install_browser: no $each; its tests will be skipped"
done

modules=.venv/browser/node_modules
missing_from_npm() {
    for each in axe-core puppeteer-core; do
        [ -f "$modules/$each/package.json" ] || echo "$each"
    done
}
if [ -n "$(missing_from_npm)" ] && command -v npm >/dev/null; then
    # Both at a time: npm removes what it is not asked for.
    npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .venv/browser \
        axe-core@4.14.1 puppeteer-core@24.43.1 >/dev/null 2>&1
fi
for each in $(missing_from_npm); do
    echo "install_browser: no $each; the tests that need it will be skipped"
done
exit 0
