"""tests/goldens/pipelines.json and models/pipeline/*: tiny models with pipelines of their own, in both dialects.

Each folder is saved by sentence-transformers, some are then rewritten to what its older versions wrote, and the
vectors are those of `SentenceTransformer(folder).encode(texts, normalize_embeddings=True)`. model2vec is not asked: its
mean of rows is computed here.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Router, Transformer
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, Pooling, StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from reference import GOLDENS, require_close, to_base64

SEED = 20261124
HIDDEN, POSITIONS = 16, 40
MODELS = GOLDENS / "models" / "pipeline"
TEXTS = ["a", "the cat sat on the mat", "The Dog sits.", "zebra, caf\u00e9 42!", "on", "cats and dogs and cats?"]
LONG = "the cat sat on the mat and " * 2
WORDS = ["the", "cat", "sat", "on", "mat", "dog", "and", "##ing", "find", "zebra"]
MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
PROMPTS = {"query": "find the cat: ", "document": "", "long words": "zebra zebra "}
NN = torch.nn


def make() -> None:
    shutil.rmtree(MODELS, ignore_errors=True)
    models = [make_one(name, **variant) for name, variant in variants().items()]
    models += [make_static("static"), make_static("static-folder", path="0_StaticEmbedding")]
    models += [make_model2vec("model2vec"), make_model2vec("model2vec-modules", is_mapped=True)]
    (MODELS.parent / "pipelines.txt").write_text(
        "# made by scripts/make-goldens\n" + "".join(f"pipeline/{model['name']}\n" for model in models)
    )
    (GOLDENS / "pipelines.json").write_text(json.dumps({"texts": [*TEXTS, LONG], "models": models}, indent=1) + "\n")


def variants() -> dict[str, dict]:
    """One row per checkpoint; `modules` are what follows the Transformer."""
    pooled = len(MODES) * HIDDEN
    return {
        "cls": {"modules": [pool("cls"), Normalize()], "is_legacy": True},
        "modes": {"modules": [pool(MODES)]},
        "modes-legacy": {"modules": [pool(MODES)], "is_legacy": True},
        "modes-reversed": {"modules": [pool(MODES[::-1])]},
        "without-prompt": {"modules": [pool(MODES, include_prompt=False)], "prompts": PROMPTS},
        "default-prompt": {
            "modules": [pool("mean"), Normalize()],
            "prompts": PROMPTS,
            "default_prompt_name": "query",
            "is_legacy": True,
        },
        "dense": {"modules": [pool("mean"), dense(HIDDEN, 24, NN.Tanh(), name_activation=False)], "is_legacy": True},
        "dense-chain": {
            "modules": [
                pool(MODES[:2]),
                dense(2 * HIDDEN, 24, NN.GELU(), use_residual=True),
                dense(24, 24, NN.ReLU(), use_residual=True, bias=False),
                Normalize(),
                dense(24, 12, NN.SiLU()).to(torch.float16),
                dense(12, 20, NN.Identity(), bias=False).to(torch.bfloat16),
                Normalize(),
            ]
        },
        "dense-activations": {
            "modules": [
                pool("max"),
                *(dense(HIDDEN, HIDDEN, kind(), use_residual=True) for kind in (NN.Sigmoid, NN.ELU, NN.LeakyReLU)),
                *(dense(HIDDEN, HIDDEN, kind(), use_residual=True) for kind in (NN.Softplus, NN.Mish)),
            ]
        },
        "dense-tokens": {
            "modules": [
                dense(HIDDEN, 20, NN.Tanh(), module_input_name="token_embeddings"),
                Normalize(module_input_name="token_embeddings"),
                pool("weightedmean", 20),
            ]
        },
        "layer-norm": {"modules": [pool(MODES), randomized(LayerNorm(pooled)), Dropout(0.5), Normalize()]},
        "truncated": {"modules": [pool("lasttoken"), Normalize()], "truncate_dim": 10},
        "short": {"modules": [pool("mean")], "max_seq_length": 12},
        "short-legacy": {
            "modules": [pool("mean")],
            "max_seq_length": 12,
            "is_legacy": True,
            "do_lower_case": True,
            "folder": "0_Transformer",
        },
        "router": {
            "modules": [
                pool("mean"),
                Router(
                    {"query": [dense(HIDDEN, 12, NN.Tanh())], "document": [dense(HIDDEN, 12, NN.GELU()), Normalize()]},
                    default_route="document",
                ),
            ]
        },
    }


def pool(modes, size: int = HIDDEN, **kwargs) -> Pooling:
    return Pooling(size, modes, **kwargs)


def dense(inputs: int, outputs: int, activation: NN.Module, name_activation: bool = True, **kwargs) -> Dense:
    module = randomized(Dense(inputs, outputs, activation_function=activation, **kwargs))
    module.name_activation = name_activation
    return module


def randomized(module: NN.Module) -> NN.Module:
    """No weight of a norm stays 1 and no bias 0, which would hide bugs."""
    torch.manual_seed(SEED + sum(parameter.numel() for parameter in module.parameters()))
    for parameter in module.parameters():
        parameter.data = torch.randn_like(parameter) * 0.4 + (1 if parameter.dim() == 1 else 0) * 0.5
    return module


def make_one(
    name, modules, prompts=None, default_prompt_name=None, truncate_dim=None, is_legacy=False, folder="", **transformer
) -> dict:
    print(f"pipeline/{name}")
    target = MODELS / name
    do_lower_case = transformer.pop("do_lower_case", False)
    with tempfile.TemporaryDirectory() as source:
        save_bert(Path(source), is_cased=do_lower_case)
        model = SentenceTransformer(
            modules=[Transformer(source, **transformer), *modules],
            prompts=prompts,
            default_prompt_name=default_prompt_name,
            truncate_dim=truncate_dim,
            device="cpu",
        )
        model.save(str(target), create_model_card=False)
    if is_legacy:
        rewrite(target, transformer.get("max_seq_length"), do_lower_case)
    if folder:
        move(target, folder)
    return reference(name, target, prompts or {}, has_routes=any(isinstance(module, Router) for module in modules))


def reference(name: str, folder: Path, prompts: dict[str, str], has_routes: bool = False) -> dict:
    # modules with 16-bit weights are widened: the numbers are those of float32 arithmetic
    model = SentenceTransformer(str(folder), device="cpu").to(torch.float32)
    asked = [{}, *({"prompt_name": prompt} for prompt in prompts)]
    if has_routes:
        asked += [{"input_type": "query"}, {"task": "document"}]
    requests = []
    for fields in asked:
        task = fields.get("input_type", fields.get("task"))
        options = {"prompt_name": fields.get("prompt_name"), "task": task, "normalize_embeddings": True}
        rows = np.stack([model.encode(text, **options) for text in [*TEXTS, LONG]])
        require_close(f"one batch, {fields}", model.encode([*TEXTS, LONG], **options), rows, 2e-6)
        prompt = prompts.get(fields.get("prompt_name", model.default_prompt_name), "")
        counts = [len(model.tokenizer(prompt + text).input_ids) for text in [*TEXTS, LONG]] if has_template(model) else None
        requests.append({"fields": fields, "tokens": counts, "vectors": to_base64(rows)})
    return {"name": name, "dim": rows.shape[1], "requests": requests}


def has_template(model: SentenceTransformer) -> bool:
    return isinstance(model.tokenizer, PreTrainedTokenizerFast)


def save_bert(folder: Path, is_cased: bool) -> None:
    tokenizer = make_tokenizer(is_cased)
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=POSITIONS, **names).save_pretrained(folder)
    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=POSITIONS,
    )
    model = BertModel(config, add_pooling_layer=False)
    for parameter in model.parameters():
        parameter.data = parameter * 12 + (torch.randn_like(parameter) * 0.2 if parameter.dim() == 1 else 0)
    for key, parameter in model.named_parameters():
        if key.endswith("LayerNorm.weight"):
            parameter.data = 1 + torch.randn_like(parameter) * 0.2
    model.save_pretrained(folder)


def make_tokenizer(is_cased: bool = False) -> Tokenizer:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?:"
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *WORDS]
    tokenizer = Tokenizer(models.WordPiece({token: id for id, token in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not is_cased, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(vocab[:5])
    return tokenizer


def rewrite(folder: Path, max_seq_length: int | None, do_lower_case: bool) -> None:
    """To the files that sentence-transformers wrote before version 6."""
    modules = read_json(folder / "modules.json")
    for module in modules:
        kind = module["type"].split(".")[-1]
        module["type"] = f"sentence_transformers.models.{kind}"
        file = folder / module["path"] / "config.json"
        if kind == "Pooling":
            config = read_json(file)
            on = np.atleast_1d(config["pooling_mode"]).tolist()
            names = {"cls": "cls_token", "lasttoken": "lasttoken", **{mode: f"{mode}_tokens" for mode in ("max", "mean", "weightedmean")}}
            flags = {f"pooling_mode_{names.get(mode, mode)}": mode in on for mode in MODES}
            write_json(file, {"word_embedding_dimension": HIDDEN, **flags, "include_prompt": config["include_prompt"]})
        if kind == "Dense":
            config = read_json(file)
            write_json(file, {key: config[key] for key in ("in_features", "out_features", "bias", "activation_function")})
        if kind == "Normalize":
            shutil.rmtree(folder / module["path"])
    write_json(folder / "modules.json", modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_seq_length, "do_lower_case": do_lower_case})
    tokenizer = read_json(folder / "tokenizer_config.json")
    write_json(folder / "tokenizer_config.json", {**tokenizer, "model_max_length": 10**30})


def move(folder: Path, name: str) -> None:
    """The files of the Transformer into a folder of their own."""
    (folder / name).mkdir()
    for file in ("config.json", "model.safetensors", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / file).rename(folder / name / file)
    modules = read_json(folder / "modules.json")
    modules[0]["path"] = name
    write_json(folder / "modules.json", modules)


def make_static(name: str, path: str = "") -> dict:
    print(f"pipeline/{name}")
    target = MODELS / name
    table = np.random.RandomState(SEED).standard_normal((make_tokenizer().get_vocab_size(), HIDDEN)).astype("f4")
    model = SentenceTransformer(modules=[StaticEmbedding(make_tokenizer(), embedding_weights=table)], device="cpu")
    model.save(str(target), create_model_card=False)
    if path:
        (target / path).mkdir()
        for file in ("model.safetensors", "tokenizer.json"):
            (target / file).rename(target / path / file)
        write_json(target / "modules.json", [{"idx": 0, "name": "0", "path": path, "type": "sentence_transformers.models.StaticEmbedding"}])
    return reference(name, target, {})


def make_model2vec(name: str, is_mapped: bool = False) -> dict:
    """The files model2vec writes. With modules.json they are sentence-transformers' to read; without, a text is the mean
    of its tokens' rows, without unknown tokens."""
    print(f"pipeline/{name}")
    target = MODELS / name
    target.mkdir()
    tokenizer = make_tokenizer()
    size, random = tokenizer.get_vocab_size(), np.random.RandomState(SEED)
    tensors = {"embeddings": random.standard_normal((size, HIDDEN)).astype("f4")}
    if is_mapped:
        tensors = {
            "embeddings": random.standard_normal((30, HIDDEN)).astype("f2"),
            "mapping": random.randint(0, 30, size).astype("i8"),
            "weights": np.abs(random.standard_normal(size)),
        }
    save_file({key: torch.from_numpy(value) for key, value in tensors.items()}, target / "model.safetensors")
    tokenizer.save(str(target / "tokenizer.json"))
    write_json(target / "config.json", {"model_type": "model2vec", "architectures": ["StaticModel"], "hidden_dim": HIDDEN, "normalize": True})
    if is_mapped:
        modules = [{"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"}]
        modules += [{"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}]
        write_json(target / "modules.json", modules)
        return reference(name, target, {})

    rows, unknown, kept = [], tokenizer.token_to_id("[UNK]"), []
    for encoding in tokenizer.encode_batch([*TEXTS, LONG], add_special_tokens=False):
        ids = [id for id in encoding.ids if id != unknown]
        mean = tensors["embeddings"].astype("f8")[ids].mean(0)
        rows.append(mean / np.linalg.norm(mean))
        kept.append(len(ids))
    assert sum(kept) < sum(len(encoding.ids) for encoding in tokenizer.encode_batch([*TEXTS, LONG], add_special_tokens=False))
    request = {"fields": {}, "tokens": kept, "vectors": to_base64(np.stack(rows))}
    return {"name": name, "dim": HIDDEN, "requests": [request]}


def read_json(path: Path):
    return json.loads(path.read_text())


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
