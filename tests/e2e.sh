#!/usr/bin/env bash
# The built service from end to end: curl scripts, examples, Python clients, killed runners, a clean stop.
# EMBEDDINGS_E2E_KILLS sets how many runners are killed (5), EMBEDDINGS_E2E_PYTHON the Python with tests/python/requirements.txt.
# The last line is the plain "N passed, N failed[, N skipped]".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

kills="${EMBEDDINGS_E2E_KILLS:-5}"
python="${EMBEDDINGS_E2E_PYTHON:-.venv-test/bin/python}"
passed=0 failed=0 skipped=0
work=$(mktemp -d)
server=
trap cleanup EXIT

main() {
  build
  start_server
  for name in simple base64 batch; do
    step "tests/test_$name.sh" env EMBEDDINGS_SERVICE_URL="$url" "tests/test_$name.sh"
  done
  examples
  python_clients
  step "$kills killed runners under load" node tests/e2e/kill-runners.mjs "$url" "$server" "$kills"
  step 'the server stops cleanly' stop_server
  summary
}

build() {
  if [[ -f dist/cli.js && -z $(find src package.json tsconfig*.json -type f -newer dist/cli.js -not -name '*.test.ts' -print -quit) ]]; then return; fi
  echo '== build'
  npm run --silent build || abort 'the build failed'
}

# On the bundled model, whatever settings and caches this machine has.
start_server() {
  local port
  port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  url="http://127.0.0.1:$port"
  # The second name of the bundled model is for tests/python/test_langchain_tokens.py.
  { cat supported_models.txt; echo 'sentence-transformers/all-MiniLM-L6-v2 alias=minilm-for-langchain token_ids=tiktoken'; } >"$work/models.txt"
  (
    unset "${!EMBEDDINGS_@}"
    HF_HUB_CACHE="$work/no-cache" exec node dist/cli.js serve --host 127.0.0.1 --port "$port" --log-level warn \
      --supported-models "$work/models.txt"
  ) >"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 600); do
    if curl -fsS -o "$work/readyz" "$url/readyz" 2>/dev/null; then
      echo "== the service is ready on $url"
      return
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  abort 'the server did not become ready within 60 s'
}

# library.mjs starts an engine of its own and must find no other settings either.
examples() {
  local file
  for file in examples/*; do
    if [[ $file == *.py && ! -x $python ]]; then
      echo "SKIP $file: $python is missing; make test installs it"
      skipped=$((skipped + 1))
      continue
    fi
    step "$file" run_example "$file"
  done
}

run_example() (
  unset "${!EMBEDDINGS_@}"
  HF_HUB_CACHE="$work/no-cache" exec node tests/examples/run-example.mjs "$1" "$url" "$python"
)

python_clients() {
  if [[ ! -x $python ]]; then
    echo "SKIP Python clients: $python is missing; make test installs it"
    skipped=$((skipped + 1))
    return
  fi
  echo '== Python clients'
  # Warnings of the clients' own packages are no matter of this service.
  EMBEDDINGS_BASE_URL="$url" "$python" -B -m pytest -q -p no:cacheprovider --disable-warnings tests/python >"$work/pytest.log" 2>&1
  local status=$? last
  cat "$work/pytest.log"
  last=$(grep -E '(passed|failed|error|skipped).* in [0-9.]+s' "$work/pytest.log" | tail -n 1)
  local ok bad
  ok=$(number_before passed "$last")
  bad=$(($(number_before failed "$last") + $(number_before 'errors?' "$last")))
  # Broken outside of its tests: nothing collected, or pytest itself ended.
  if ((status != 0 && bad == 0)) || ((ok + bad == 0)); then bad=1; fi
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + $(number_before skipped "$last")))
}

number_before() {
  local found
  found=$(grep -oE "[0-9]+ $1" <<<"$2" | grep -oE '^[0-9]+')
  echo "${found:-0}"
}

stop_server() {
  local children status
  children=$(pgrep -P "$server" | tr '\n' ' ')
  kill -TERM "$server"
  for _ in $(seq 400); do
    if ! kill -0 "$server" 2>/dev/null; then
      wait "$server"
      status=$?
      server=
      ((status == 0)) || echo "the server ended with status $status"
      for child in $children; do is_gone "$child" || status=1; done
      return "$status"
    fi
    sleep 0.1
  done
  echo 'the server did not stop within 40 s of SIGTERM'
  return 1
}

# A runner ends when it sees that its server has: within 3 s. One that is dead but not yet reaped is gone.
is_gone() {
  for _ in $(seq 30); do
    if [[ ! -r /proc/$1/stat || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]; then return 0; fi
    sleep 0.1
  done
  echo "process $1 was left behind"
  return 1
}

# step NAME COMMAND...: one test
step() {
  local name=$1
  shift
  echo "== $name"
  if "$@"; then
    echo "PASS $name"
    passed=$((passed + 1))
  else
    echo "FAIL $name"
    failed=$((failed + 1))
  fi
}

abort() {
  echo "FAIL $1"
  failed=$((failed + 1))
  summary
}

summary() {
  if ((failed > 0)) && [[ -s $work/server.log ]]; then
    echo '== the end of the log of the server'
    tail -n 40 "$work/server.log"
  fi
  printf '%s passed, %s failed' "$passed" "$failed"
  ((skipped == 0)) || printf ', %s skipped' "$skipped"
  echo
  exit $((failed > 0))
}

cleanup() {
  if [[ -n $server ]]; then
    local children
    children=$(pgrep -P "$server")
    # shellcheck disable=SC2086 # one word per process
    kill -9 "$server" $children 2>/dev/null
  fi
  rm -rf "$work"
}

main
