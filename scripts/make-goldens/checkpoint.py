"""Writes a tiny checkpoint in the layout of a hub repository, with the reference's vectors for it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from reference import GOLDENS, require_close, to_base64, write

MODELS = GOLDENS / "models" / "tiny"
TEXTS = ["a", "the cat sat on the mat", "Caf\u00e9 42!", "zebra", "the " * 60]
SEED = 20261123

# (input_ids [batch, length], attention_mask [batch, length]) -> last hidden state [batch, length, hidden], float32
Forward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass
class Checkpoint:
    name: str  # the folder under tests/goldens/models/tiny
    architecture: str  # the row of src/models/registry.ts that must take it
    config: dict  # config.json in the dialect of the real repository
    weights: dict[str, torch.Tensor]  # under the names and in the number formats they are stored in
    forward: Forward  # the reference, with the stored weights widened to float32
    max_tokens: int
    lengths: list[int]  # of the raw token arrays; at least one beyond every window and one of max_tokens where that is small
    arrays: list[list[int]] = field(default_factory=list)  # token arrays beside the random ones
    vocab: int = 300
    padding_id: int = 0  # what a batch of the reference is padded with
    template: str = "[CLS] $A [SEP]"  # the special tokens a text gets
    pooling: str = "mean"  # what 1_Pooling/config.json declares: mean, cls or lasttoken
    heads: dict[str, torch.Tensor] = field(default_factory=dict)  # tensors beside the model, which nobody needs
    shards: int = 1
    files: dict[str, str] = field(default_factory=dict)  # more files, by path
    tasks: dict[str, Forward] = field(default_factory=dict)  # the reference with an adapter, by its name


def make_checkpoint(checkpoint: Checkpoint) -> None:
    print(f"tiny/{checkpoint.name}")
    folder = MODELS / checkpoint.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", checkpoint.config)
    write_tokenizer(folder, checkpoint.vocab, checkpoint.max_tokens, checkpoint.template)
    write_pooling(folder, checkpoint.pooling, hidden_size(checkpoint.config), checkpoint.max_tokens)
    write_weights(folder, checkpoint.weights | checkpoint.heads, checkpoint.shards)
    for path, text in checkpoint.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)

    random = np.random.RandomState(SEED + 1)
    tokens = [random.randint(0, checkpoint.vocab, length).tolist() for length in checkpoint.lengths]
    tokens += checkpoint.arrays
    by_text = [encoding.ids for encoding in Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch(TEXTS)]
    ids = tokens + by_text
    vectors = embed(checkpoint.forward, ids)
    check_padded(checkpoint.forward, ids, vectors["mean"], checkpoint.padding_id)
    cases = [{"ids": sequence} for sequence in tokens]
    cases += [{"text": text, "ids": sequence} for text, sequence in zip(TEXTS, by_text)]
    kept = {"mean", checkpoint.pooling}
    tasks = {}
    for task, forward in checkpoint.tasks.items():
        mean = embed(forward, ids)["mean"]
        check_padded(forward, ids, mean, checkpoint.padding_id)
        tasks[task] = to_base64(mean)
    write(
        f"tiny-{checkpoint.name}",
        {
            "architecture": checkpoint.architecture,
            "pooling": checkpoint.pooling,
            "maxTokens": checkpoint.max_tokens,
            "dim": vectors["mean"].shape[1],
            "cases": cases,
            "vectors": {"own": {name: to_base64(rows) for name, rows in vectors.items() if name in kept}},
            **({"tasks": tasks} if tasks else {}),
        },
    )


def hidden_size(config: dict) -> int:
    return config.get("hidden_size", config.get("n_embd", 0))


def embed(forward: Forward, sequences: list[list[int]]) -> dict[str, np.ndarray]:
    """Unit vectors per pooling, one sequence at a time without padding. [sequences, hidden]"""
    rows: dict[str, list[torch.Tensor]] = {"mean": [], "cls": [], "lasttoken": []}
    for ids in sequences:
        with torch.inference_mode():
            hidden = forward(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))[0]
        rows["mean"].append(hidden.mean(0))
        rows["cls"].append(hidden[0])
        rows["lasttoken"].append(hidden[-1])
    return {name: torch.nn.functional.normalize(torch.stack(list_), dim=1).numpy() for name, list_ in rows.items()}


def check_padded(forward: Forward, sequences: list[list[int]], mean: np.ndarray, padding_id: int) -> None:
    """The reference must itself not depend on the batch, else it is no reference. Padding is on the right."""
    shape = len(sequences), max(map(len, sequences))
    ids, mask = torch.full(shape, padding_id), torch.zeros(shape, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)], mask[row, : len(sequence)] = torch.tensor(sequence), 1
    weights = mask[..., None].float()
    with torch.inference_mode():
        hidden = forward(ids, mask)
        pooled = (torch.where(weights > 0, hidden, 0) * weights).sum(1) / weights.sum(1)
    require_close("one padded batch", torch.nn.functional.normalize(pooled, dim=1).numpy(), mean, 5e-6)


def randomize(model: torch.nn.Module, seed: int = SEED, scale: float = 6) -> torch.nn.Module:
    """Weights that show mistakes: attention far from uniform, no norm weight 1 and no bias 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                parameter.add_(0.2 * noise)
            elif "embed" in name:
                parameter.copy_(noise)
            else:
                parameter.copy_(noise * scale * 0.02 * (64 / parameter.shape[-1]) ** 0.5)
    return model.eval().float()


def rounded(model: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    """The model in float32 with weights that `dtype` holds exactly, so that stored and computed ones are the same."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(dtype).float())
    return model


def stored_weights(folder: Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """What `save_pretrained` wrote into a folder, floats in `dtype`."""
    from safetensors.torch import load_file

    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= load_file(file)
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in weights.items()}


def write_weights(folder: Path, weights: dict[str, torch.Tensor], shards: int) -> None:
    weights = {name: tensor.clone().contiguous() for name, tensor in weights.items()}  # tied tensors stand on their own
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


def write_tokenizer(folder: Path, vocab_size: int, max_tokens: int, template: str) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
    words = ["the", "cat", "sat", "on", "mat", "dog", "##s", "##ing", "##ed", "zebra"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *words]
    vocab += [f"[unused{number}]" for number in range(vocab_size - len(vocab))]
    tokenizer = Tokenizer(models.WordPiece({token: id for id, token in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    own = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": max_tokens}
    write_json(folder / "tokenizer_config.json", {**own, **special})
    write_json(folder / "special_tokens_map.json", special)


def write_pooling(folder: Path, pooling: str, hidden: int, max_tokens: int) -> None:
    kinds = {"0": ("", "Transformer"), "1": ("1_Pooling", "Pooling"), "2": ("2_Normalize", "Normalize")}
    modules = [
        {"idx": int(idx), "name": idx, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (path, kind) in kinds.items()
    ]
    write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    flags = {f"pooling_mode_{mode}": mode in (pooling, f"{pooling}_token", f"{pooling}_tokens") for mode in modes}
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": hidden, **flags})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
