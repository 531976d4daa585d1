"""Writes a BERT checkpoint with mean pooling as GGUF, for llama.cpp.

    python bench/peers/convert_gguf.py MODEL_DIR OUTPUT.gguf F16|Q8_0

As llama.cpp's own converter does it: matrices in the given type, vectors and the small embedding tables in float32.
Needs the PyPI packages `gguf` and `safetensors`.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, PoolingType, TokenType, quants
from safetensors.numpy import load_file

source, output, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
config = json.loads((source / "config.json").read_text())
partial = f"{output}.partial"  # renamed last: a file cut short is made again

# Names in the checkpoint, and in GGUF; those of a layer stand below a number.
TABLES = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
FLOAT32 = ("position_embd", "token_types")


def to_name(name: str) -> str | None:
    """None for what an embedding does not need."""
    path, kind_of_tensor = name.rsplit(".", 1)
    if path in TABLES:
        return f"{TABLES[path]}.{kind_of_tensor}"
    if path.startswith("encoder.layer."):
        number, rest = path.removeprefix("encoder.layer.").split(".", 1)
        return f"blk.{number}.{LAYER[rest]}.{kind_of_tensor}"
    return None


def to_token(token: str) -> str:
    """llama.cpp marks the start of a word, WordPiece its continuation."""
    if token.startswith("[") and token.endswith("]"):
        return token
    return token[2:] if token.startswith("##") else "\u2581" + token


writer = GGUFWriter(partial, "bert")
writer.add_name(source.name)
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(config["hidden_size"])
writer.add_feed_forward_length(config["intermediate_size"])
writer.add_block_count(config["num_hidden_layers"])
writer.add_head_count(config["num_attention_heads"])
writer.add_layer_norm_eps(config["layer_norm_eps"])
writer.add_causal_attention(False)
writer.add_pooling_type(PoolingType.MEAN)
writer.add_file_type(LlamaFileType.MOSTLY_F16 if kind == "F16" else LlamaFileType.MOSTLY_Q8_0)

tokens = (source / "vocab.txt").read_text(encoding="utf-8").split("\n")[: config["vocab_size"]]
special = {name: tokens.index(f"[{name}]") for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
writer.add_tokenizer_model("bert")
writer.add_tokenizer_pre("jina-v2-en")  # llama.cpp's name for plain uncased WordPiece
writer.add_token_type_count(config["type_vocab_size"])
writer.add_token_list([to_token(token) for token in tokens])
writer.add_token_types(
    [int(TokenType.CONTROL if index in special.values() else TokenType.NORMAL) for index in range(len(tokens))]
)
writer.add_pad_token_id(special["PAD"])
writer.add_unk_token_id(special["UNK"])
writer.add_bos_token_id(special["CLS"])
writer.add_sep_token_id(special["SEP"])
writer.add_eos_token_id(special["SEP"])
writer.add_mask_token_id(special["MASK"])

for name, tensor in load_file(source / "model.safetensors").items():
    short = to_name(name)
    if short is None:
        continue
    tensor = tensor.astype(np.float32)
    if tensor.ndim == 1 or short.startswith(FLOAT32):
        writer.add_tensor(short, tensor)
    elif kind == "F16":
        writer.add_tensor(short, tensor.astype(np.float16))
    else:
        quantised = quants.quantize(tensor, GGMLQuantizationType.Q8_0)
        writer.add_tensor(short, quantised, raw_dtype=GGMLQuantizationType.Q8_0)

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
os.rename(partial, output)
