"""Tiny checkpoints of Llama and its descendants."""

import torch
from transformers import (
    EuroBertConfig,
    EuroBertModel,
    LlamaConfig,
    LlamaModel,
    MistralConfig,
    MistralModel,
    Qwen2Config,
    Qwen2Model,
    Qwen3Config,
    Qwen3Model,
)

from tiny_native import MAX_TOKENS, VOCAB, head, make_native

HIDDEN = 32
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": HIDDEN,
    "intermediate_size": 52,
    "num_hidden_layers": 3,
    "max_position_embeddings": MAX_TOKENS,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"rope_type": "yarn", "rope_theta": 5000.0, "factor": 4.0, "original_max_position_embeddings": 100}


def make() -> None:
    make_llama()
    make_mistral()
    make_qwen2()
    make_qwen3()
    make_eurobert()


def make_llama() -> None:
    own = {"num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5}
    config = LlamaConfig(**SIZES, **own, rope_parameters=LLAMA3, attention_bias=True, mlp_bias=True)
    make_native(
        "llama",
        "llama",
        LlamaModel,
        config,
        torch.float16,
        is_legacy=True,
        prefix="model.",
        pooling="lasttoken",
        heads=head("lm_head.weight", VOCAB, HIDDEN, torch.float16),
    )
    rope = {"rope_type": "linear", "rope_theta": 20000.0, "factor": 2.0}
    both_ways = LlamaConfig(**SIZES, **own, rope_parameters=rope, head_dim=12, is_causal=False)
    make_native(
        "llama-bidirectional",
        "llama",
        LlamaModel,
        both_ways,
        torch.bfloat16,
        is_legacy=False,
        changes={"model_type": "llama_bidirec", "is_causal": None},
    )


def make_mistral() -> None:
    config = MistralConfig(**SIZES, num_attention_heads=6, num_key_value_heads=3, head_dim=8, sliding_window=24)
    make_native(
        "mistral", "mistral", MistralModel, config, torch.float16, is_legacy=True, shards=3, pooling="lasttoken"
    )
    whole = MistralConfig(**SIZES, num_attention_heads=4, num_key_value_heads=1, sliding_window=None)
    make_native(
        "mistral-no-window", "mistral", MistralModel, whole, torch.bfloat16, is_legacy=False, prefix="model."
    )


def make_qwen2() -> None:
    own = {"num_attention_heads": 4, "num_key_value_heads": 2}
    rope = {"rope_type": "default", "rope_theta": 1000000.0}
    window = {"use_sliding_window": True, "sliding_window": 12, "max_window_layers": 1}
    config = Qwen2Config(**SIZES, **own, **window, rope_parameters=rope, tie_word_embeddings=True)
    make_native(
        "qwen2", "qwen2", Qwen2Model, config, torch.float16, is_legacy=True, prefix="model.", pooling="lasttoken"
    )
    both_ways = Qwen2Config(**SIZES, **own, rope_parameters=rope, sliding_window=12, is_causal=False)
    code = {"AutoModel": "modeling_qwen.Qwen2Model", "AutoModelForCausalLM": "modeling_qwen.Qwen2ForCausalLM"}
    make_native(
        "qwen2-bidirectional",
        "qwen2",
        Qwen2Model,
        both_ways,
        torch.float16,
        is_legacy=True,
        changes={"auto_map": code, "is_causal": None, "sliding_window": 131072, "max_window_layers": 21},
        pooling="lasttoken",
    )


def make_qwen3() -> None:
    own = {"num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 10}
    rope = {"rope_type": "default", "rope_theta": 1000000.0}
    config = Qwen3Config(**SIZES, **own, rope_parameters=rope, tie_word_embeddings=True)
    make_native("qwen3", "qwen3", Qwen3Model, config, torch.bfloat16, is_legacy=True, pooling="lasttoken")
    window = {
        "use_sliding_window": True,
        "sliding_window": 12,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    }
    both_ways = Qwen3Config(**SIZES, **own, **window, rope_parameters=YARN, attention_bias=True, is_causal=False)
    make_native(
        "qwen3-bidirectional", "qwen3", Qwen3Model, both_ways, torch.float16, is_legacy=False, prefix="model."
    )
    projected = Qwen3Config(**SIZES, **own, rope_parameters=rope, is_causal=False)
    make_native(
        "qwen3-projection",
        "qwen3",
        Qwen3Model,
        projected,
        torch.bfloat16,
        is_legacy=True,
        prefix="model.",
        changes={
            "auto_map": {"AutoModel": "modeling_qwen3_bidirectional.Qwen3BidirectionalModel"},
            "use_bidirectional_attention": True,
            "is_causal": None,
            "num_labels": 20,
        },
        projection=torch.randn(20, HIDDEN, generator=torch.Generator().manual_seed(1)),
    )


def make_eurobert() -> None:
    rope = {"rope_type": "default", "rope_theta": 250000.0}
    config = EuroBertConfig(**SIZES, num_attention_heads=4, num_key_value_heads=2, rope_parameters=rope)
    make_native(
        "eurobert", "eurobert", EuroBertModel, config, torch.float16, is_legacy=True, prefix="model.",
        heads=head("lm_head.weight", VOCAB, HIDDEN, torch.float16),
    )
