"""The reference itself: one text at a time, no padding, float32, eager attention."""

import base64
import json
from pathlib import Path

import numpy as np
import torch
import transformers

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

GOLDENS = Path(__file__).resolve().parents[2] / "tests" / "goldens"


def load(folder: Path) -> torch.nn.Module:
    return transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def embed(model: torch.nn.Module, sequences: list[list[int]]) -> dict[str, np.ndarray]:
    """Unit vectors per pooling, [sequences, hidden]."""
    rows: dict[str, list[torch.Tensor]] = {"mean": [], "cls": []}
    for ids in sequences:
        with torch.inference_mode():
            hidden = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long))
        rows["mean"].append(hidden.last_hidden_state[0].mean(0))
        rows["cls"].append(hidden.last_hidden_state[0, 0])
    return {pooling: torch.nn.functional.normalize(torch.stack(list_), dim=1).numpy() for pooling, list_ in rows.items()}


def check_padded_batch(model: torch.nn.Module, sequences: list[list[int]], mean: np.ndarray) -> None:
    """The reference must itself not depend on the batch, else it is no reference."""
    width = max(map(len, sequences))
    ids, mask = np.zeros((len(sequences), width), np.int64), np.zeros((len(sequences), width), np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)], mask[row, : len(sequence)] = sequence, 1
    with torch.inference_mode():
        hidden = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state
    weights = torch.from_numpy(mask)[..., None].float()
    padded = torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1).numpy()
    require_close("one padded batch", padded, mean, 2e-6)


def require_close(what: str, got: np.ndarray, expected: np.ndarray, limit: float) -> None:
    difference = float(np.abs(got - expected).max())
    print(f"  {what}: max abs {difference:.1e}")
    assert difference <= limit, (what, difference)


def to_base64(vectors: np.ndarray) -> str:
    """Row after row, float32, little endian."""
    assert np.isfinite(vectors).all()
    return base64.b64encode(vectors.astype("<f4").tobytes()).decode()


def write(name: str, golden: dict) -> None:
    versions = f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}, float32"
    text = json.dumps({"reference": versions, **golden}, ensure_ascii=True, indent=1)
    path = GOLDENS / f"{name}.json"
    path.write_text(collapse_numbers(text) + "\n")
    print(f"  {path.name}: {path.stat().st_size:,} bytes")


def collapse_numbers(text: str) -> str:
    """Lists of token ids on one line each."""
    import re

    return re.sub(r"\[\s+(-?\d[\d,\s]*?)\s+\]", lambda match: "[" + re.sub(r"\s+", "", match[1]) + "]", text)
