"""The official client, unmodified."""

import asyncio
import base64

import numpy as np
import openai
import pytest
from conftest import MODEL, Goldens

FOX = "The quick brown fox jumps over the lazy dog"


def test_default_encoding_which_is_base64_gives_the_reference(client: openai.OpenAI, goldens: Goldens):
    row = goldens.texts.index(FOX)
    answer = client.embeddings.create(model=MODEL, input=FOX)
    goldens.assert_equal([answer.data[0].embedding], [row])
    assert answer.object == "list" and answer.model == MODEL
    assert answer.data[0].object == "embedding" and answer.data[0].index == 0
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == goldens.tokens[row]


def test_float_and_base64_hold_the_same_numbers(client: openai.OpenAI):
    floats = client.embeddings.create(model=MODEL, input=[FOX, "hello"], encoding_format="float")
    packed = client.embeddings.create(model=MODEL, input=[FOX, "hello"], encoding_format="base64")
    assert [item.index for item in floats.data] == [0, 1]
    for a, b in zip(floats.data, packed.data, strict=True):
        assert isinstance(b.embedding, str)
        unpacked = np.frombuffer(base64.b64decode(b.embedding, validate=True), "<f4")
        assert np.abs(np.asarray(a.embedding, np.float32) - unpacked).max() <= 1e-6
        assert np.linalg.norm(unpacked) == pytest.approx(1, abs=1e-5)


def test_dimensions_are_a_plain_slice(client: openai.OpenAI):
    whole = client.embeddings.create(model=MODEL, input=FOX).data[0].embedding
    for dimensions in (1, 64, 384):
        part = client.embeddings.create(model=MODEL, input=FOX, dimensions=dimensions, user="someone").data[0].embedding
        assert np.abs(np.subtract(part, whole[:dimensions])).max() <= 1e-6


def test_token_ids_give_the_vector_of_their_text(client: openai.OpenAI, goldens: Goldens):
    rows = [goldens.texts.index(FOX), goldens.texts.index("hello")]
    one = client.embeddings.create(model=MODEL, input=goldens.ids[rows[0]])
    goldens.assert_equal([one.data[0].embedding], rows[:1])
    two = client.embeddings.create(model=MODEL, input=[goldens.ids[row] for row in rows])
    goldens.assert_equal([item.embedding for item in two.data], rows)
    assert two.usage.prompt_tokens == sum(goldens.tokens[row] for row in rows)


def test_models_are_listed_and_retrieved_by_an_id_with_a_slash(client: openai.OpenAI):
    assert MODEL in [model.id for model in client.models.list()]
    model = client.models.retrieve(MODEL)
    assert (model.id, model.object) == (MODEL, "model")
    assert isinstance(model.created, int) and model.owned_by


def test_an_unknown_model_is_not_found(client: openai.OpenAI):
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="nobody/nothing", input="x")
    error = caught.value
    assert (error.code, error.param, error.type) == ("model_not_found", "model", "invalid_request_error")
    assert error.request_id and "nobody/nothing" in error.message
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody/nothing")
    assert caught.value.code == "model_not_found"


BAD_REQUESTS = [
    ({"input": ""}, "input"),
    ({"input": []}, "input"),
    ({"input": ["a", ""]}, "input[1]"),
    ({"input": ["a", 1]}, "input[1]"),
    ({"input": [[1, 2], []]}, "input[1]"),
    ({"input": [1, -1]}, "input[1]"),
    ({"input": [[101, 102], [101, 30522]]}, "input[1]"),
    ({"input": ["x"] * 2049}, "input"),
    ({"input": {"a": 1}}, "input"),
    ({"input": "x", "encoding_format": "md5"}, "encoding_format"),
    ({"input": "x", "dimensions": 0}, "dimensions"),
    ({"input": "x", "dimensions": 385}, "dimensions"),
    ({"input": "x", "dimensions": "64"}, "dimensions"),
]


@pytest.mark.parametrize(("fields", "param"), BAD_REQUESTS, ids=[str(fields)[:40] for fields, _ in BAD_REQUESTS])
def test_a_bad_request_names_the_parameter_at_fault(client: openai.OpenAI, fields: dict, param: str):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=MODEL, **fields)
    error = caught.value
    assert (error.param, error.type) == (param, "invalid_request_error")
    assert set(error.body) == {"message", "type", "param", "code"} and error.message
    assert error.request_id


def test_a_text_over_the_length_of_the_model_is_refused_in_the_words_of_openai(client: openai.OpenAI, goldens: Goldens):
    with pytest.raises(openai.BadRequestError, match="maximum context length is 512 tokens, however you requested 513") as caught:
        client.embeddings.create(model=MODEL, input=["short", goldens.overlong[0]])
    assert caught.value.param in ("input[1]", None) and caught.value.code is None


def test_the_client_can_name_its_request(client: openai.OpenAI):
    answer = client.embeddings.with_raw_response.create(
        model=MODEL, input=FOX, extra_headers={"X-Client-Request-Id": "my-request-7"}
    )
    assert answer.headers["x-request-id"] == "my-request-7"
    assert int(answer.headers["openai-processing-ms"]) >= 0


def test_the_azure_client_works(root: str, api_key: str, goldens: Goldens):
    azure = openai.AzureOpenAI(azure_endpoint=root, api_key=api_key, api_version="2024-10-21", max_retries=0)
    answer = azure.embeddings.create(model=MODEL, input=FOX)
    goldens.assert_equal([answer.data[0].embedding], [goldens.texts.index(FOX)])


def test_the_asynchronous_client_works(root: str, api_key: str, goldens: Goldens):
    async def ask() -> list[list[float]]:
        async with openai.AsyncOpenAI(base_url=f"{root}/v1", api_key=api_key, max_retries=0) as client:
            asks = [client.embeddings.create(model=MODEL, input=text) for text in goldens.texts[:16]]
            return [answer.data[0].embedding for answer in await asyncio.gather(*asks)]

    goldens.assert_equal(asyncio.run(ask()), list(range(16)))
