"""What sentence-transformers gives for some texts, for `embeddings doctor --compare`. Offline, float32, no code of the model.

stdin:  {"folder": "/path", "root": "/path", "texts": [{"text": "...", "ids": [101, ...]}, ...]}
stdout: the last line is {"versions": {...}, "ids": [[...]], "mean": [[...]], "pipeline": [[...]]}; `mean` is the masked
        mean of the last hidden state for the ids given, `pipeline` what `encode` gives for the texts, both unit vectors.
        What cannot be had is null, with the reason under "reasons". {"error": "..."} where nothing can be had.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def main() -> dict:
    asked = json.load(sys.stdin)
    folder, root, texts = asked["folder"], asked["root"], [item["text"] for item in asked["texts"]]
    try:
        import sentence_transformers
        import torch
        import transformers
    except ImportError as error:
        return {"error": f"{sys.executable} has no sentence-transformers: {error}"}

    answer = {
        "versions": {module.__name__: module.__version__ for module in (sentence_transformers, transformers, torch)},
        "reasons": {},
    }

    def attempt(name, work):
        try:
            answer[name] = work()
        except Exception as error:  # whatever it is, it is the answer
            answer[name] = None
            answer["reasons"][name] = f"{type(error).__name__}: {error}"[:2000]

    in_float32 = {"dtype" if version_of(transformers) >= [4, 56] else "torch_dtype": torch.float32}
    is_static = first_module(folder).endswith("StaticEmbedding")

    def tokenize():
        if is_static:  # a text without special tokens, whatever the file says
            import tokenizers

            bare = tokenizers.Tokenizer.from_file(os.path.join(root, "tokenizer.json"))
            return [bare.encode(text, add_special_tokens=False).ids for text in texts]
        tokenizer = transformers.AutoTokenizer.from_pretrained(root, trust_remote_code=False)
        return [tokenizer(text)["input_ids"] for text in texts]

    def embed_mean():
        # from the start: some keep constants in the format they are loaded in
        config = transformers.AutoConfig.from_pretrained(root, trust_remote_code=False)
        # of a model with a decoder behind it the encoder alone
        kind = transformers.AutoModelForTextEncoding if hasattr(config, "num_decoder_layers") else transformers.AutoModel
        model, info = kind.from_pretrained(
            root, trust_remote_code=False, output_loading_info=True, **in_float32
        )
        # a class that does not know these tensors would fill its own with random numbers and be no reference
        missing = [name for name in info["missing_keys"] if "pooler" not in name and "position_ids" not in name]
        if missing:
            raise ValueError(f"{type(model).__name__} of transformers is not the class of these weights: no {missing[0]}")
        model = model.eval()
        rows = []
        for item in asked["texts"]:
            ids = torch.tensor([item["ids"]])
            with torch.inference_mode():
                hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
            rows.append(torch.nn.functional.normalize(hidden.mean(0), dim=0))
        return torch.stack(rows).tolist()

    def embed_pipeline():
        if answer["mean"] is None and not is_static:
            raise ValueError(answer["reasons"]["mean"])
        model = sentence_transformers.SentenceTransformer(
            folder, device="cpu", trust_remote_code=False, model_kwargs=in_float32
        ).float()
        return model.encode(texts, batch_size=1, normalize_embeddings=True, show_progress_bar=False).tolist()

    refuse_code(folder, torch)
    attempt("ids", tokenize)
    attempt("mean", embed_mean)
    attempt("pipeline", embed_pipeline)
    return answer


def refuse_code(folder: str, torch) -> None:
    """Some versions import what a local folder names, and unpickle what it holds, whatever trust_remote_code says."""
    foreign = [name for name in named_classes(folder) if not name.startswith(("sentence_transformers.", "torch."))]
    if foreign:
        raise ValueError(f"the folder names code of its own, which is not run: {foreign[0]}")
    if version_of(torch) < [2, 6] and any(name.endswith((".bin", ".pt")) for _, _, names in os.walk(folder) for name in names):
        raise ValueError(f"torch {torch.__version__} would unpickle .bin files without restriction; 2.6 does not")


def named_classes(folder: str) -> list[str]:
    """Of modules.json, of the routes and of the activations below it."""
    classes = []
    for place, _, names in os.walk(folder):
        for name in names:
            if name not in ("modules.json", "router_config.json", "config.json"):
                continue
            with open(os.path.join(place, name), encoding="utf-8") as file:
                value = json.load(file)
            if name == "modules.json":
                classes += [str(module.get("type")) for module in value]
            elif name == "router_config.json":
                classes += [str(kind) for kind in value.get("types", {}).values()]
            elif "activation_function" in value and place != folder:
                classes.append(str(value["activation_function"]))
    return classes


def first_module(folder: str) -> str:
    """The class of the first step; "" where the folder lists none."""
    try:
        with open(os.path.join(folder, "modules.json"), encoding="utf-8") as file:
            return str(json.load(file)[0].get("type"))
    except FileNotFoundError:
        return ""


def version_of(module) -> list[int]:
    return [int(part) for part in module.__version__.split("+")[0].split(".")[:2]]


try:
    answer = main()
except Exception as error:  # whatever it is, it is the answer
    answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
print(json.dumps(answer), flush=True)
