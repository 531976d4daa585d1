#!/usr/bin/env bash
# Says what to do where Node or npm is missing or too old.
set -euo pipefail

how='Get Node 20.19 or newer (24 is best) from https://nodejs.org/en/download, or with a version manager such as nvm or fnm.'

if ! type -P node >/dev/null; then
  echo "Node is not installed. $how" >&2
  exit 1
fi
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  echo "Expected Node 20.19 or newer, got $(node --version) at $(type -P node). $how" >&2
  exit 1
fi
if ! type -P npm >/dev/null; then
  echo "Node $(node --version) is here, but npm is not. Install it (Debian: apt-get install npm), or: $how" >&2
  exit 1
fi
if [[ $(uname -s) == Linux ]] && ldd /bin/sh 2>&1 | grep -q musl; then
  echo 'This system uses musl (Alpine), for which ONNX Runtime has no binaries. Use a system with glibc, such as Debian, or the Docker image.' >&2
  exit 1
fi
