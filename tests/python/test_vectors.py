"""The numbers: equal to the reference alone, in a batch and while other requests run."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openai
from conftest import MODEL, Goldens


def embed(client: openai.OpenAI, texts: list[str]) -> np.ndarray:
    answer = client.embeddings.create(model=MODEL, input=texts)
    return np.asarray([item.embedding for item in answer.data], np.float32)


def test_all_golden_texts_in_one_request_equal_the_reference(client: openai.OpenAI, goldens: Goldens):
    answer = client.embeddings.create(model=MODEL, input=goldens.texts)
    goldens.assert_equal([item.embedding for item in answer.data])
    assert answer.usage.prompt_tokens == sum(goldens.tokens)


def test_each_text_alone_equals_itself_in_a_batch(client: openai.OpenAI, goldens: Goldens):
    batch = embed(client, goldens.texts)
    alone = np.concatenate([embed(client, [text]) for text in goldens.texts])
    goldens.assert_equal(alone)
    assert np.abs(alone - batch).max() <= 1e-6


def test_texts_keep_their_vectors_under_concurrent_load(client: openai.OpenAI, goldens: Goldens):
    """24 threads, requests of 1 to 40 texts in random order, some texts in several requests at once."""
    alone = embed(client, goldens.texts)
    random = np.random.default_rng(7)
    short = [row for row, count in enumerate(goldens.tokens) if count <= 64]
    asks = [random.choice(short, size=random.integers(1, 40)).tolist() for _ in range(120)]
    asks[::20] = [list(range(len(goldens.texts)))[::-1]] * len(asks[::20])
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda rows: embed(client, [goldens.texts[row] for row in rows]), asks))
    for rows, vectors in zip(asks, answers, strict=True):
        goldens.assert_equal(vectors, rows)
        assert np.abs(vectors - alone[rows]).max() <= 1e-6


def test_texts_with_close_meanings_are_closer_than_others(client: openai.OpenAI):
    question, answer, other = embed(
        client,
        [
            "How do I reset the password of my account?",
            "To reset your password, open the settings page and choose 'Forgot password'.",
            "Photosynthesis converts light energy into chemical energy stored in sugars.",
        ],
    )
    assert question @ answer > question @ other + 0.3
