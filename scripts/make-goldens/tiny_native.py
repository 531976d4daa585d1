"""Tiny random checkpoints of families that transformers has classes for."""

import tempfile
from pathlib import Path

import torch

import dialects
from checkpoint import MODELS, Checkpoint, Forward, make_checkpoint, randomize, rounded, stored_weights
from reference import load

# single tokens, ragged short ones, one beyond every window, one beyond what attention computes at once
LENGTHS = [1, 2, 3, 5, 8, 12, 13, 17, 24, 25, 26, 33, 48, 64, 65, 130, 300]
MAX_TOKENS = 650
VOCAB = 128


def make_native(name, architecture, model_class, config, dtype, *, is_legacy, prefix="", changes=None, projection=None, **own) -> None:
    """`changes` are made to config.json; with other code than its own (`auto_map`, `model_type`) transformers cannot
    read it. `projection` is a layer after the model, [outputs, hidden]."""
    torch.manual_seed(0)
    model = rounded(randomize(model_class(config)), dtype)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        weights = {prefix + key: value for key, value in stored_weights(Path(folder), dtype).items()}
    changes = changes or {}
    forward = forward_of(model)
    if projection is not None:
        weights["linear.weight"] = projection.to(dtype)
        inner = forward
        forward = lambda ids, mask: inner(ids, mask) @ projection.to(dtype).float().T  # noqa: E731
    is_readable = not {"model_type", "auto_map"} & set(changes)
    dialect = dialects.legacy if is_legacy else dialects.current
    config.architectures = [model_class.__name__]
    make_checkpoint(
        Checkpoint(
            name=name,
            architecture=architecture,
            config=dialect(config, dtype, **changes),
            weights=weights,
            forward=from_files(name, forward) if is_readable else forward,
            max_tokens=MAX_TOKENS,
            lengths=[*LENGTHS, MAX_TOKENS],
            vocab=VOCAB,
            **own,
        )
    )


def forward_of(model: torch.nn.Module) -> Forward:
    model.set_attn_implementation("eager")
    return lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state


def from_files(name: str, expected: Forward) -> Forward:
    """transformers on the files that were written: config.json says the same as the config it was made from."""
    loaded: list[torch.nn.Module] = []

    def forward(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if not loaded:
            loaded.append(load(MODELS / name))
        result = loaded[0](input_ids=ids, attention_mask=mask).last_hidden_state
        assert torch.equal(result, expected(ids, mask)), name
        return result

    return forward


def head(name: str, rows: int, columns: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """A head for other work than embedding."""
    return {name: torch.full((rows, columns), 0.5, dtype=dtype)}
