"""Makes retrieval.json: a small real retrieval corpus, headings that look for the paragraphs of their section.

The texts are from the Python 3.11 language reference, as CPython ships it in the module pydoc_data.topics
(Copyright Python Software Foundation, PSF License Version 2). Whitespace is normalised; nothing else is changed.
Each query is the heading of a section. Relevant are the paragraphs of prose right below it, eight at most; a paragraph
that several sections have is relevant to each.

    python3.11 bench/make-retrieval.py > bench/retrieval.json

The same Python gives the same bytes.
"""

import json
import re
import sys
from pydoc_data import topics

MIN_CHARACTERS, MAX_CHARACTERS = 60, 900  # shorter says too little, longer may be over 240 tokens
MAX_PARAGRAPHS = 8
HEADING = re.compile(r"^(\S[^\n]*)\n([*=\-])\2{2,}$", re.MULTILINE)


def main() -> None:
    assert sys.version_info[:2] == (3, 11), "the corpus is defined by the documentation of Python 3.11"
    documents: dict[str, int] = {}
    relevant: dict[str, list[int]] = {}
    for name in sorted(topics.topics):
        for heading, paragraphs in split(topics.topics[name]):
            for paragraph in paragraphs[:MAX_PARAGRAPHS]:
                index = documents.setdefault(paragraph, len(documents))
                found = relevant.setdefault(heading, [])
                if index not in found:
                    found.append(index)
    queries = [{"text": heading, "relevant": found} for heading, found in relevant.items()]
    json.dump({"documents": list(documents), "queries": queries}, sys.stdout, ensure_ascii=False, indent=0)
    print()


def split(topic: str) -> list[tuple[str, list[str]]]:
    """Each heading with the prose between it and the next."""
    marks = list(HEADING.finditer(topic))
    ends = [mark.start() for mark in marks[1:]] + [len(topic)]
    return [
        (mark[1], [p for p in to_paragraphs(topic[mark.end() : end]) if is_prose(p)]) for mark, end in zip(marks, ends)
    ]


def to_paragraphs(section: str) -> list[str]:
    return [" ".join(p.split()) for p in re.split(r"\n\s*\n", section)]


def is_prose(text: str) -> bool:
    """Sentences, not grammar, code or tables."""
    if not MIN_CHARACTERS <= len(text) <= MAX_CHARACTERS:
        return False
    if not re.match(r'["“(]?[A-Z]', text) or text[-1] not in ".:?!)":
        return False
    if "::=" in text or ">>>" in text or "+--" in text:
        return False
    return sum(c.isalpha() or c == " " for c in text) >= 0.8 * len(text)


main()
