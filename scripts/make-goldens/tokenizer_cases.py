"""The tokenizers of the goldens: which files each folder has, and the class of transformers that reads them."""

import json
import tempfile
from pathlib import Path

from train_tokenizers import RULES, byte_level, phobert_files, sentence_piece, word_pieces


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


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).write_bytes(content)
