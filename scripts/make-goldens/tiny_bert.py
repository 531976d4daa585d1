"""Tiny random BERT checkpoints in the layouts that the hub has."""

import numpy as np
import torch

from checkpoint import MODELS, SEED, Checkpoint, make_checkpoint
from reference import load

HIDDEN, HEADS, LAYERS, INTERMEDIATE, VOCAB, POSITIONS = 48, 4, 3, 80, 300, 81
LENGTHS = [*range(1, 65), 67, 79, POSITIONS]

# One row per checkpoint. Every layout, number format and activation stands in at least one of them.
VARIANTS = {
    "bert": {"dtype": torch.float32, "hidden_act": "gelu"},
    "bert-prefix": {"dtype": torch.float16, "hidden_act": "relu", "prefix": "bert.", "layer_norm_eps": 1e-5},
    "bert-gamma-beta": {"dtype": torch.float16, "hidden_act": "gelu_new", "prefix": "bert.", "old_names": True},
    "bert-bf16": {"dtype": torch.bfloat16, "hidden_act": "gelu_pytorch_tanh"},
    "bert-sharded": {"dtype": torch.float16, "hidden_act": "gelu", "shards": 3},
    "bert-cls": {"dtype": torch.bfloat16, "hidden_act": "gelu", "pooling": "cls"},
}


def make() -> None:
    for name, variant in VARIANTS.items():
        make_one(name, **variant)


def make_one(name, dtype, hidden_act, prefix="", old_names=False, shards=1, pooling="mean", layer_norm_eps=1e-12) -> None:
    weights = {key: value.to(dtype) for key, value in random_weights(np.random.RandomState(SEED)).items()}
    make_checkpoint(
        Checkpoint(
            name=name,
            architecture="bert",
            config=config(hidden_act, layer_norm_eps, dtype),
            weights={prefix + rename(key, old_names): value for key, value in weights.items()},
            forward=lambda ids, mask: loaded(name)(input_ids=ids, attention_mask=mask).last_hidden_state,
            max_tokens=POSITIONS,
            lengths=LENGTHS,
            vocab=VOCAB,
            pooling=pooling,
            heads=heads(prefix, dtype) if prefix else {},
            shards=shards,
        )
    )
    expected = {key: value.float() for key, value in weights.items()}
    for key, value in loaded(name).state_dict().items():
        assert key not in expected or torch.equal(value, expected.pop(key)), key
    assert not expected, f"transformers did not read {list(expected)}"


def heads(prefix: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """What a checkpoint with heads carries besides; an encoder ignores it."""
    return {
        f"{prefix}pooler.dense.weight": torch.full((HIDDEN, HIDDEN), 0.5, dtype=dtype),
        f"{prefix}pooler.dense.bias": torch.full((HIDDEN,), 0.5, dtype=dtype),
        f"{prefix}embeddings.position_ids": torch.arange(POSITIONS)[None],
        "cls.predictions.bias": torch.full((VOCAB,), 0.5, dtype=dtype),
    }


MODELS_LOADED: dict[str, torch.nn.Module] = {}


def loaded(name: str) -> torch.nn.Module:
    """transformers on the files that were written."""
    if name not in MODELS_LOADED:
        MODELS_LOADED[name] = load(MODELS / name)
    return MODELS_LOADED[name]


def config(hidden_act: str, layer_norm_eps: float, dtype: torch.dtype) -> dict:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INTERMEDIATE,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "hidden_act": hidden_act,
        "layer_norm_eps": layer_norm_eps,
        "pad_token_id": 0,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }


def random_weights(random: np.random.RandomState, layers: int = LAYERS) -> dict[str, torch.Tensor]:
    """Wide enough that attention is far from uniform; no norm weight is 1 and no bias 0, which would hide bugs."""
    weights = {}

    def add(name: str, *shape: int, scale: float, center: float = 0) -> None:
        weights[name] = torch.from_numpy((center + scale * random.standard_normal(shape)).astype("f4"))

    def add_linear(name: str, rows: int, columns: int) -> None:
        add(f"{name}.weight", rows, columns, scale=0.2)
        add(f"{name}.bias", rows, scale=0.1)

    def add_norm(name: str) -> None:
        add(f"{name}.weight", HIDDEN, scale=0.2, center=1)
        add(f"{name}.bias", HIDDEN, scale=0.1)

    add("embeddings.word_embeddings.weight", VOCAB, HIDDEN, scale=1)
    add("embeddings.position_embeddings.weight", POSITIONS, HIDDEN, scale=0.5)
    add("embeddings.token_type_embeddings.weight", 2, HIDDEN, scale=0.5)
    add_norm("embeddings.LayerNorm")
    for layer in range(layers):
        path = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            add_linear(f"{path}.attention.self.{part}", HIDDEN, HIDDEN)
        add_linear(f"{path}.attention.output.dense", HIDDEN, HIDDEN)
        add_norm(f"{path}.attention.output.LayerNorm")
        add_linear(f"{path}.intermediate.dense", INTERMEDIATE, HIDDEN)
        add_linear(f"{path}.output.dense", HIDDEN, INTERMEDIATE)
        add_norm(f"{path}.output.LayerNorm")
    return weights


def rename(key: str, old_names: bool) -> str:
    if not old_names:
        return key
    return key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
