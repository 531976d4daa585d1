"""Tiny T5 encoders: the first form, and 1.1 with a gated MLP beside a decoder that nobody needs."""

import torch
from transformers import T5Config, T5EncoderModel

import dialects
from checkpoint import Checkpoint, make_checkpoint, randomize, rounded
from tiny_native import LENGTHS, VOCAB

SIZES = {"vocab_size": VOCAB, "d_model": 32, "d_kv": 10, "d_ff": 44, "num_layers": 3, "num_heads": 3, "pad_token_id": 0}
VARIANTS = {
    "t5": {"dtype": torch.float16},
    "t5-gated": {
        "dtype": torch.bfloat16,
        "feed_forward_proj": "gated-gelu",
        "relative_attention_num_buckets": 16,
        "relative_attention_max_distance": 40,
        "layer_norm_epsilon": 1e-5,
    },
}
N_POSITIONS = 560  # longer than attention computes at once


def make() -> None:
    for name, variant in VARIANTS.items():
        make_one(name, **variant)


def make_one(name: str, dtype: torch.dtype, **own) -> None:
    config = T5Config(**SIZES, **own)
    model = rounded(randomize(T5EncoderModel(config), scale=3), dtype)
    model.set_attn_implementation("eager")
    weights = {key: value.to(dtype) for key, value in model.state_dict().items()}
    decoder = {"decoder.final_layer_norm.weight": torch.full((32,), 0.5, dtype=dtype)}
    config.architectures = ["T5EncoderModel"]
    saved = {key: value for key, value in config.to_diff_dict().items() if key not in dialects.NEWER_KEYS}
    make_checkpoint(
        Checkpoint(
            name=name,
            architecture="t5",
            config={**saved, "torch_dtype": dialects.name_of(dtype), "n_positions": N_POSITIONS},
            weights=weights,
            forward=lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state,
            max_tokens=N_POSITIONS,
            lengths=[*LENGTHS, N_POSITIONS],
            vocab=VOCAB,
            heads=decoder,
        )
    )
