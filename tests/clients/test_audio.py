"""The openai package's audio: a form with a file goes up, what the model hears in it comes back."""

import io
import math
import struct
import wave
from typing import Any

import httpx
import openai
import pytest

ASK: dict[str, Any] = {
    "model": "listener",
    "language": "en",
    "temperature": 0,
    "extra_body": {"max_completion_tokens": 12},
}


def tone(hertz: float) -> bytes:
    """A second of a tone, as a WAV file."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        samples = (int(9000 * math.sin(2 * math.pi * hertz * n / 16000)) for n in range(16000))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return sound.getvalue()


def heard(engine: str, sound: bytes, path: str = "transcriptions") -> str:
    """What the engine itself hears, asked past the gateway."""
    form = {key: str(value) for key, value in (ASK | ASK["extra_body"]).items() if key != "extra_body"}
    answer = httpx.post(f"{engine}/v1/audio/{path}", data=form, files={"file": ("tone.wav", sound)}, timeout=60)
    return str(answer.raise_for_status().json()["text"])


def test_transcriptions(client: openai.OpenAI, models: dict[str, str]) -> None:
    texts = [client.audio.transcriptions.create(file=("tone.wav", tone(hertz)), **ASK).text for hertz in (220, 3000)]
    assert texts == [heard(models["listener"], tone(hertz)) for hertz in (220, 3000)]
    assert texts[0] != texts[1], "the sound does not matter"
    assert all(texts)


def test_a_streamed_transcription(client: openai.OpenAI, models: dict[str, str]) -> None:
    events: Any = client.audio.transcriptions.create(file=("tone.wav", tone(220)), stream=True, **ASK)
    pieces = [event.choices[0]["delta"].get("content", "") for event in events if event.choices]
    assert "".join(pieces) == heard(models["listener"], tone(220))
    assert len(pieces) > 1


def test_translations(client: openai.OpenAI, models: dict[str, str]) -> None:
    ask = {key: value for key, value in ASK.items() if key != "language"}
    ask["extra_body"] = ASK["extra_body"] | {"language": "en"}
    text = client.audio.translations.create(file=("tone.wav", tone(220)), **ask).text
    assert text == heard(models["listener"], tone(220), "translations")


def test_errors(client: openai.OpenAI) -> None:
    sound = ("tone.wav", tone(220))
    with pytest.raises(openai.NotFoundError) as unknown:
        client.audio.transcriptions.create(file=sound, **ASK | {"model": "swan"})
    assert unknown.value.code == "model_not_found"
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)) as other:
        client.audio.transcriptions.create(file=sound, **ASK | {"model": "sparrow"})
    assert "listener" in other.value.message
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").audio.transcriptions.create(file=sound, **ASK)
    with pytest.raises(openai.BadRequestError, match="audio file"):
        client.audio.transcriptions.create(file=("tone.wav", b"not a sound"), **ASK)
