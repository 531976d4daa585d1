#!/usr/bin/env bash
# Base64 answers of a running service hold the same float32 numbers as JSON ones.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=curl/ask.sh
source "$(dirname "$0")/curl/ask.sh"

ask float <<JSON
{
  "model": "$MODEL_ID",
  "encoding_format": "float",
  "input": "The quick brown fox jumps over the lazy dog"
}
JSON

ask base64 float <<JSON
{
  "model": "$MODEL_ID",
  "encoding_format": "base64",
  "input": "The quick brown fox jumps over the lazy dog"
}
JSON

ask base64-batch <<JSON
{
  "model": "$MODEL_ID",
  "encoding_format": "base64",
  "input": ["First text", "Second text"]
}
JSON

finish
