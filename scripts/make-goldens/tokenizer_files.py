"""Small tokenizers of every kind in the files a repository has where tokenizer.json is missing, and the ids transformers
gives for odd strings. The reference is transformers 4.52: from version 5 on, the rules for add_bos_token and
add_eos_token and the normalizers of SentencePiece models are others.

Runs itself in a virtual environment with that version where another one is installed.
"""

import base64
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from odd_strings import SENTENCES, odd_strings
from tokenizer_cases import cases, write_files

TRANSFORMERS = "4.52.4"
REQUIREMENTS = [f"transformers=={TRANSFORMERS}", "tokenizers==0.21.4", "sentencepiece==0.2.1", "protobuf==7.36.2"]
GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "tokenizers.json.gz"
STRINGS = 2000
CUT = 6  # tokens that a long text is cut to, special ones kept


def make() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        subprocess.run([python, __file__], check=True)


def write_golden() -> None:
    import transformers

    assert transformers.__version__ == TRANSFORMERS, f"pip install {' '.join(REQUIREMENTS)}"
    strings = odd_strings(STRINGS, seed=4)
    contents: dict[str, dict[str, str]] = {}
    ids: dict[str, list[list[int]]] = {}
    tokenizers = []
    for name, (class_name, files) in cases().items():
        rows, cut = reference_ids(class_name, files, strings)
        key = digest(json.dumps(rows).encode())  # several give the same
        ids[key] = rows
        for content in files.values():
            contents[digest(content)] = to_text(content)
        paths = {path: digest(content) for path, content in files.items()}
        tokenizers.append({"name": name, "files": paths, "ids": key, "cut": cut})
        print(f"  {name}: {sum(map(len, rows)):,} ids")
    golden = {"reference": f"transformers {TRANSFORMERS}", "strings": strings, "contents": contents, "ids": ids}
    golden |= {"cut": {"text": SENTENCES[0], "maxTokens": CUT}, "tokenizers": tokenizers}
    packed = gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), 9, mtime=0)
    GOLDEN.write_bytes(packed)
    print(f"  {GOLDEN.name}: {len(packed):,} bytes")


def reference_ids(class_name: str, files: dict[str, bytes], strings: list[str]) -> tuple[list[list[int]], list[int]]:
    """Ids of every string, and of a sentence that is cut."""
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), files)
        tokenizer = getattr(transformers, class_name).from_pretrained(folder)
        cut = tokenizer(SENTENCES[0], truncation=True, max_length=CUT).input_ids
        return [tokenizer(string).input_ids for string in strings], cut


def to_text(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    write_golden()
