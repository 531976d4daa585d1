#!/usr/bin/env bash
# Draws docs/plots/ from the last results in .bench/ and prints the lines that show them in a page.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npx tsc -p bench/tsconfig.json # Node 20 runs no TypeScript
exec node .bench/build/plots.js "$@"
