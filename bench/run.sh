#!/usr/bin/env bash
# Measures this build and prints a table; `bench/run.sh --help` lists the flags. docs/benchmarks.md is the method.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
[ -f dist/cli.js ] || npm run build
npx tsc -p bench/tsconfig.json # Node 20 runs no TypeScript
exec node .bench/build/run.js "$@"
