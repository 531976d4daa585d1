#!/usr/bin/env bash
# One text against a running service; fails on a wrong answer.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=curl/ask.sh
source "$(dirname "$0")/curl/ask.sh"

ask simple <<JSON
{
  "model": "$MODEL_ID",
  "input": "A simple sentence"
}
JSON

ask shortened <<JSON
{
  "model": "$MODEL_ID",
  "input": "A simple sentence",
  "dimensions": 64,
  "user": "test"
}
JSON

finish
