"""Tiny random jina-embeddings-v3 checkpoints, with adapters and without; the reference is `JinaEmbeddingsV3Model`."""

import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import JinaEmbeddingsV3Config, JinaEmbeddingsV3Model

from checkpoint import SEED, Checkpoint, Forward, make_checkpoint
from native import LENGTHS, forward_of, saved, tiny, under

HIDDEN, HEADS, LAYERS, INTERMEDIATE, VOCAB, POSITIONS = 32, 4, 2, 56, 128, 8194
TASKS = ["retrieval.query", "retrieval.passage", "separation", "classification", "text-matching"]
SHOWN = ["retrieval.passage", "text-matching"]  # the goldens hold these
RANK, ALPHA = 3, 2


def make() -> None:
    native = JinaEmbeddingsV3Config(
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=INTERMEDIATE,
        vocab_size=VOCAB,
        max_position_embeddings=POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": 20000.0},
        attn_implementation="eager",
    )
    for name, dtype, is_native in [
        ("jina-embeddings-v3", torch.bfloat16, False),
        ("jina-embeddings-v3-hf", torch.float16, True),
    ]:
        model = tiny(JinaEmbeddingsV3Model(native), dtype)
        weights = saved(model, dtype)
        adapters = {} if is_native else random_adapters(weights, dtype)
        heads = {key: tensor for key, tensor in weights.items() if key.startswith("pooler.")}
        body = {key: tensor for key, tensor in weights.items() if key not in heads}
        plain_config = native.to_dict() | {"dtype": str(dtype).removeprefix("torch.")}
        make_checkpoint(
            Checkpoint(
                name=name,
                architecture="jina-embeddings-v3",
                config=plain_config if is_native else original_config(dtype),
                weights=body if is_native else under("roberta.", parametrized(body, adapters)),
                heads=heads if is_native else under("roberta.", parametrized(heads, {})),
                forward=forward_of(model),
                tasks={} if is_native else {task: with_task(native, weights, adapters, task) for task in SHOWN},
                max_tokens=POSITIONS,
                lengths=LENGTHS,
                vocab=VOCAB,
            )
        )


def is_adapted(name: str) -> bool:
    """Matrices have adapters: linear layers and embeddings, not norms and biases."""
    return name.endswith(".weight") and "norm" not in name and "emb_ln" not in name and "pooler" not in name


def random_adapters(weights: dict[str, torch.Tensor], dtype: torch.dtype) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """A and B of every matrix, [tasks, rank, inputs] and [tasks, outputs, rank]; of a table [tasks, rows, rank] and [tasks, rank, size]."""
    generator = torch.Generator().manual_seed(SEED + 2)

    def noise(*shape: int) -> torch.Tensor:
        return (0.3 * torch.randn(len(TASKS), *shape, generator=generator)).to(dtype)

    adapters = {}
    for name in sorted(filter(is_adapted, weights)):
        rows, columns = weights[name].shape
        is_table = "embeddings" in name
        adapters[name] = (noise(rows, RANK), noise(RANK, columns)) if is_table else (noise(RANK, columns), noise(rows, RANK))
    return adapters


def with_task(native, weights, adapters, task: str) -> Forward:
    """The class on weights into which the adapter is merged, in float32."""
    index, scale = TASKS.index(task), ALPHA / RANK
    merged = {name: tensor.float() for name, tensor in weights.items()}
    for name, (a, b) in adapters.items():
        product = a[index].float() @ b[index].float() if "embeddings" in name else b[index].float() @ a[index].float()
        merged[name] = merged[name] + scale * product
    with tempfile.TemporaryDirectory() as folder:
        native.save_pretrained(folder)
        save_file(merged, Path(folder) / "model.safetensors", metadata={"format": "pt"})
        model, info = JinaEmbeddingsV3Model.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return forward_of(model.eval())


def parametrized(weights: dict[str, torch.Tensor], adapters) -> dict[str, torch.Tensor]:
    """The names that torch's parametrizations give."""
    result = {}
    for name, tensor in weights.items():
        if not name.endswith(".weight") or "norm" in name or "emb_ln" in name:
            result[name] = tensor
            continue
        module = name.removesuffix(".weight") + ".parametrizations.weight"
        result[f"{module}.original"] = tensor
        if name in adapters:
            result[f"{module}.0.lora_A"], result[f"{module}.0.lora_B"] = adapters[name]
    return result


def original_config(dtype: torch.dtype) -> dict:
    return {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INTERMEDIATE,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "position_embedding_type": "rotary",
        "rotary_emb_base": 20000.0,
        "lora_adaptations": TASKS,
        "lora_alpha": ALPHA,
        "lora_rank": RANK,
        "lora_dropout_p": 0.0,
        "pad_token_id": 1,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }
