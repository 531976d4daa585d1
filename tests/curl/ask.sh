# shellcheck shell=bash disable=SC2034 # what is set here is used by the scripts that source it
# Sourced by tests/test_*.sh: where the service is, and one curl with its answer checked.
# EMBEDDINGS_SERVICE_URL, EMBEDDINGS_PORT, EMBEDDINGS_MODEL_ID and EMBEDDINGS_API_KEY choose what is asked.
SERVICE_URL="${EMBEDDINGS_SERVICE_URL:-http://localhost:${EMBEDDINGS_PORT:-11445}}"
MODEL_ID="${EMBEDDINGS_MODEL_ID:-sentence-transformers/all-MiniLM-L6-v2}"
checker="$(dirname "${BASH_SOURCE[0]}")/check-response.mjs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# ask NAME [AS_IN]: sends the request on standard input, prints PASS or FAIL; AS_IN names an earlier ask of the same vectors.
ask() {
  local name=$1 as_in=${2:+$work/$2.response} status headers=(-H 'Content-Type: application/json')
  if [[ -n ${EMBEDDINGS_API_KEY:-} ]]; then headers+=(-H "Authorization: Bearer $EMBEDDINGS_API_KEY"); fi
  cat >"$work/$name.request"
  status=$(curl -sS --max-time 120 -o "$work/$name.response" -w '%{http_code}' "${headers[@]}" \
    -d @"$work/$name.request" "$SERVICE_URL/v1/embeddings") || status="none (curl failed)"
  touch "$work/$name.response"
  if node "$checker" "$work/$name.request" "$work/$name.response" "$status" ${as_in:+"$as_in"}; then
    echo "PASS $name: $(head -c 120 "$work/$name.response")..."
  else
    echo "FAIL $name"
    failed=1
  fi
}

finish() {
  exit "$failed"
}
