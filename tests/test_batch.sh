#!/usr/bin/env bash
# Several texts in one request to a running service: in order, each as if it were alone.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=curl/ask.sh
source "$(dirname "$0")/curl/ask.sh"

ask alone <<JSON
{
  "model": "$MODEL_ID",
  "input": "First text for embeddings"
}
JSON

ask batch alone <<JSON
{
  "model": "$MODEL_ID",
  "input": [
    "First text for embeddings",
    "Second text for embeddings",
    "Third text for embeddings"
  ]
}
JSON

ask repeated <<JSON
{
  "model": "$MODEL_ID",
  "input": [
    "Second text for embeddings",
    "What is Deep Learning?",
    "Second text for embeddings"
  ]
}
JSON

finish
