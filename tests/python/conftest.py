"""Tests against a running service: EMBEDDINGS_BASE_URL (default http://localhost:11445), EMBEDDINGS_API_KEY if it asks for one."""

import base64
import json
import os
from pathlib import Path

import numpy as np
import openai
import pytest

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "all-MiniLM-L6-v2.json"


class Goldens:
    """Texts of the goldens that fit into the model, their token counts, and the vectors of the weights in use."""

    def __init__(self) -> None:
        file = json.loads(GOLDENS.read_text())
        keep = [row for row, case in enumerate(file["cases"]) if "fullTokens" not in case]
        self.texts = [file["cases"][row]["text"] for row in keep]
        self.ids = [file["cases"][row]["ids"] for row in keep]
        self.tokens = [len(ids) for ids in self.ids]
        self.overlong = [case["text"] for case in file["cases"] if "fullTokens" in case]
        self._sets = [
            np.frombuffer(base64.b64decode(file["vectors"][weights]["mean"]), "<f4").reshape(-1, file["dim"])[keep]
            for weights in ("f16", "f32")
        ]

    def assert_equal(self, vectors: object, rows: list[int] | None = None) -> None:
        """The service may run on the bundled F16 weights or on the official F32 ones, but on one of them for all texts."""
        got = np.asarray(vectors, np.float32)
        wanted = [whole if rows is None else whole[rows] for whole in self._sets]
        assert got.shape == wanted[0].shape
        assert min(float(np.abs(got - whole).max()) for whole in wanted) <= 2e-5


@pytest.fixture(scope="session")
def root() -> str:
    return os.environ.get("EMBEDDINGS_BASE_URL", "http://localhost:11445").rstrip("/").removesuffix("/v1")


@pytest.fixture(scope="session")
def api_key() -> str:
    return os.environ.get("EMBEDDINGS_API_KEY", "unused")


@pytest.fixture(scope="session")
def client(root: str, api_key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{root}/v1", api_key=api_key, max_retries=0, timeout=120)


@pytest.fixture(scope="session")
def goldens() -> Goldens:
    return Goldens()
