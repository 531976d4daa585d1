"""A tiny random XLM-RoBERTa XL: pre-norm layers, RoBERTa's positions. transformers is the reference."""

import tempfile
from pathlib import Path

import torch
from transformers import XLMRobertaXLConfig, XLMRobertaXLModel

from checkpoint import Checkpoint, make_checkpoint, randomize, rounded, stored_weights

POSITIONS, PADDING = 83, 1


def make() -> None:
    config = XLMRobertaXLConfig(
        vocab_size=300,
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=80,
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        pad_token_id=PADDING,
    )
    model = rounded(randomize(XLMRobertaXLModel(config, add_pooling_layer=False)), torch.float16)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        weights = stored_weights(Path(folder), torch.float16)
    limit = POSITIONS - PADDING - 1
    make_checkpoint(
        Checkpoint(
            name="xlm-roberta-xl",
            architecture="xlm-roberta-xl",
            config={**legacy(config), "torch_dtype": "float16"},
            weights={f"roberta.{name}": value for name, value in weights.items()},
            forward=lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state,
            max_tokens=limit,
            lengths=[1, 2, 3, 7, 7, 16, 33, 64, limit],
            heads={"lm_head.bias": torch.zeros(300, dtype=torch.float16)},
        )
    )


def legacy(config: XLMRobertaXLConfig) -> dict:
    """The fields that the real config.json has, in the dialect of its time."""
    fields = (
        "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act type_vocab_size"
        " max_position_embeddings layer_norm_eps pad_token_id bos_token_id eos_token_id"
    )
    own = {"architectures": ["XLMRobertaXLForMaskedLM"], "model_type": "xlm-roberta-xl"}
    return {**own, "position_embedding_type": "absolute", **{name: getattr(config, name) for name in fields.split()}}
