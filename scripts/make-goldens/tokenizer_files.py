"""Small tokenizers of every kind in the files a repository has where tokenizer.json is missing, and the ids transformers
gives for odd strings. The reference is transformers 4.52: from version 5 on, the rules for add_bos_token and
add_eos_token and the normalizers of SentencePiece models are others.

Runs itself in a virtual environment with that version where another one is installed.
"""

import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path

from odd_strings import SENTENCES, odd_strings, training_text, words

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


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).write_bytes(content)


def to_text(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def cases() -> dict[str, tuple[str, dict[str, bytes]]]:
    """name -> (class of the reference, files of the folder)."""
    slow = slow_cases()
    return {**slow, **fast_cases(slow)}


def slow_cases() -> dict[str, tuple[str, dict[str, bytes]]]:
    uncased, cased = word_pieces(lowercase=True), word_pieces(lowercase=False)
    mpnet = word_pieces(lowercase=True, special=["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])
    roberta = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    plain = byte_level(["<|endoftext|>"])
    nfkc = {"normalization_rule_name": "nmt_nfkc", "model_type": "unigram", "vocab_size": 700, "character_coverage": 0.98}
    xlm = sentence_piece(**nfkc)
    bare = sentence_piece(**{**nfkc, "normalization_rule_name": "identity"}, remove_extra_whitespaces=False)
    few = {**nfkc, "normalization_rule_tsv": RULES}  # compiled rules of Unicode take 240 kB
    t5 = sentence_piece(**few, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    albert = sentence_piece(
        **few, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP]", user_defined_symbols="[MASK]"
    )
    bytes_ = {"model_type": "bpe", "vocab_size": 900, "byte_fallback": True, "normalization_rule_name": "identity", "character_coverage": 0.98}
    llama = sentence_piece(**bytes_, split_digits=True, remove_extra_whitespaces=False)
    gemma = sentence_piece(
        **bytes_, split_digits=True, remove_extra_whitespaces=False, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
        user_defined_symbols="<mask>,<start_of_turn>,<end_of_turn>,\n,▁▁,▁▁▁,\t",
    )
    pho_vocab, pho_codes = phobert_files()
    pho = {"vocab.txt": pho_vocab, "bpe.codes": pho_codes}
    phobert = config(tokenizer_class="PhobertTokenizer")
    added = {
        str(3000 + index): token
        for index, token in enumerate([added_token("<ent>"), added_token("newword", single_word=True), added_token("[E1]", special=True, lstrip=True, rstrip=True)])
    }
    small = sentence_piece(**few)
    return {
        "bert": ("BertTokenizerFast", {"vocab.txt": uncased, **config(do_lower_case=True, tokenizer_class="BertTokenizer")}),
        "bert-cased": (
            "BertTokenizerFast",
            {
                "vocab.txt": cased,
                **config(do_lower_case=False, tokenizer_class="BertTokenizer"),
                "special_tokens_map.json": to_json({"unk_token": "[UNK]", "cls_token": {"content": "[CLS]", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}, "additional_special_tokens": ["<ent>"]}),
                "added_tokens.json": to_json({"<ent>": 3000, "NewWord": 3001}),
            },
        ),
        "bert-accents": (
            "BertTokenizerFast",
            {"vocab.txt": uncased, **config(do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False, tokenizer_class="BertTokenizer", added_tokens_decoder=added)},
        ),
        "bert-bare": ("BertTokenizerFast", {"vocab.txt": uncased}),
        "distilbert": ("DistilBertTokenizerFast", {"vocab.txt": uncased, **config(tokenizer_class="DistilBertTokenizer", do_lower_case=True)}),
        "electra": ("ElectraTokenizerFast", {"vocab.txt": cased, **config(tokenizer_class="ElectraTokenizer", do_lower_case=False, strip_accents=True)}),
        "mpnet": ("MPNetTokenizerFast", {"vocab.txt": mpnet, **config(tokenizer_class="MPNetTokenizer")}),
        "roberta": ("RobertaTokenizerFast", {**roberta, **config(tokenizer_class="RobertaTokenizer")}),
        "roberta-added": (
            "RobertaTokenizerFast",
            {**roberta, **config(tokenizer_class="RobertaTokenizer", add_prefix_space=True, added_tokens_decoder=added)},
        ),
        "gpt2": ("GPT2TokenizerFast", {**plain, **config(tokenizer_class="GPT2Tokenizer")}),
        "gpt2-bos": ("GPT2TokenizerFast", {**plain, **config(tokenizer_class="GPT2Tokenizer", add_bos_token=True)}),
        "qwen2": (
            "Qwen2TokenizerFast",
            {
                **plain,
                **config(
                    tokenizer_class="Qwen2Tokenizer", eos_token="<|im_start|>", pad_token="<|endoftext|>", add_prefix_space=False,
                    added_tokens_decoder={"700": added_token("<|im_start|>", special=True), "701": added_token("<ent>")},
                ),
            },
        ),
        "xlm-roberta-small": ("XLMRobertaTokenizerFast", {"sentencepiece.bpe.model": small, **config(tokenizer_class="XLMRobertaTokenizer")}),
        "xlm-roberta": ("XLMRobertaTokenizerFast", {"sentencepiece.bpe.model": xlm, **config(tokenizer_class="XLMRobertaTokenizer")}),
        "xlm-roberta-identity": (
            "XLMRobertaTokenizerFast",
            {"sentencepiece.bpe.model": bare, **config(tokenizer_class="XLMRobertaTokenizer", added_tokens_decoder=added)},
        ),
        "camembert": ("CamembertTokenizerFast", {"sentencepiece.bpe.model": xlm, **config(tokenizer_class="CamembertTokenizer")}),
        "albert": ("AlbertTokenizerFast", {"spiece.model": albert, **config(tokenizer_class="AlbertTokenizer")}),
        "albert-cased": (
            "AlbertTokenizerFast",
            {"spiece.model": albert, **config(tokenizer_class="AlbertTokenizer", do_lower_case=False, keep_accents=True)},
        ),
        "t5": ("T5TokenizerFast", {"spiece.model": t5, **config(tokenizer_class="T5Tokenizer")}),
        "llama": ("LlamaTokenizerFast", {"tokenizer.model": llama, **config(tokenizer_class="LlamaTokenizer", legacy=True)}),
        "llama-eos": (
            "LlamaTokenizerFast",
            {"tokenizer.model": llama, **config(tokenizer_class="LlamaTokenizer", legacy=True, add_eos_token=True, pad_token="</s>")},
        ),
        "llama-new": (
            "LlamaTokenizerFast",
            {"tokenizer.model": llama, **config(tokenizer_class="LlamaTokenizer", legacy=False, add_bos_token=False, add_eos_token=True)},
        ),
        "llama-none": (
            "LlamaTokenizerFast",
            {"tokenizer.model": llama, **config(tokenizer_class="LlamaTokenizer", add_bos_token=False, added_tokens_decoder=added)},
        ),
        "gemma": ("GemmaTokenizerFast", {"tokenizer.model": gemma, **config(tokenizer_class="GemmaTokenizer")}),
        "phobert": ("PhobertTokenizer", {**pho, **phobert}),
        "phobert-added": (
            "PhobertTokenizer",
            {**pho, **phobert, "added_tokens.json": to_json({"<mask>": pho_vocab.count(b"\n") + 4, "<ent>": pho_vocab.count(b"\n") + 5})},
        ),
    }


def fast_cases(slow: dict[str, tuple[str, dict[str, bytes]]]) -> dict[str, tuple[str, dict[str, bytes]]]:
    """Folders with a tokenizer.json that tokenizer_config.json does not agree with."""
    bert, llama, gemma, qwen2, roberta, xlm = (
        convert(*slow[name]) for name in ("bert", "llama", "gemma", "qwen2", "roberta", "xlm-roberta-small")
    )
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    eos_behind = {
        "type": "Sequence",
        "processors": [
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
            template([], ["<|endoftext|>"], {"<|endoftext|>": 0}),
        ],
    }
    old_metaspace = {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True}
    split_first = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, old_metaspace]}
    charsmap = xlm["normalizer"]["normalizers"][0]
    marks = [{"id": size(bert) + index, "content": token, **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False), "special": False} for index, token in enumerate(("   ", "  ", "<ent>"))]
    return {
        "json-bert": ("BertTokenizerFast", folder({**bert, "padding": PADDING, "truncation": TRUNCATION}, tokenizer_class="BertTokenizer", **special)),
        "json-bert-overruled": (
            "BertTokenizerFast",
            folder(bert, tokenizer_class="BertTokenizer", do_lower_case=False, strip_accents=True, tokenize_chinese_chars=False),
        ),
        "json-bert-plain-class": (
            "PreTrainedTokenizerFast",
            folder(
                {**bert, "added_tokens": bert["added_tokens"][:4] + marks},
                tokenizer_class="PreTrainedTokenizerFast", do_lower_case=False, mask_token="[MASK]", additional_special_tokens=["newword"],
            ),
        ),
        "json-roberta-prefix": (
            "RobertaTokenizerFast",
            folder({**roberta, "pre_tokenizer": {**roberta["pre_tokenizer"], "add_prefix_space": True}}, tokenizer_class="RobertaTokenizer"),
        ),
        "json-roberta-wants-prefix": ("RobertaTokenizerFast", folder(roberta, tokenizer_class="RobertaTokenizer", add_prefix_space=True)),
        "json-qwen2-eos": (
            "Qwen2TokenizerFast",
            folder({**qwen2, "post_processor": eos_behind}, tokenizer_class="Qwen2Tokenizer", eos_token="<|im_start|>", pad_token="<|endoftext|>", add_bos_token=False),
        ),
        "json-llama-eos": ("LlamaTokenizerFast", folder(llama, tokenizer_class="LlamaTokenizer", add_eos_token=True, add_bos_token=True, legacy=True)),
        "json-llama-silent": ("LlamaTokenizerFast", folder({**llama, "post_processor": None}, tokenizer_class="LlamaTokenizerFast")),
        "json-gemma-no-bos": ("GemmaTokenizerFast", folder(gemma, tokenizer_class="GemmaTokenizer", add_bos_token=False)),
        "json-xlm-roberta-old": (
            "XLMRobertaTokenizerFast",
            folder({**xlm, "normalizer": charsmap, "pre_tokenizer": split_first}, tokenizer_class="XLMRobertaTokenizer", added_tokens_decoder={str(size(xlm)): added_token("<ent>")}),
        ),
        "json-xlm-roberta-oldest": (
            "XLMRobertaTokenizerFast", folder({**xlm, "normalizer": charsmap, "pre_tokenizer": old_metaspace}, tokenizer_class="XLMRobertaTokenizer")
        ),
    }  # fmt: skip


PADDING = {"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
TRUNCATION = {"max_length": 16, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}


def convert(class_name: str, files: dict[str, bytes]) -> dict:
    """The tokenizer.json that transformers makes of the other files."""
    import transformers

    with tempfile.TemporaryDirectory() as path:
        write_files(Path(path), files)
        return json.loads(getattr(transformers, class_name).from_pretrained(path).backend_tokenizer.to_str())


def folder(tokenizer: dict, **values: object) -> dict[str, bytes]:
    return {"tokenizer.json": json.dumps(tokenizer, ensure_ascii=False).encode(), **config(**values)}


def size(tokenizer: dict) -> int:
    return max([len(tokenizer["model"]["vocab"]) - 1, *(token["id"] for token in tokenizer["added_tokens"])]) + 1


def template(before: list[str], after: list[str], ids: dict[str, int]) -> dict:
    frame = [{"SpecialToken": {"id": token, "type_id": 0}} for token in before] + [{"Sequence": {"id": "A", "type_id": 0}}]
    frame += [{"SpecialToken": {"id": token, "type_id": 0}} for token in after]
    tokens = {token: {"id": token, "ids": [id], "tokens": [token]} for token, id in ids.items()}
    return {"type": "TemplateProcessing", "single": frame, "pair": [*frame, {"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": tokens}


def config(**values: object) -> dict[str, bytes]:
    return {"tokenizer_config.json": to_json(values)}


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def added_token(content: str, **flags: bool) -> dict[str, object]:
    defaults = {"lstrip": False, "normalized": not flags.get("special", False), "rstrip": False, "single_word": False, "special": False}
    return {"content": content, **defaults, **flags}


RULES = {
    "\t": " ", "\n": " ", "\r": " ", "\xa0": " ", "\u3000": " ", "\u2028": " ", "\xad": "", "\u200b": "", "ﬁ": "fi", "ﬃ": "ffi", "Å": "Å", "e\u0301": "é",
    "e\u0323\u0302": "ệ", "½": "1⁄2", "²": "2", "…": "...", "①": "1", "㎏": "kg", "ﷺ": "صلى الله عليه وسلم", "👍🏽": "👍",
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}  # fmt: skip


def word_pieces(lowercase: bool, special: list[str] | None = None) -> bytes:
    """The characters and the most frequent beginnings and inner parts of words; the library's trainer breaks ties at random."""
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    special = special or ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    counts: Counter[str] = Counter()
    for sentence in SENTENCES:
        for word, _ in BertPreTokenizer().pre_tokenize_str(BertNormalizer(lowercase=lowercase).normalize_str(sentence)):
            parts = {(start, end) for start in range(len(word)) for end in range(start + 1, min(start + 6, len(word)) + 1)}
            counts.update(("" if start == 0 else "##") + word[start:end] for start, end in parts)
    characters = {piece for piece in counts if len(piece.removeprefix("##")) == 1}
    longer = sorted(set(counts) - characters, key=lambda piece: (-counts[piece] * len(piece), piece))
    return "".join(f"{piece}\n" for piece in [*special, *sorted(characters), *longer[:500]]).encode()


def byte_level(special: list[str]) -> dict[str, bytes]:
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(training_text(), vocab_size=700, min_frequency=2, special_tokens=special, show_progress=False)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_model(folder)
        return {name: (Path(folder) / name).read_bytes() for name in ("vocab.json", "merges.txt")}


def sentence_piece(**options: object) -> bytes:
    import sentencepiece

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text("\n".join(training_text()), encoding="utf-8")
        prefix = os.path.join(folder, "model")
        if rules := options.pop("normalization_rule_tsv", None):
            table = Path(folder) / "rules.tsv"
            table.write_text("".join(f"{hexes(source)}\t{hexes(target)}\n" for source, target in rules.items()))
            options = {**options, "normalization_rule_name": "user_defined", "normalization_rule_tsv": str(table)}
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=prefix, minloglevel=2, num_threads=1, hard_vocab_limit=False, **options
        )
        return without_paths(Path(f"{prefix}.model").read_bytes())


def hexes(text: str) -> str:
    return " ".join(f"{ord(character):X}" for character in text)


def without_paths(model: bytes) -> bytes:
    """The trainer writes the names of its temporary files into the model."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    proto.trainer_spec.ClearField("input")
    proto.trainer_spec.ClearField("model_prefix")
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    return proto.SerializeToString(deterministic=True)


def phobert_files() -> tuple[bytes, bytes]:
    """vocab.txt and bpe.codes as fastBPE writes them: `left right count` lines, the last symbol of a word ends in </w>."""
    counts = Counter(word for sentence in SENTENCES for word in sentence.split())
    spelled = {word: (*word[:-1], word[-1] + "</w>") for word in words()}
    codes = []
    for _ in range(500):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, symbols in spelled.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        (left, right), count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        codes.append(f"{left} {right} {count}")
        spelled = {word: merge(symbols, left, right) for word, symbols in spelled.items()}
    pieces: Counter[str] = Counter()
    for word, symbols in spelled.items():
        for symbol in symbols:
            pieces[symbol[:-4] if symbol.endswith("</w>") else symbol + "@@"] += counts[word]
    vocab = [f"{piece} {count}" for piece, count in sorted(pieces.items(), key=lambda item: (-item[1], item[0]))]
    return "".join(line + "\n" for line in vocab).encode(), "".join(line + "\n" for line in codes).encode()


def merge(symbols: tuple[str, ...], left: str, right: str) -> tuple[str, ...]:
    merged: list[str] = []
    for symbol in symbols:
        if merged and merged[-1] == left and symbol == right:
            merged[-1] = left + right
        else:
            merged.append(symbol)
    return tuple(merged)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    write_golden()
