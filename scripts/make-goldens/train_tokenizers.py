"""Small vocabularies of every kind, the same at every run."""

import os
import tempfile
from collections import Counter
from pathlib import Path

from odd_strings import SENTENCES, training_text, words

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
