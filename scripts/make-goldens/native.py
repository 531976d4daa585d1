"""Tiny models of transformers' own classes, with the names their checkpoints have on the hub."""

import tempfile
from pathlib import Path

import torch

from checkpoint import Forward, randomize, rounded, stored_weights

# Alone, ragged, around the block of 128 queries, and beyond the 512 tokens that some attention computes at once.
LENGTHS = [1, 2, 3, 5, 13, 32, 33, 64, 129, 513, 700]


def tiny(model: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    return rounded(randomize(model), dtype)


def saved(model: torch.nn.Module, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Tensors as `save_pretrained` names them, which is as the original code did."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return stored_weights(Path(folder), dtype)


def forward_of(model: torch.nn.Module) -> Forward:
    return lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state


def under(prefix: str, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in weights.items()}
