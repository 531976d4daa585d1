"""LangChain as it is without check_embedding_ctx_length=False: it sends ids of OpenAI's cl100k_base, cut at embedding_ctx_length."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openai
import pytest
import tiktoken
import tiktoken.load
from conftest import MODEL, Goldens
from langchain_openai import OpenAIEmbeddings

ALIAS = "minilm-for-langchain"  # token_ids=tiktoken, a line that tests/e2e.sh adds
RANKS = Path(__file__).resolve().parents[2] / "node_modules/js-tiktoken/dist/ranks/cl100k_base.js"
MIXED = "Der Fuchs 🦊 springt über 日本語の文章 und läuft 🫠👩‍👩‍👧‍👦 weiter. The quick brown fox jumps over the lazy dog.\n"


@pytest.fixture(scope="module", autouse=True)
def alias(client: openai.OpenAI) -> None:
    if ALIAS not in [model.id for model in client.models.list()]:
        pytest.skip(f"the service has no {ALIAS}: tests/e2e.sh adds it to the allowlist")


@pytest.fixture(scope="module", autouse=True)
def encoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tiktoken.Encoding]:
    """tiktoken downloads its tokens on first use. Those of js-tiktoken are the same: it checks the hash itself."""
    ranks = json.loads(RANKS.read_text().removeprefix("export default ").rstrip().removesuffix(";"))["bpe_ranks"]
    rows: list[tuple[int, str]] = []
    for line in filter(None, ranks.split("\n")):
        _, offset, *tokens = line.split(" ")
        rows += enumerate(tokens, int(offset))
    file = "".join(f"{token} {rank}\n" for rank, token in sorted(rows)).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path_factory.mktemp("tiktoken")))
        patch.setattr(tiktoken.load, "read_file", lambda _path: file)
        yield tiktoken.get_encoding("cl100k_base")


def langchain(root: str, api_key: str, **options: object) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(**{"model": ALIAS, "base_url": f"{root}/v1", "api_key": api_key, "max_retries": 0, **options})


def embed(client: openai.OpenAI, texts: list[str]) -> np.ndarray:
    answer = client.embeddings.create(model=MODEL, input=texts)
    return np.asarray([item.embedding for item in answer.data], np.float32)


def assert_same(got: object, wanted: np.ndarray) -> None:
    assert np.asarray(got).shape == wanted.shape
    assert float(np.abs(np.asarray(got, np.float32) - wanted).max()) <= 1e-6


def test_documents_and_queries_have_the_vectors_of_their_text(root: str, api_key: str, client: openai.OpenAI, goldens: Goldens):
    wanted = embed(client, goldens.texts)
    embeddings = langchain(root, api_key)
    assert_same(embeddings.embed_documents(goldens.texts), wanted)
    goldens.assert_equal(embeddings.embed_documents(goldens.texts))
    for row in (0, len(goldens.texts) - 1):
        assert_same(embeddings.embed_query(goldens.texts[row]), wanted[row])
    assert_same(asyncio.run(embeddings.aembed_documents(goldens.texts[:8])), wanted[:8])


def test_a_line_without_the_word_refuses_the_same_ids_and_names_both_ways_out(root: str, api_key: str):
    embeddings = langchain(root, api_key, model=MODEL)
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False.*token_ids=tiktoken"):
        embeddings.embed_documents([MIXED])


def test_a_long_text_is_the_average_of_its_pieces_even_where_they_cut_characters(
    root: str, api_key: str, client: openai.OpenAI, encoding: tiktoken.Encoding
):
    texts = [MIXED * 20, "short", MIXED * 3]
    length = 61  # of no meaning, so that pieces end anywhere
    wanted = []
    cut = 0
    for text in texts:
        ids = encoding.encode_ordinary(text)
        pieces = [ids[at : at + length] for at in range(0, len(ids), length)]
        decoded = [encoding.decode(piece, errors="replace") for piece in pieces]
        cut += sum("\ufffd" in piece for piece in decoded)
        vectors = embed(client, decoded).astype(np.float64)
        mean = np.average(vectors, axis=0, weights=[len(piece) for piece in pieces])
        wanted.append(vectors[0] if len(pieces) == 1 else mean / np.linalg.norm(mean))
    assert cut > 0
    embeddings = langchain(root, api_key, embedding_ctx_length=length)
    assert_same(embeddings.embed_documents(texts), np.asarray(wanted, np.float32))


def test_a_piece_that_is_too_long_for_the_model_is_refused_in_the_words_of_openai(root: str, api_key: str):
    with pytest.raises(openai.BadRequestError, match="maximum context length is 512 tokens"):
        langchain(root, api_key).embed_query("word " * 600)


def test_more_documents_than_one_request_holds(root: str, api_key: str, client: openai.OpenAI):
    documents = [f"Document number {number} is about topic {number % 7}." for number in range(1200)]
    vectors = np.asarray(langchain(root, api_key).embed_documents(documents), np.float32)
    assert vectors.shape == (1200, 384)
    rows = [0, 999, 1000, 1199]
    assert_same(vectors[rows], embed(client, [documents[row] for row in rows]))
