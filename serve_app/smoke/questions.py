"""What the smoke test asks: one question for each kind of model, and what an answer has to have."""

import io
import wave
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp
import orjson

_CHAT = {
    "messages": [{"role": "user", "content": "Who are you?"}],
    "temperature": 0,
    "seed": 0,
    "max_tokens": 32,
}
_TEXTS = {"text_1": "Who are you?", "text_2": ["I am a bird.", "It rains."]}
_NOT_YET = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


class SmokeError(Exception):
    """A check that failed, in one sentence."""


class NotYetError(SmokeError):
    """A check that may succeed later: what it asks may still be starting."""


class Listed(NamedTuple):
    """What the list of models says of a name."""

    task: str
    is_route: bool
    """Then two requests may go to two models."""


class Questions:
    """Asks one gateway; each question raises SmokeError where the answer is not one."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Asks nothing yet.

        Args:
            session: With the key among its headers.
            url: The gateway.
        """
        self._session = session
        self._url = url.rstrip("/")

    async def health(self) -> str:
        """Whether the gateway is there."""
        async with self._session.get(f"{self._url}/healthz") as response:
            await _refuse_errors(response)
            return (await response.text()).strip()

    async def is_refused(self) -> str:
        """Whether the gateway asks for a key."""
        async with self._session.get(f"{self._url}/v1/models") as response:
            if response.status != HTTPStatus.UNAUTHORIZED:
                raise SmokeError(f"a request without a key got HTTP {response.status} where 401 belongs")
            return "401"

    async def models(self) -> dict[str, Listed]:
        """The names that the gateway lists."""
        async with self._session.get(f"{self._url}/v1/models") as response:
            content = await _json(response)
        return {
            card["id"]: Listed(card.get("task") or "generate", is_route=card.get("backends") is not None)
            for card in content["data"]
        }

    async def chat(self, model: str) -> str:
        """The text of a chat completion."""
        async with self._post("chat/completions", {"model": model, **_CHAT}) as response:
            content = await _json(response)
        return _said(content["choices"][0]["message"]["content"])

    async def streamed_chat(self, model: str) -> str:
        """The same, streamed."""
        async with self._post("chat/completions", {"model": model, "stream": True, **_CHAT}) as response:
            await _refuse_errors(response)
            lines = (await response.read()).splitlines()
        events = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
        if not events or events[-1] != b"[DONE]":
            raise SmokeError("the stream has no end")
        choices = [choice for event in events[:-1] for choice in orjson.loads(event).get("choices", [])]
        return _said("".join(choice["delta"].get("content") or "" for choice in choices))

    async def embedding(self, model: str) -> str:
        """How long an embedding is."""
        async with self._post("embeddings", {"model": model, "input": _TEXTS["text_1"]}) as response:
            vector = (await _json(response))["data"][0]["embedding"]
        if not vector or not any(vector):
            raise SmokeError("the embedding is empty")
        return f"{len(vector)} numbers"

    async def score(self, model: str) -> str:
        """The scores of two texts."""
        async with self._post("score", {"model": model, **_TEXTS}) as response:
            scores = [row["score"] for row in (await _json(response))["data"]]
        if len(scores) != len(_TEXTS["text_2"]):
            raise SmokeError(f"{len(_TEXTS['text_2'])} texts got {len(scores)} scores")
        return ", ".join(f"{score:.2f}" for score in scores)

    async def transcription(self, model: str) -> str:
        """The text of a second of silence: whatever it is, somebody has listened."""
        form = aiohttp.FormData()
        form.add_field("model", model)
        form.add_field("file", _silence(), filename="silence.wav", content_type="audio/wav")
        async with self._session.post(f"{self._url}/v1/audio/transcriptions", data=form) as response:
            return repr((await _json(response))["text"])

    def _post(self, path: str, question: dict[str, Any]) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.post(f"{self._url}/v1/{path}", json=question)


def _silence() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(2 * 16000))
    return file.getvalue()


def _said(text: str | None) -> str:
    if not text or not text.strip():
        raise SmokeError("the answer is empty")
    return text


async def _refuse_errors(response: aiohttp.ClientResponse) -> None:
    if response.status != HTTPStatus.OK:
        text = " ".join((await response.text()).split())[:300]
        kind = NotYetError if response.status in _NOT_YET else SmokeError
        raise kind(f"HTTP {response.status}: {text}")


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    await _refuse_errors(response)
    content: dict[str, Any] = orjson.loads(await response.read())
    return content
