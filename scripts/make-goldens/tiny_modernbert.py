"""Tiny ModernBERT checkpoints, with the keys of the hub and with those that transformers 5 saves."""

import torch
from transformers import ModernBertConfig, ModernBertModel

from tiny_native import MAX_TOKENS, VOCAB, head, make_native

SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 36,
    "intermediate_size": 44,
    "num_attention_heads": 3,
    "max_position_embeddings": MAX_TOKENS,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
}


def make() -> None:
    make_native(
        "modernbert",
        "modernbert",
        ModernBertModel,
        ModernBertConfig(**SIZES, num_hidden_layers=4, local_attention=16),
        torch.float16,
        is_legacy=True,
        prefix="model.",
        changes={
            "architectures": ["ModernBertForMaskedLM"],
            "global_attn_every_n_layers": 3,
            "global_rope_theta": 160000.0,
            "local_rope_theta": 10000.0,
            "position_embedding_type": "absolute",
        },
        pooling="cls",
        heads=head("decoder.weight", VOCAB, 36, torch.float16) | head("head.dense.weight", 36, 36, torch.float16),
    )
    theta = {"full_attention": 80000.0, "sliding_attention": 500.0}
    config = ModernBertConfig(
        **SIZES,
        num_hidden_layers=4,
        local_attention=25,
        hidden_activation="silu",
        norm_eps=1e-6,
        norm_bias=True,
        attention_bias=True,
        mlp_bias=True,
        layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
        rope_parameters={name: {"rope_type": "default", "rope_theta": value} for name, value in theta.items()},
    )
    make_native("modernbert-biases", "modernbert", ModernBertModel, config, torch.bfloat16, is_legacy=False)
