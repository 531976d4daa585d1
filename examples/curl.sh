#!/usr/bin/env bash
# The API with nothing but curl. Needs curl; a failed request ends the script.
#   OPENAI_BASE_URL=http://localhost:11445/v1 examples/curl.sh
set -euo pipefail
base="${OPENAI_BASE_URL:-http://localhost:11445/v1}"
model="${MODEL:-sentence-transformers/all-MiniLM-L6-v2}"

post() {
  curl -sS --fail-with-body "$base/embeddings" \
    -H "Content-Type: application/json" \
    -H "Authorization: Bearer ${OPENAI_API_KEY:-unused}" \
    -d "$1"
  echo
}

echo "# models this server offers"
curl -sS --fail-with-body "$base/models" -H "Authorization: Bearer ${OPENAI_API_KEY:-unused}" | cut -c 1-300
echo

echo "# one text"
post '{"model": "'"$model"'", "input": "The quick brown fox jumps over the lazy dog"}' | cut -c 1-160

echo "# two texts as base64 of little-endian float32, the first 8 numbers of each"
post '{"model": "'"$model"'", "input": ["First text", "Second text"], "encoding_format": "base64", "dimensions": 8}'

echo "# an error names what is wrong"
post '{"model": "'"$model"'", "input": ["fine", ""]}' || true
