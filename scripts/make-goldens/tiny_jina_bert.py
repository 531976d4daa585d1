"""Tiny random JinaBERT v2 checkpoints. transformers has no class for them: the reference is written here, from the equations.

x = LN(word + type 0); each layer is attention with the bias -slope_h |i - j|, then a feed-forward layer:

    jina-bert-implementation      x = LN(x + attention); x = LN(x + wo(act(first half) * second half))
    jina-bert-v2-qk-post-norm     o = LN(x + attention) with LN(q) and LN(k) over the whole hidden size; x = LN1(x + o);
                                  x = LN2(x + down(first half * act(second half)))
"""

import math

import torch
from torch.nn.functional import gelu, layer_norm, linear, relu

from checkpoint import SEED, Checkpoint, make_checkpoint
from native import LENGTHS, under

HIDDEN, LAYERS, INTERMEDIATE, VOCAB, POSITIONS, EPSILON = 48, 2, 40, 128, 8192, 1e-12

# One row per checkpoint; 6 and 3 heads are no powers of two.
VARIANTS = {
    "jina-bert": {"dtype": torch.float16, "heads": 6, "feed_forward": "geglu"},
    "jina-bert-reglu": {"dtype": torch.bfloat16, "heads": 4, "feed_forward": "reglu", "prefix": "bert."},
    "jina-bert-original": {"dtype": torch.bfloat16, "heads": 3, "feed_forward": "original"},
    "jina-bert-code": {"dtype": torch.float16, "heads": 12, "feed_forward": "geglu", "is_code": True},
    "jina-bert-code-original": {"dtype": torch.bfloat16, "heads": 6, "feed_forward": "original", "is_code": True},
}


def make() -> None:
    for name, variant in VARIANTS.items():
        make_one(name, **variant)


def make_one(name, dtype, heads, feed_forward, prefix="", is_code=False) -> None:
    stored = {key: value.to(dtype) for key, value in random_weights(feed_forward, is_code).items()}
    model = Reference({key: value.float() for key, value in stored.items()}, heads, feed_forward, is_code)
    make_checkpoint(
        Checkpoint(
            name=name,
            architecture="jina-bert",
            config=config(heads, feed_forward, dtype),
            weights=under(prefix, stored),
            heads={f"{prefix}pooler.dense.weight": torch.full((HIDDEN, HIDDEN), 0.5, dtype=dtype)},
            forward=model.forward,
            max_tokens=POSITIONS,
            lengths=LENGTHS,
            vocab=VOCAB,
        )
    )


class Reference:
    def __init__(self, weights: dict[str, torch.Tensor], heads: int, feed_forward: str, is_code: bool) -> None:
        self.weights, self.heads, self.feed_forward_type, self.is_code = weights, heads, feed_forward, is_code

    def linear(self, path: str, x: torch.Tensor) -> torch.Tensor:
        return linear(x, self.weights[f"{path}.weight"], self.weights.get(f"{path}.bias"))

    def norm(self, path: str, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(x, (HIDDEN,), self.weights[f"{path}.weight"], self.weights[f"{path}.bias"], EPSILON)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        words = self.weights["embeddings.word_embeddings.weight"][ids]
        x = self.norm("embeddings.LayerNorm", words + self.weights["embeddings.token_type_embeddings.weight"][0])
        bias = self.attention_bias(mask)
        for number in range(LAYERS):
            x = self.layer(f"encoder.layer.{number}", x, bias)
        return x

    def attention_bias(self, mask: torch.Tensor) -> torch.Tensor:
        """[batch, heads, queries, keys]"""
        place = torch.arange(mask.shape[1])
        distance = (place[:, None] - place[None, :]).abs().float()
        alibi = -torch.tensor(slopes(self.heads))[:, None, None] * distance
        return alibi[None] + torch.where(mask == 0, -1e30, 0.0)[:, None, None, :]

    def layer(self, path: str, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        context = self.attention(f"{path}.attention.self", x, bias)
        attended = self.norm(f"{path}.attention.output.LayerNorm", x + self.linear(f"{path}.attention.output.dense", context))
        if self.is_code:
            y = self.norm(f"{path}.layer_norm_1", x + attended)
            return self.norm(f"{path}.layer_norm_2", y + self.feed_forward(path, y))
        norm = f"{path}.output.LayerNorm" if self.feed_forward_type == "original" else f"{path}.mlp.layernorm"
        return self.norm(norm, attended + self.feed_forward(path, attended))

    def attention(self, path: str, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        q, k, v = (self.linear(f"{path}.{name}", x) for name in ("query", "key", "value"))
        if self.is_code:
            q, k = self.norm(f"{path}.layer_norm_q", q), self.norm(f"{path}.layer_norm_k", k)
        q, k, v = (value.unflatten(-1, (self.heads, -1)).transpose(1, 2) for value in (q, k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(HIDDEN // self.heads) + bias
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)

    def feed_forward(self, path: str, x: torch.Tensor) -> torch.Tensor:
        act = relu if self.feed_forward_type == "reglu" else gelu
        if self.feed_forward_type == "original":
            up, down = ("mlp.up_layer", "mlp.down_layer") if self.is_code else ("intermediate.dense", "output.dense")
            return self.linear(f"{path}.{down}", act(self.linear(f"{path}.{up}", x)))
        if self.is_code:
            plain, gate = self.linear(f"{path}.mlp.up_gated_layer", x).chunk(2, -1)
            return self.linear(f"{path}.mlp.down_layer", plain * act(gate))
        gate, plain = self.linear(f"{path}.mlp.gated_layers", x).chunk(2, -1)
        return self.linear(f"{path}.mlp.wo", act(gate) * plain)


def slopes(heads: int) -> list[float]:
    """Of the ALiBi paper: from 2^(-8/n) by equal factors; a count between powers of two borrows from the next one."""
    if math.log2(heads).is_integer():
        first = 2 ** (-8 / heads)
        return [first ** (number + 1) for number in range(heads)]
    smaller = 2 ** math.floor(math.log2(heads))
    return slopes(smaller) + slopes(2 * smaller)[::2][: heads - smaller]


def random_weights(feed_forward: str, is_code: bool) -> dict[str, torch.Tensor]:
    """Wide enough that attention is far from uniform; no norm weight is 1 and no bias 0, which would hide bugs."""
    generator = torch.Generator().manual_seed(SEED)
    weights = {}

    def add_linear(name: str, rows: int, columns: int, bias: bool = True) -> None:
        weights[f"{name}.weight"] = 0.15 * torch.randn(rows, columns, generator=generator)
        if bias:
            weights[f"{name}.bias"] = 0.2 * torch.randn(rows, generator=generator)

    def add_norm(name: str) -> None:
        weights[f"{name}.weight"] = 1 + 0.2 * torch.randn(HIDDEN, generator=generator)
        weights[f"{name}.bias"] = 0.2 * torch.randn(HIDDEN, generator=generator)

    weights["embeddings.word_embeddings.weight"] = torch.randn(VOCAB, HIDDEN, generator=generator)
    weights["embeddings.token_type_embeddings.weight"] = torch.randn(2, HIDDEN, generator=generator)
    add_norm("embeddings.LayerNorm")
    for number in range(LAYERS):
        path = f"encoder.layer.{number}"
        for part in ("query", "key", "value"):
            add_linear(f"{path}.attention.self.{part}", HIDDEN, HIDDEN)
        add_linear(f"{path}.attention.output.dense", HIDDEN, HIDDEN)
        add_norm(f"{path}.attention.output.LayerNorm")
        if is_code:
            for norm in ("attention.self.layer_norm_q", "attention.self.layer_norm_k", "layer_norm_1", "layer_norm_2"):
                add_norm(f"{path}.{norm}")
            name, rows = ("up_layer", INTERMEDIATE) if feed_forward == "original" else ("up_gated_layer", 2 * INTERMEDIATE)
            add_linear(f"{path}.mlp.{name}", rows, HIDDEN, bias=False)
            add_linear(f"{path}.mlp.down_layer", HIDDEN, INTERMEDIATE)
        elif feed_forward == "original":
            add_linear(f"{path}.intermediate.dense", INTERMEDIATE, HIDDEN)
            add_linear(f"{path}.output.dense", HIDDEN, INTERMEDIATE)
            add_norm(f"{path}.output.LayerNorm")
        else:
            add_linear(f"{path}.mlp.gated_layers", 2 * INTERMEDIATE, HIDDEN, bias=False)
            add_linear(f"{path}.mlp.wo", HIDDEN, INTERMEDIATE)
            add_norm(f"{path}.mlp.layernorm")
    return weights


def config(heads: int, feed_forward: str, dtype: torch.dtype) -> dict:
    return {
        "architectures": ["JinaBertForMaskedLM"],
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": heads,
        "intermediate_size": INTERMEDIATE,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "feed_forward_type": feed_forward,
        "position_embedding_type": "alibi",
        "layer_norm_eps": EPSILON,
        "emb_pooler": "mean",
        "pad_token_id": 0,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }
