"""Makes texts.jsonl: real English texts of mixed length for the benchmark.

The texts are paragraphs of the Python 3.11 language reference, as CPython ships it in the module
pydoc_data.topics (Copyright Python Software Foundation, PSF License Version 2). Whitespace is
normalised and the quotes around literals are kept; nothing else is changed.

    python3.11 bench/make-texts.py TOKENIZER_JSON > bench/texts.jsonl

TOKENIZER_JSON is the tokenizer.json of all-MiniLM-L6-v2; it only decides what is too long.
Needs the PyPI package `tokenizers`. The same input gives the same bytes. With another Python version
the documentation, and so the corpus, differs: numbers are then not comparable.
"""

import hashlib
import json
import re
import sys
from pydoc_data import topics

from tokenizers import Tokenizer

MIN_TOKENS, MAX_TOKENS = 5, 240  # every peer keeps at least 256 tokens, so nobody cuts a text
COUNT = 1200
SHORT, LONG = 230, 130  # single sentences, and neighbouring paragraphs joined; the rest are paragraphs


def main() -> None:
    assert sys.version_info[:2] == (3, 11), "the corpus is defined by the documentation of Python 3.11"
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def fits(text: str) -> bool:
        return MIN_TOKENS <= len(tokenizer.encode(text).ids) <= MAX_TOKENS

    singles, joined = [], []
    for name in sorted(topics.topics):
        paragraphs = [p for p in split(topics.topics[name]) if is_prose(p)]
        singles += paragraphs
        joined += [" ".join(paragraphs[i : i + size]) for size in (2, 3) for i in range(0, len(paragraphs), size)]
    sentences = [s for p in singles for s in re.split(r"(?<=[.?!]) (?=[A-Z])", p) if len(s) < 110]

    texts: dict[str, None] = {}  # keeps order, drops repeats: some topics share whole sections
    for candidates, count in ((sentences, SHORT), (joined, LONG), (singles, COUNT - SHORT - LONG)):
        wanted = len(texts) + count
        longest_first = candidates is joined
        for text in pick(candidates, longest_first):
            if len(texts) == wanted:
                break
            if is_prose(text) and fits(text):
                texts.setdefault(text)
    assert len(texts) == COUNT, f"only {len(texts)} texts"
    for text in sorted(texts, key=by_hash):
        print(json.dumps({"text": text}, ensure_ascii=False))


def split(topic: str) -> list[str]:
    return [" ".join(p.split()) for p in re.split(r"\n\s*\n", topic)]


def is_prose(text: str) -> bool:
    """Sentences, not grammar, code, headings or tables."""
    if not re.match(r'["“(]?[A-Z]', text) or text[-1] not in ".:?!)":
        return False
    if "::=" in text or ">>>" in text or "***" in text or "===" in text or "---" in text or "+--" in text:
        return False
    letters = sum(c.isalpha() or c == " " for c in text)
    return letters >= 0.8 * len(text)


def pick(texts: list[str], longest_first: bool) -> list[str]:
    """A fixed shuffle; for the joined ones those above 600 characters come first, as the corpus lacks long texts."""
    return sorted(texts, key=lambda t: (longest_first and len(t) < 600, by_hash(t)))


def by_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


main()
