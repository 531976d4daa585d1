"""Tiny random NomicBERT checkpoints; the reference is `NomicBertModel`, with experts of its own in the last."""

import torch
from torch import nn
from transformers import NomicBertConfig, NomicBertModel

from checkpoint import Checkpoint, Forward, make_checkpoint
from native import LENGTHS, forward_of, saved, tiny

HIDDEN, HEADS, LAYERS, VOCAB, POSITIONS = 24, 3, 2, 120, 8192
TRAINED, STRETCH = 48, 2.0  # of the model whose positions stretch
EXPERTS, CHOSEN, EXPERT_WIDTH = 4, 2, 40


def make() -> None:
    make_plain()
    make_native()
    make_stretched()
    make_moe()


def make_plain() -> None:
    """The config of v1 and v1.5. The original code rounds the width of a gated layer up to a multiple of 256."""
    model = tiny(NomicBertModel(native_config(intermediate_size=256)), torch.float16)
    config = original_config(torch.float16) | {"n_inner": 200, "pad_vocab_size_multiple": 8, "vocab_size": 115}
    make_one("nomic-bert", config, saved(model, torch.float16), forward_of(model))


def make_native() -> None:
    """The config of transformers, with heads wider than their share of the hidden size and another activation."""
    native = native_config(intermediate_size=72, head_dim=12, hidden_act="gelu", rope_parameters=rope(1500.0))
    model = tiny(NomicBertModel(native), torch.bfloat16)
    make_one("nomic-bert-hf", native.to_dict() | {"dtype": "bfloat16"}, saved(model, torch.bfloat16), forward_of(model))


def make_stretched() -> None:
    """transformers' dynamic scaling is the formula, but remembers the longest batch: it is reset for each sequence."""
    native = native_config(
        intermediate_size=256,
        max_position_embeddings=TRAINED,
        rope_parameters=rope(1000.0) | {"rope_type": "dynamic", "factor": STRETCH},
    )
    model = tiny(NomicBertModel(native), torch.float16)

    def forward(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        rows = torch.zeros(*ids.shape, HIDDEN)
        for row, length in enumerate(mask.sum(1).tolist()):
            model.rotary_emb = type(model.rotary_emb)(native)
            own = {"input_ids": ids[row : row + 1, :length], "attention_mask": mask[row : row + 1, :length]}
            rows[row, :length] = model(**own).last_hidden_state[0]
        return rows

    config = original_config(torch.float16) | {"rotary_scaling_factor": STRETCH, "max_trained_positions": TRAINED}
    make_one("nomic-bert-stretched", config | {"n_inner": 256}, saved(model, torch.float16), forward)


def make_moe() -> None:
    """v2-moe: biases in attention, no gate, and experts in every second layer."""
    model = NomicBertModel(native_config(num_hidden_layers=3, type_vocab_size=1, rope_parameters=rope(10000.0), layer_norm_eps=1e-5))
    for number, layer in enumerate(model.layers):
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(layer.self_attn, name, nn.Linear(HIDDEN, HIDDEN))
        layer.mlp = Experts() if number % 2 == 1 else Plain()
    for name, parameter in model.named_parameters():
        if name.endswith(".bias"):
            nn.init.zeros_(parameter)  # `tiny` adds its noise to what is there, which torch makes without our seed
    model = tiny(model, torch.bfloat16)
    config = original_config(torch.bfloat16) | {
        "n_layer": 3,
        "n_inner": EXPERT_WIDTH,
        "activation_function": "gelu",
        "type_vocab_size": 1,
        "layer_norm_epsilon": 1e-5,
        "rotary_emb_base": 10000.0,
        "qkv_proj_bias": True,
        "mlp_fc1_bias": True,
        "mlp_fc2_bias": True,
        "moe_every_n_layers": 2,
        "moe_normalize_expert_weights": False,
        "moe_top_k": CHOSEN,
        "num_experts": EXPERTS,
        "num_shared_experts": 0,
        "expert_choice_router": False,
    }
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in original_names(model.state_dict()).items()}
    make_one("nomic-bert-moe", config, weights, forward_of(model))


def make_one(name: str, config: dict, weights: dict[str, torch.Tensor], forward: Forward) -> None:
    checkpoint = Checkpoint(
        name=name,
        architecture="nomic-bert",
        config=config,
        weights=weights,
        forward=forward,
        max_tokens=config.get("n_positions", config.get("max_position_embeddings")),
        lengths=LENGTHS,
        vocab=VOCAB,
    )
    make_checkpoint(checkpoint)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(HIDDEN, EXPERT_WIDTH)
        self.fc2 = nn.Linear(EXPERT_WIDTH, HIDDEN)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Experts(nn.Module):
    """Each token by itself: its best experts, each weighted by its share of the softmax over all."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(HIDDEN, EXPERTS, bias=False)
        self.w1 = nn.Parameter(torch.zeros(EXPERTS * EXPERT_WIDTH, HIDDEN))
        self.w2 = nn.Parameter(torch.zeros(EXPERTS * EXPERT_WIDTH, HIDDEN))
        self.bias = nn.Parameter(torch.zeros(HIDDEN))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        w1, w2 = (w.view(EXPERTS, EXPERT_WIDTH, HIDDEN) for w in (self.w1, self.w2))
        wide = nn.functional.gelu(torch.einsum("bth,ewh->btew", x, w1))
        each = torch.einsum("btew,ewh->bteh", wide, w2)
        shares = torch.softmax(self.router(x), dim=-1)
        best = shares.topk(CHOSEN, dim=-1).indices
        kept = torch.zeros_like(shares).scatter(-1, best, 1.0)
        return torch.einsum("bte,bteh->bth", shares * kept, each) + self.bias


def original_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    renames = [
        ("layers.", "encoder.layers."),
        ("embeddings.LayerNorm", "emb_ln"),
        ("post_attention_layernorm", "norm1"),
        ("post_mlp_layernorm", "norm2"),
        ("self_attn.o_proj", "attn.out_proj"),
        ("mlp.router.", "mlp.router.layer."),
        ("mlp.w", "mlp.experts.mlp.w"),
        ("mlp.bias", "mlp.experts.bias"),
    ]
    result = {}
    for name, tensor in state.items():
        for old, new in renames:
            name = name.replace(old, new)
        if "self_attn.q_proj" in name:
            others = [state[name.removeprefix("encoder.").replace("q_proj", f"{part}_proj")] for part in "kv"]
            result[name.replace("self_attn.q_proj", "attn.Wqkv")] = torch.cat([tensor, *others])
        elif "_proj" not in name or "out_proj" in name:
            result[name] = tensor
    return result


def rope(theta: float) -> dict:
    return {"rope_type": "default", "rope_theta": theta}


def native_config(**changes) -> NomicBertConfig:
    sizes = {
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "rope_parameters": rope(1000.0),
        "attn_implementation": "eager",
    }
    return NomicBertConfig(**(sizes | changes))


def original_config(dtype: torch.dtype) -> dict:
    return {
        "architectures": ["NomicBertModel"],
        "model_type": "nomic_bert",
        "activation_function": "swiglu",
        "causal": False,
        "layer_norm_epsilon": 1e-12,
        "max_trained_positions": 2048,
        "mlp_fc1_bias": False,
        "mlp_fc2_bias": False,
        "n_embd": HIDDEN,
        "n_head": HEADS,
        "n_inner": 4 * HIDDEN,
        "n_layer": LAYERS,
        "n_positions": POSITIONS,
        "prenorm": False,
        "qkv_proj_bias": False,
        "rotary_emb_base": 1000,
        "rotary_emb_fraction": 1.0,
        "rotary_emb_interleaved": False,
        "rotary_emb_scale_base": None,
        "rotary_scaling_factor": None,
        "type_vocab_size": 2,
        "use_rms_norm": False,
        "vocab_size": VOCAB,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }
