"""sentence-transformers under measurement: one JSON command a line on stdin, one JSON answer a line on stdout.

    python bench/st_worker.py MODEL_DIR THREADS
    {"texts": [...], "vectors": "/path or null"}  ->  {"wallSeconds": ..., "rows": ..., "dim": ...}

Only encode() is timed. Vectors are written, as raw float32, after the clock has stopped.
"""

import json
import os
import sys
import time

threads = int(sys.argv[2])
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
os.environ["TOKENIZERS_PARALLELISM"] = "false" if threads == 1 else "true"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402 - the thread counts above are read on import
from sentence_transformers import SentenceTransformer, __version__  # noqa: E402

torch.set_num_threads(threads)
model = SentenceTransformer(sys.argv[1], device="cpu")


def answer(value: dict) -> None:
    print(json.dumps(value), flush=True)


answer(
    {
        "ready": True,
        "maxSeqLength": model.max_seq_length,
        "dtype": str(next(model.parameters()).dtype),
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "sentence-transformers": __version__},
    }
)
for line in sys.stdin:
    command = json.loads(line)
    start = time.perf_counter()
    vectors = model.encode(command["texts"], batch_size=32, show_progress_bar=False, normalize_embeddings=True)
    wall = time.perf_counter() - start
    if command.get("vectors"):
        vectors.astype("<f4").tofile(command["vectors"])
    answer({"wallSeconds": wall, "rows": vectors.shape[0], "dim": vectors.shape[1]})
