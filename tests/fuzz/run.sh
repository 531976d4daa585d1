#!/usr/bin/env bash
# Runs a fuzzer over dist/: `tests/fuzz/run.sh models|requests --count N --seed N`. docs/hostile-input.md says what it looks for.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d node_modules ] || npm ci
[ -f dist/cli.js ] || npm run build
part="$1"
shift
npx tsc -p tests/fuzz/tsconfig.json # Node 20 runs no TypeScript
exec node ".bench/fuzz/tests/fuzz/fuzz-$part.js" "$@"
