#!/usr/bin/env bash
# Checks what no TypeScript tool reads: Dockerfiles, compose files, shell scripts, the systemd unit, the Helm chart.
# The tools come from package registries into .venv-deploy and npm's cache; a tool that is not to be had is a skip with its reason.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

venv=.venv-deploy
passed=0 failed=0 skipped=0

main() {
  install_python_tools
  with_tool hadolint 'Dockerfiles' Dockerfile.cpu Dockerfile.gpu
  with_tool shellcheck 'shell scripts' --severity=warning .ci/run scripts/*.sh deploy/*.sh tests/deploy/*.sh
  compose_files
  systemd_unit
  helm_chart
  printf '%s passed, %s failed' "$passed" "$failed"
  ((skipped == 0)) || printf ', %s skipped' "$skipped"
  echo
  ((failed == 0))
}

install_python_tools() {
  [[ $venv/.installed -nt tests/deploy/requirements.txt ]] && return
  type -P python3 >/dev/null && python3 -m venv "$venv" 2>/dev/null || return
  local tool
  # One by one: where one of them is not to be had, the others still work.
  while read -r tool; do
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$tool"
  done < <(grep -v '^#' tests/deploy/requirements.txt)
  touch "$venv/.installed"
}

with_tool() {
  local tool=$1 what=$2
  shift 2
  [[ -x $venv/bin/$tool ]] || { skip "$what" "$tool could not be installed (needs python3 with venv)"; return; }
  report "$what ($tool)" "$venv/bin/$tool" "$@"
}

# dclint carries the compose-spec schema. A merged file is the same schema, so each is checked by itself.
compose_files() {
  npx --yes dclint@3.1.0 --version >/dev/null 2>&1 || { skip 'compose files' 'dclint could not be installed'; return; }
  report 'compose files (dclint)' npx --yes dclint@3.1.0 --config tests/deploy/dclint.json docker-compose.yaml docker-compose.gpu.yaml
}

systemd_unit() {
  type -P systemd-analyze >/dev/null || { skip 'systemd unit' 'systemd-analyze is not installed'; return; }
  report 'systemd unit (systemd-analyze verify)' verify_unit
  systemd-analyze security --help 2>/dev/null | grep -q -- --offline || { skip 'exposure of the systemd unit' 'systemd-analyze is too old'; return; }
  # Of 10 points; what is left is the network, and the files and processors that every program may see.
  report 'exposure of the systemd unit (systemd-analyze security)' \
    systemd-analyze security --no-pager --offline=true --threshold=20 deploy/systemd/embeddings.service
}

# verify ends with 0 on unknown settings, so any word about our unit is a failure.
verify_unit() {
  local words
  words=$(systemd-analyze verify --man=no deploy/systemd/embeddings.service 2>&1 | grep 'embeddings.service')
  [[ -z $words ]] || { echo "$words"; return 1; }
}

# Helm's own code and the schemas of Kubernetes are packages of PyPI; a line for each check.
helm_chart() {
  "$venv/bin/python" -c 'import helm_python, kubernetes_validate' 2>/dev/null ||
    { skip 'Helm chart' 'its tools could not be installed (needs python3 with venv, on Linux with glibc)'; return; }
  local output bad
  output=$("$venv/bin/python" tests/deploy/chart.py 2>&1)
  local status=$?
  echo "$output"
  bad=$(grep -c '^FAILED: ' <<<"$output")
  if ((status != 0 && bad == 0)); then bad=1; fi
  passed=$((passed + $(grep -c '^ok: ' <<<"$output")))
  failed=$((failed + bad))
}

report() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok: $what"
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n%s\n' "$what" "$output"
  fi
}

skip() {
  skipped=$((skipped + 1))
  echo "skipped: $1: $2"
}

main
