"""One tiny BERT in every format that weights come in besides safetensors, each with the decoys that lie beside it.

PyTorch files of both formats, whole, sharded, wrapped, with turned, tied and mixed tensors; ONNX files of old and new
opsets, with and without token types, with data beside them, and with pooling of their own.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
import transformers
from transformers import AutoTokenizer

from checkpoint import SEED, TEXTS, write_json, write_pooling, write_tokenizer
from reference import GOLDENS, check_padded_batch, embed, require_close, to_base64, write
from tiny_bert import HIDDEN, POSITIONS, VOCAB, config, random_weights

MODELS = GOLDENS / "models" / "weights"
LENGTHS = [1, 2, 3, 5, 8, 13, 21, 34, 55, POSITIONS]
ALL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def make() -> None:
    shutil.rmtree(MODELS, ignore_errors=True)
    for number, (name, write_weights) in enumerate(VARIANTS.items()):
        make_one(name, write_weights, number)
    lines = [f"weights/{name}" for name in VARIANTS]
    (MODELS / "supported_models.txt").write_text("# made by scripts/make-goldens\n" + "\n".join(lines) + "\n")


def make_one(name: str, write_weights, number: int) -> None:
    print(f"weights/{name}")
    folder = MODELS / name
    folder.mkdir(parents=True)
    layers = 1 if "onnx" in name else 2
    settings = {**config("gelu", 1e-12, torch.float32), "num_hidden_layers": layers}
    write_json(folder / "config.json", settings)
    write_tokenizer(folder, VOCAB, POSITIONS, "[CLS] $A [SEP]")
    write_pooling(folder, "mean", HIDDEN, POSITIONS)
    weights = random_weights(np.random.RandomState(SEED + number), layers)  # so that no model can be taken for another
    model = transformers.BertModel(
        transformers.BertConfig(**settings, attn_implementation="eager"), add_pooling_layer=False
    ).eval()

    stored = write_weights(folder, weights, model)  # what the file holds, rounded to its number formats
    model.load_state_dict({key: value.float() for key, value in stored.items()}, strict=False)
    for key, value in model.state_dict().items():
        assert key not in stored or torch.equal(value, stored.pop(key).float()), key
    assert not stored, f"the reference did not take {list(stored)}"
    write_decoys(folder, weights)

    random = np.random.RandomState(SEED + 1)
    tokens = [random.randint(0, VOCAB, length).tolist() for length in LENGTHS]
    ids = tokens + AutoTokenizer.from_pretrained(folder)(TEXTS).input_ids
    vectors = embed(model, ids)
    check_padded_batch(model, ids, vectors["mean"])
    pooling = "cls" if name == "onnx-sentence" else "mean"
    check_with_transformers(folder, ids, vectors["mean"])
    cases = [{"ids": sequence} for sequence in tokens]
    cases += [{"text": text, "ids": sequence} for text, sequence in zip(TEXTS, ids[len(tokens) :])]
    write(
        f"weights-{name}",
        {"maxTokens": POSITIONS, "dim": HIDDEN, "cases": cases, "vectors": {"own": {pooling: to_base64(vectors[pooling])}}},
    )


def check_with_transformers(folder: Path, ids: list[list[int]], mean: np.ndarray) -> None:
    """transformers reads the PyTorch files by itself too, except the wrapped one, which is for us alone."""
    files = list(folder.glob("pytorch_model*"))
    if not files or folder.name == "bin-wrapped":
        return
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    require_close("read by transformers", embed(model.eval(), ids)["mean"], mean, 2e-6)


def write_decoys(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    """Files that are no weights of the model, under names that real repositories have."""
    wrong = {"embeddings.word_embeddings.weight": torch.zeros(2, 2)}
    for name in ("adapter_model.bin", "training_args.bin", "optimizer.pt"):
        torch.save(wrong, folder / name)


# PyTorch


def bin_zip(folder: Path, weights: dict, _model) -> dict:
    """Float16 with one bfloat16 and one float64 tensor; a turned one, tied ones, a slice of a larger storage, buffers."""
    stored = {key: value.half() for key, value in weights.items()}
    layer = "encoder.layer.0"
    stored[f"{layer}.intermediate.dense.weight"] = stored[f"{layer}.intermediate.dense.weight"].t().contiguous().t()
    stored[f"{layer}.output.dense.bias"] = weights[f"{layer}.output.dense.bias"].bfloat16()
    stored[f"{layer}.output.LayerNorm.weight"] = weights[f"{layer}.output.LayerNorm.weight"].double()
    stored[f"{layer}.output.LayerNorm.bias"] = stored["embeddings.LayerNorm.bias"]
    table = torch.cat([torch.full((7, HIDDEN), 9.0), weights["embeddings.position_embeddings.weight"]])
    stored["embeddings.position_embeddings.weight"] = table.half()[7:]
    extras = {
        "embeddings.position_ids": torch.arange(POSITIONS)[None],
        "pooler.dense.weight": torch.nn.Parameter(torch.ones(HIDDEN, HIDDEN).half()),
        "cls.predictions.bias": torch.ones(VOCAB).half(),
    }
    torch.save({**stored, **extras}, folder / "pytorch_model.bin")
    return stored


def bin_legacy(folder: Path, weights: dict, _model) -> dict:
    """The sequence of pickles before PyTorch 1.6, with a prefix and with numbers at odd addresses."""
    stored = {key: value.half() for key, value in weights.items()}
    path = "encoder.layer.1.attention.self"
    stored[f"{path}.key.weight"] = stored[f"{path}.query.weight"]
    stored[f"{path}.value.weight"] = weights[f"{path}.value.weight"].t().contiguous().t()  # float32
    state = {f"bert.{key}": value for key, value in stored.items()}
    odd = {"a": torch.ones(3, dtype=torch.uint8)}  # its 3 bytes move all that follow
    torch.save({**odd, **state}, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    return stored


def bin_sharded(folder: Path, weights: dict, _model) -> dict:
    stored = {key: value.bfloat16() for key, value in weights.items()}
    names, weight_map = sorted(stored), {}
    for shard in range(2):
        file = f"pytorch_model-{shard + 1:05}-of-00002.bin"
        part = {name: stored[name] for name in names[shard::2]}
        torch.save(part, folder / file)
        weight_map |= dict.fromkeys(part, file)
    write_json(folder / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": weight_map})
    return stored


def bin_wrapped(folder: Path, weights: dict, _model) -> dict:
    """What a training loop saved: the state dict beside other things, in a later protocol."""
    stored = {key: value.half() for key, value in weights.items()}
    whole = {"epoch": 3, "best": 0.25, "name": "caf\u00e9", "state_dict": {f"bert.{key}": value for key, value in stored.items()}}
    torch.save(whole, folder / "pytorch_model.bin", pickle_protocol=4)
    return stored


# ONNX


class Tokens(torch.nn.Module):
    def __init__(self, model: torch.nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, inputs))).last_hidden_state


class Sentence(Tokens):
    """The first token, normalised: pooling inside the file."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(super().forward(*inputs)[:, 0], dim=1)


def export(path: Path, model: torch.nn.Module, output: str, opset: int) -> None:
    path.parent.mkdir(exist_ok=True)
    model.eval()  # the exporter leaves a model in the mode of its wrapper, and dropout on is no reference
    ids, mask = torch.randint(5, VOCAB, (2, 7)), torch.ones(2, 7, dtype=torch.long)
    mask[1, 4:] = 0
    values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    sizes = {0: "batch_size", 1: "sequence_length"}
    axes = {**dict.fromkeys(model.names, sizes), output: sizes if output == "last_hidden_state" else {0: "batch_size"}}
    torch.onnx.export(
        model,
        tuple(values[name] for name in model.names),
        str(path),
        input_names=list(model.names),
        output_names=[output],
        dynamic_axes=axes,
        opset_version=opset,
        dynamo=False,
    )


def fill(model: torch.nn.Module, weights: dict) -> torch.nn.Module:
    model.load_state_dict(weights, strict=False)
    return model


def onnx_new(folder: Path, weights: dict, model: torch.nn.Module) -> dict:
    """`onnx/model.onnx` with decoys of fewer bits beside it, which are no graphs at all."""
    export(folder / "onnx" / "model.onnx", Tokens(fill(model, weights), ALL_INPUTS), "last_hidden_state", 17)
    for name in ("model_O4.onnx", "model_qint8_avx512.onnx", "model_quantized.onnx"):
        (folder / "onnx" / name).write_bytes(b"no graph")
    return dict(weights)


def onnx_old(folder: Path, weights: dict, model: torch.nn.Module) -> dict:
    """Opset 11 in the folder itself, no token types, weights in a file beside the graph."""
    path = folder / "model.onnx"
    export(path, Tokens(fill(model, weights), ALL_INPUTS[:2]), "last_hidden_state", 11)
    graph = onnx.load(path)
    onnx.save_model(graph, path, save_as_external_data=True, location="model.onnx_data", size_threshold=1024)
    return dict(weights)


def onnx_sentence(folder: Path, weights: dict, model: torch.nn.Module) -> dict:
    export(folder / "onnx" / "model.onnx", Sentence(fill(model, weights), ALL_INPUTS), "sentence_embedding", 14)
    return dict(weights)


VARIANTS = {
    "bin": bin_zip,
    "bin-legacy": bin_legacy,
    "bin-sharded": bin_sharded,
    "bin-wrapped": bin_wrapped,
    "onnx": onnx_new,
    "onnx-old": onnx_old,
    "onnx-sentence": onnx_sentence,
}
