"""Writes all-MiniLM-L6-v2 as ONNX, in float32 and dynamically quantised to int8.

    python bench/peers/export_onnx.py MODEL_DIR OUTPUT_DIR

OUTPUT_DIR/fp32/model.onnx and OUTPUT_DIR/q8/model_quantized.onnx get the other files of the model beside them. The
names are those that transformers.js looks for; scales are one a channel, which costs nothing and loses less.
"""

import shutil
import sys
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel

source, output = Path(sys.argv[1]), Path(sys.argv[2])


class Encoder(torch.nn.Module):
    """The model with positional inputs and its last hidden state as the only output."""

    def __init__(self) -> None:
        super().__init__()
        self.model = AutoModel.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


def copy_files(kind: str) -> Path:
    folder = output / kind
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file() and file.suffix in (".json", ".txt"):
            shutil.copy(file, folder)
    return folder


names = ["input_ids", "attention_mask", "token_type_ids"]
example = torch.ones(2, 8, dtype=torch.int64)
fp32 = copy_files("fp32") / "model.onnx"
axes = {0: "batch_size", 1: "sequence_length"}
torch.onnx.export(
    Encoder(),
    (example, example, example * 0),
    fp32,
    input_names=names,
    output_names=["last_hidden_state"],
    dynamic_axes={name: axes for name in [*names, "last_hidden_state"]},
    opset_version=17,
    dynamo=False,
)
quantize_dynamic(fp32, copy_files("q8") / "model_quantized.onnx", weight_type=QuantType.QInt8, per_channel=True)
(output / "complete").touch()
