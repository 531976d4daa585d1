#!/usr/bin/env bash
# Runs every check and test and ends with the plain line "N passed, N failed[, N skipped]" over all of them.
# A suite prints such lines itself; one without them counts as one test, by its exit status. A check counts only when it fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

main() {
  check 'types' npm run --silent typecheck
  check 'lint' npm run --silent lint
  check 'format' npm run --silent format:check
  check 'unused code' npm run --silent knip
  suite 'tests' npm run --silent test
  suite 'known vulnerabilities' scripts/audit.sh --allow-unavailable
  for script in tests/e2e.sh tests/deploy/lint.sh; do
    if [[ -f $script ]]; then suite "$script" bash "$script"; fi
  done
  printf '\n%s passed, %s failed' "$passed" "$failed"
  ((skipped == 0)) || printf ', %s skipped' "$skipped"
  echo
  ((failed == 0))
}

check() {
  run "$@" || failed=$((failed + 1))
}

suite() {
  local status=0 p f s
  run "$@" || status=1
  read -r p f s < <(tally "$log")
  if ((p + f + s == 0 && status == 0)); then p=1; fi
  # Failed, though no test it counted did: it broke outside of them.
  if ((f == 0 && status != 0)); then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# $1 is the name, the rest the command; its output goes to the screen and to $log.
run() {
  local name=$1 status
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  ((status == 0)) || printf '== %s FAILED (status %s)\n' "$name" "$status"
  return "$status"
}

# The sums of the plain lines in a log, colours aside: passed failed skipped
tally() {
  sed -E 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^([a-z]+: )?[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
      sub(/^[a-z]+: /, ""); gsub(/,/, ""); passed += $1; failed += $3; skipped += $5
    }
    END { print passed + 0, failed + 0, skipped + 0 }'
}

main
