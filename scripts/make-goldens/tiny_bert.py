"""Tiny random BERT checkpoints in the layouts that the hub has, with goldens for raw token arrays and texts."""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

from reference import GOLDENS, check_padded_batch, embed, load, require_close, to_base64, write

SEED = 20261123
HIDDEN, HEADS, LAYERS, INTERMEDIATE, VOCAB, POSITIONS = 48, 4, 3, 80, 300, 81
MODELS = GOLDENS / "models" / "tiny"
TEXTS = ["a", "the cat sat on the mat", "Caf\u00e9 42!", "zebra", "the " * 60]
LENGTHS = [*range(1, 65), 67, 79, POSITIONS]

# One row per checkpoint. Every layout, number format and activation stands in at least one of them.
VARIANTS = {
    "bert": {"dtype": torch.float32, "hidden_act": "gelu"},
    "bert-prefix": {"dtype": torch.float16, "hidden_act": "relu", "prefix": "bert.", "layer_norm_eps": 1e-5},
    "bert-gamma-beta": {"dtype": torch.float16, "hidden_act": "gelu_new", "prefix": "bert.", "old_names": True},
    "bert-bf16": {"dtype": torch.bfloat16, "hidden_act": "gelu_pytorch_tanh"},
    "bert-sharded": {"dtype": torch.float16, "hidden_act": "gelu", "shards": 3},
    "bert-cls": {"dtype": torch.bfloat16, "hidden_act": "gelu", "pooling": "cls"},
}


def make() -> None:
    shutil.rmtree(MODELS, ignore_errors=True)
    for name, variant in VARIANTS.items():
        make_one(name, **variant)
    lines = [f"tiny/{name}" for name in VARIANTS]
    (MODELS.parent / "supported_models.txt").write_text("# made by scripts/make-goldens\n" + "\n".join(lines) + "\n")


def make_one(name, dtype, hidden_act, prefix="", old_names=False, shards=1, pooling="mean", layer_norm_eps=1e-12) -> None:
    print(f"tiny/{name}")
    folder = MODELS / name
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config(hidden_act, layer_norm_eps, dtype))
    write_tokenizer(folder)
    write_pooling(folder, pooling)
    weights = {key: value.to(dtype) for key, value in random_weights(np.random.RandomState(SEED)).items()}
    expected = {key: value.float() for key, value in weights.items()}
    write_weights(folder, {prefix + rename(key, old_names): value for key, value in weights.items()}, prefix, shards)

    model = load(folder)
    for key, value in model.state_dict().items():
        assert key not in expected or torch.equal(value, expected.pop(key)), key
    assert not expected, f"transformers did not read {list(expected)}"
    random = np.random.RandomState(SEED + 1)
    tokens = [random.randint(0, VOCAB, length).tolist() for length in LENGTHS]
    tokens[2][0] = 0  # the pad id is an id like any other in a token array
    ids = tokens + AutoTokenizer.from_pretrained(folder)(TEXTS).input_ids
    vectors = embed(model, ids)
    check_padded_batch(model, ids, vectors["mean"])
    sentence_transformer = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": "float32"})
    by_text = sentence_transformer.encode(TEXTS)
    require_close(f"sentence-transformers, {pooling}", by_text, vectors[pooling][-len(TEXTS) :], 2e-6)
    cases = [{"ids": sequence} for sequence in tokens]
    cases += [{"text": text, "ids": sequence} for text, sequence in zip(TEXTS, ids[len(tokens) :])]
    stored = {pooling: to_base64(array) for pooling, array in vectors.items()}
    write(f"tiny-{name}", {"maxTokens": POSITIONS, "dim": HIDDEN, "cases": cases, "vectors": {"own": stored}})


def config(hidden_act: str, layer_norm_eps: float, dtype: torch.dtype) -> dict:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INTERMEDIATE,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "hidden_act": hidden_act,
        "layer_norm_eps": layer_norm_eps,
        "pad_token_id": 0,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }


def random_weights(random: np.random.RandomState) -> dict[str, torch.Tensor]:
    """Wide enough that attention is far from uniform; no norm weight is 1 and no bias 0, which would hide bugs."""
    weights = {}

    def add(name: str, *shape: int, scale: float, center: float = 0) -> None:
        weights[name] = torch.from_numpy((center + scale * random.standard_normal(shape)).astype("f4"))

    def add_linear(name: str, rows: int, columns: int) -> None:
        add(f"{name}.weight", rows, columns, scale=0.2)
        add(f"{name}.bias", rows, scale=0.1)

    def add_norm(name: str) -> None:
        add(f"{name}.weight", HIDDEN, scale=0.2, center=1)
        add(f"{name}.bias", HIDDEN, scale=0.1)

    add("embeddings.word_embeddings.weight", VOCAB, HIDDEN, scale=1)
    add("embeddings.position_embeddings.weight", POSITIONS, HIDDEN, scale=0.5)
    add("embeddings.token_type_embeddings.weight", 2, HIDDEN, scale=0.5)
    add_norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        path = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            add_linear(f"{path}.attention.self.{part}", HIDDEN, HIDDEN)
        add_linear(f"{path}.attention.output.dense", HIDDEN, HIDDEN)
        add_norm(f"{path}.attention.output.LayerNorm")
        add_linear(f"{path}.intermediate.dense", INTERMEDIATE, HIDDEN)
        add_linear(f"{path}.output.dense", HIDDEN, INTERMEDIATE)
        add_norm(f"{path}.output.LayerNorm")
    return weights


def rename(key: str, old_names: bool) -> str:
    if not old_names:
        return key
    return key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def write_weights(folder: Path, weights: dict[str, torch.Tensor], prefix: str, shards: int) -> None:
    if prefix:  # what a checkpoint with heads carries besides; an encoder ignores it
        dtype = next(iter(weights.values())).dtype
        weights[f"{prefix}pooler.dense.weight"] = torch.full((HIDDEN, HIDDEN), 0.5, dtype=dtype)
        weights[f"{prefix}pooler.dense.bias"] = torch.full((HIDDEN,), 0.5, dtype=dtype)
        weights[f"{prefix}embeddings.position_ids"] = torch.arange(POSITIONS)[None]
        weights["cls.predictions.bias"] = torch.full((VOCAB,), 0.5, dtype=dtype)
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names, weight_map = sorted(weights), {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = {name: weights[name] for name in names[shard::shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, file)
    size = sum(tensor.nbytes for tensor in weights.values())
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(folder / "model.safetensors.index.json", index)
    # a file that the index does not name must not be read
    stray = {name: torch.zeros_like(tensor) for name, tensor in list(weights.items())[:1]}
    save_file(stray, folder / "adapter.safetensors")


def write_tokenizer(folder: Path) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
    words = ["the", "cat", "sat", "on", "mat", "dog", "##s", "##ing", "##ed", "zebra"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *words]
    vocab += [f"[unused{number}]" for number in range(VOCAB - len(vocab))]
    tokenizer = Tokenizer(models.WordPiece({token: id for id, token in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    own = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": POSITIONS}
    write_json(folder / "tokenizer_config.json", {**own, **special})
    write_json(folder / "special_tokens_map.json", special)
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")


def write_pooling(folder: Path, pooling: str) -> None:
    kinds = {"0": ("", "Transformer"), "1": ("1_Pooling", "Pooling"), "2": ("2_Normalize", "Normalize")}
    modules = [
        {"idx": int(idx), "name": idx, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (path, kind) in kinds.items()
    ]
    write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    modes = {"cls_token": pooling == "cls", "mean_tokens": pooling == "mean", "max_tokens": False, "mean_sqrt_len_tokens": False}
    flags = {f"pooling_mode_{mode}": value for mode, value in modes.items()}
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, **flags})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": POSITIONS, "do_lower_case": False})


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
