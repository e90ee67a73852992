"""The openai package, unmodified, against the gateway."""

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from .support import KEY, FakeModel, Gateway, answer, stream

WHOLE = (
    b'{"id": "1", "object": "chat.completion", "created": 1, "model": "a", "choices": [{"index": 0,'
    b' "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello there"}}]}'
)
EVENTS = [
    b'data: {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "a",'
    b' "choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % word
    for word in (b"Hello", b" there")
]
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key=KEY, max_retries=0) as client:
        yield client


async def test_a_completion(client: openai.AsyncOpenAI, model: FakeModel) -> None:
    model.script = [answer(body=WHOLE)]
    completion = await client.chat.completions.create(model="chat", messages=MESSAGES)
    assert completion.choices[0].message.content == "Hello there"


async def test_a_stream(client: openai.AsyncOpenAI, model: FakeModel) -> None:
    gate = asyncio.Event()
    model.script = [stream(*EVENTS, b"data: [DONE]\n\n", gate=gate)]
    words = []
    async for chunk in await client.chat.completions.create(model="chat", messages=MESSAGES, stream=True):
        words.append(chunk.choices[0].delta.content)
        gate.set()
    assert words == ["Hello", " there"]


async def test_a_broken_stream_is_an_error_for_it(client: openai.AsyncOpenAI, model: FakeModel) -> None:
    model.script = [stream(*EVENTS, broken=True)]
    chunks = await client.chat.completions.create(model="a", messages=MESSAGES, stream=True)
    words = [(await anext(chunks)).choices[0].delta.content for _ in EVENTS]
    assert words == ["Hello", " there"]
    with pytest.raises(openai.APIConnectionError):
        await anext(chunks)


async def test_models(client: openai.AsyncOpenAI) -> None:
    assert [card.id async for card in client.models.list()] == ["a", "b", "chat"]
    assert (await client.models.retrieve("chat")).owned_by == "team"


async def test_errors(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model="nix", messages=MESSAGES)
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.AuthenticationError) as refused:
        await client.with_options(api_key="wrong").models.list()
    assert refused.value.code == "invalid_api_key"
