#!/usr/bin/env bash
# Every page in a browser: judged, or photographed with --shots FOLDER (docs/pages.md).
#   LATCHKEY_BINARY         the binary, by default target/release/latchkey
#   LATCHKEY_PAGES_MODULES  where the two npm packages are, by default tests/pages, installed there if missing
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
modules=${LATCHKEY_PAGES_MODULES:-$root/tests/pages}
if [ ! -d "$modules/node_modules/playwright-core" ]; then
    mkdir -p "$modules"
    [ "$modules" -ef "$root/tests/pages" ] || cp "$root"/tests/pages/package*.json "$modules"
    npm ci --silent --no-audit --no-fund --prefix "$modules"
fi
LATCHKEY_PAGES_MODULES=$modules exec node "${LATCHKEY_PAGES_PROGRAM:-$root/tests/pages/run.mjs}" "${LATCHKEY_BINARY:-$root/target/release/latchkey}" "$@"
