"""Tiny random GTE checkpoints in the dialects of the hub; the reference is `GteModel`."""

import math

import torch
from transformers import GteConfig, GteModel

from checkpoint import Checkpoint, make_checkpoint
from native import LENGTHS, forward_of, saved, tiny, under

HIDDEN, HEADS, LAYERS, INTERMEDIATE, VOCAB, POSITIONS = 32, 4, 2, 56, 128, 8192
SIZE = HIDDEN // HEADS

# One row per checkpoint: how config.json says it, and what differs from plain GTE.
VARIANTS = {
    "gte-new": {"dtype": torch.float16, "model_type": "new", "prefix": "new.", "ntk": (2.0, None), "types": 0},
    "gte-vietnamese": {"dtype": torch.float16, "model_type": "Vietnamese", "ntk": (8.0, None), "packed": False},
    "gte-bilingual": {
        "dtype": torch.bfloat16,
        "model_type": "Bilingual",
        "prefix": "Bilingual.",
        "ntk": (8.0, 0.6),
        "rms_norm": True,
        "pooling": "cls",
    },
    "gte-plain": {"dtype": torch.float16, "model_type": "gte", "types": 2},
    "gte-hf": {"dtype": torch.bfloat16, "model_type": "gte", "is_native": True},
}
THETA = 20000.0


def make() -> None:
    for name, variant in VARIANTS.items():
        make_one(name, **variant)


def make_one(
    name, dtype, model_type, prefix="", ntk=None, types=1, packed=True, rms_norm=False, pooling="mean", is_native=False
) -> None:
    native = GteConfig(
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=INTERMEDIATE,
        vocab_size=VOCAB,
        max_position_embeddings=POSITIONS,
        type_vocab_size=types,
        hidden_dropout_prob=0.0,
        rope_parameters=native_rope(ntk, is_native),
        attn_implementation="eager",
    )
    model = GteModel(native)
    if rms_norm:
        for layer in model.layers:
            layer.post_attention_layernorm = torch.nn.RMSNorm(HIDDEN, eps=native.layer_norm_eps)
            layer.post_mlp_layernorm = torch.nn.RMSNorm(HIDDEN, eps=native.layer_norm_eps)
    model = tiny(model, dtype)
    if ntk is not None and ntk[1] is not None:
        model.rotary_emb.inv_freq.copy_(mixed_frequencies(*ntk))
    weights = saved(model, dtype)
    if not packed:
        weights = unpacked(weights)
    legacy = legacy_config(model_type, dtype, ntk, types, packed, rms_norm)
    make_checkpoint(
        Checkpoint(
            name=name,
            architecture="gte",
            config=native.to_dict() | {"dtype": str(dtype).removeprefix("torch.")} if is_native else legacy,
            weights=under(prefix, weights),
            forward=forward_of(model),
            max_tokens=POSITIONS,
            lengths=LENGTHS,
            vocab=VOCAB,
            pooling=pooling,
        )
    )


def native_rope(ntk: tuple[float, float | None] | None, is_native: bool) -> dict:
    """Fixed NTK scaling of the original is linear scaling of transformers with another theta and factor."""
    if is_native:
        return {"rope_type": "linear", "factor": 1.5, "rope_theta": 1234.5}
    if ntk is None or ntk[1] is not None:
        return {"rope_type": "default", "rope_theta": THETA}
    return {"rope_type": "linear", "factor": ntk[0] ** (2 / SIZE), "rope_theta": THETA * ntk[0]}


def mixed_frequencies(factor: float, b: float) -> torch.Tensor:
    """Column j is divided by e to the a j^b, counted from 1, so that the last one is divided by the factor."""
    columns = torch.arange(1, SIZE // 2 + 1, dtype=torch.float64)
    a = math.log(factor) / (SIZE / 2) ** b
    return (THETA ** (-2 * (columns - 1) / SIZE) * torch.exp(-a * columns**b)).float()


def unpacked(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    result = {}
    for name, tensor in weights.items():
        if "qkv_proj" not in name:
            result[name] = tensor
            continue
        for part, rows in zip("qkv", tensor.chunk(3)):
            result[name.replace("qkv_proj", f"{part}_proj")] = rows
    return result


def legacy_config(model_type, dtype, ntk, types, packed, rms_norm) -> dict:
    scaling = None if ntk is None else {"type": "ntk", "factor": ntk[0], **({} if ntk[1] is None else {"mixed_b": ntk[1]})}
    return {
        "architectures": ["NewModel"],
        "model_type": model_type,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INTERMEDIATE,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": types,
        "hidden_act": "gelu",
        "layer_norm_type": "rms_norm" if rms_norm else "layer_norm",
        "layer_norm_eps": 1e-12,
        "position_embedding_type": "rope",
        "rope_theta": THETA,
        "rope_scaling": scaling,
        "pack_qkv": packed,
        "unpad_inputs": "true",
        "use_memory_efficient_attention": "true",
        "logn_attention_scale": False,
        "logn_attention_clip1": False,
        "pad_token_id": 0,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }
