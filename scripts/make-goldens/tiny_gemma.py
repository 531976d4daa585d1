"""Tiny checkpoints of Gemma 2, Gemma 3 and EmbeddingGemma."""

import torch
from transformers import Gemma2Config, Gemma2Model, Gemma3TextConfig, Gemma3TextModel

from tiny_native import MAX_TOKENS, VOCAB, make_native

SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 32,  # its root, the factor of the embeddings, is no number of bfloat16
    "intermediate_size": 52,
    "num_attention_heads": 4,
    "max_position_embeddings": MAX_TOKENS,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}


def make() -> None:
    config = Gemma2Config(
        **SIZES, num_hidden_layers=3, num_key_value_heads=2, head_dim=12, query_pre_attn_scalar=20,
        sliding_window=24, attn_logit_softcapping=3.0,
    )
    make_native(
        "gemma2",
        "gemma2",
        Gemma2Model,
        config,
        torch.bfloat16,
        is_legacy=True,
        prefix="model.",
        changes={"model_type": "codexembed2b", "architectures": ["CodeXEmbedModel2B"], "hidden_act": "gelu"},
        pooling="lasttoken",
    )
    uncapped = Gemma2Config(
        **SIZES, num_hidden_layers=2, num_key_value_heads=1, head_dim=16,
        sliding_window=12, attn_logit_softcapping=None, hidden_activation="gelu", attention_bias=True,
    )
    make_native("gemma2-uncapped", "gemma2", Gemma2Model, uncapped, torch.float16, is_legacy=False)

    own = {"num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 10, "query_pre_attn_scalar": 14}
    both_ways = Gemma3TextConfig(
        **SIZES, **own, sliding_window=24, use_bidirectional_attention=True,
        sliding_window_pattern=3,
    )
    make_native(
        "embeddinggemma",
        "gemma3",
        Gemma3TextModel,
        both_ways,
        torch.bfloat16,
        is_legacy=True,
        changes={
            "sliding_window_pattern": 3,
            "rope_theta": 1000000.0,
            "rope_local_base_freq": 10000.0,
            "rope_scaling": None,
        },
    )
    theta = {"full_attention": 80000.0, "sliding_attention": 500.0}
    rope = {name: {"rope_type": "default", "rope_theta": value} for name, value in theta.items()}
    rope["full_attention"] |= {"rope_type": "linear", "factor": 8.0}
    causal = Gemma3TextConfig(
        **SIZES, **own, sliding_window=24, rope_parameters=rope,
        layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
    )
    make_native(
        "gemma3", "gemma3", Gemma3TextModel, causal, torch.float16, is_legacy=False, prefix="model.", shards=2,
        pooling="lasttoken",
    )
