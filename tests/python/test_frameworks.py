"""LangChain and LlamaIndex, as their users call them."""

import numpy as np
import openai
import pytest
from conftest import MODEL, Goldens
from langchain_openai import OpenAIEmbeddings
from llama_index.embeddings.openai_like import OpenAILikeEmbedding


def langchain(root: str, api_key: str) -> OpenAIEmbeddings:
    # Otherwise it sends token ids of OpenAI's tokenizer: test_langchain_tokens.py.
    return OpenAIEmbeddings(model=MODEL, base_url=f"{root}/v1", api_key=api_key, check_embedding_ctx_length=False)


def test_langchain_embeds_the_golden_texts(root: str, api_key: str, goldens: Goldens):
    goldens.assert_equal(langchain(root, api_key).embed_documents(goldens.texts))


def test_langchain_embeds_more_documents_than_one_request_holds(root: str, api_key: str):
    documents = [f"Document number {number} is about topic {number % 7}." for number in range(1200)]
    embeddings = langchain(root, api_key)
    vectors = np.asarray(embeddings.embed_documents(documents), np.float32)
    assert vectors.shape == (1200, 384)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    for number in (0, 999, 1000, 1199):
        assert np.abs(np.asarray(embeddings.embed_query(documents[number]), np.float32) - vectors[number]).max() <= 1e-6


def test_token_ids_of_another_tokenizer_are_refused_with_the_way_out(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        client.embeddings.create(model=MODEL, input=[[100257, 15339]])  # ids of OpenAI's cl100k_base


def test_llama_index_embeds_the_golden_texts(root: str, api_key: str, goldens: Goldens):
    embedding = OpenAILikeEmbedding(model_name=MODEL, api_base=f"{root}/v1", api_key=api_key, embed_batch_size=10)
    texts = [text for text in goldens.texts if text.strip()]  # it replaces line ends and refuses what is then empty
    rows = [goldens.texts.index(text) for text in texts if "\n" not in text]
    goldens.assert_equal(embedding.get_text_embedding_batch([goldens.texts[row] for row in rows]), rows)
    fox = goldens.texts.index("fox")
    goldens.assert_equal([embedding.get_query_embedding("fox")], [fox])
