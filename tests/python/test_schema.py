"""Requests generated from /openapi.json: every answer fits the document, none is a 5xx."""

import os
import subprocess
import sys
from pathlib import Path

import requests

HERE = Path(__file__).resolve().parent
SECONDS = int(os.environ.get("EMBEDDINGS_SCHEMA_SECONDS", "90"))
# What a schema cannot say: which model exists, which token ids it has, how long a text is in tokens.
NOT_IN_THE_SCHEMA = "positive_data_acceptance"


def test_the_document_describes_the_routes_of_the_contract(root: str):
    document = requests.get(f"{root}/openapi.json", timeout=30).json()
    assert document["openapi"].startswith("3.1")
    assert {"/v1/embeddings", "/v1/models"} <= set(document["paths"])


def test_generated_requests_never_break_the_service_and_answers_fit_the_document(root: str, api_key: str, tmp_path: Path):
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{root}/openapi.json", "--url", root),
        *("--checks", "all", "--exclude-checks", NOT_IN_THE_SCHEMA),
        *("--header", f"Authorization: Bearer {api_key}", "--max-examples", "150", "--seed", "1", "--no-color"),
        *("--max-time", str(SECONDS), "--workers", "2", "--request-timeout", "60", "--suppress-health-check", "all"),
    ]
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=SECONDS + 120, check=False)
    assert run.returncode == 0, run.stdout[-12_000:] + run.stderr[-2_000:]
