import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from serve_app.smoke import __main__ as smoke

from ..gateway.support import KEY, FakeModel, Gateway, Handler, answer, config_for, running_gateway


def speaking(whole: str, streamed: str | None = None, *, end: bool = True) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not (await request.json()).get("stream"):
            return web.json_response({"choices": [{"message": {"content": whole}}]})
        words = (whole if streamed is None else streamed).split(" ")
        pieces = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
        lines = [f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n" for piece in pieces]
        return web.Response(text="".join(lines) + ("data: [DONE]\n\n" if end else ""))

    return handle


async def run(gateway: Gateway, folder: Path, *arguments: str) -> int:
    key = folder / "key"
    key.write_text(KEY + "\n")
    return await asyncio.to_thread(smoke.main, ["--url", gateway.url + "/", "--api-key-file", str(key), *arguments])


async def test_all_models_are_asked(
    gateway: Gateway, model: FakeModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.script = [speaking("I am a bird")]
    assert await run(gateway, tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [
        "list models",
        *(f"{name}: {how}" for name in ("a", "b", "chat") for how in ("chat completion", "streamed")),
    ]
    assert [line.split(": '")[0].split(": a,")[0] for line in lines] == [f"ok  {name}" for name in names]
    assert all(line.endswith(" ms)") for line in lines)


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (speaking("one two", "one three"), "a: the streamed text 'one three' is not the whole one 'one two'"),
        (speaking(" "), "the answer is empty"),
        (speaking("one", end=False), "the stream has no end"),
        (answer(400, b'{"detail": "no"}'), 'HTTP 400: {"error":{"message":"no"'),
    ],
)
async def test_what_fails(
    gateway: Gateway,
    model: FakeModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    handler: Handler,
    sentence: str,
) -> None:
    model.script = [handler]
    assert await run(gateway, tmp_path, "--model", "a") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAILED: ")
    assert sentence in last


async def test_a_model_that_is_not_listed(gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(gateway, tmp_path, "--model", "nix") == 1
    assert "FAILED: the gateway does not list nix, but a, b, chat" in capsys.readouterr().out


async def test_starting_models_are_waited_for(
    model: FakeModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke, "PROGRESS_SECONDS", 0)
    model.script = [answer(503, b"starting"), speaking("up")]
    async with running_gateway(tmp_path, config_for(model.url, retry={"windowSeconds": 0})) as gateway:
        assert await run(gateway, tmp_path, "--model", "a", "--wait", "60") == 0
    assert "..  a: chat completion: waiting since 0 s: HTTP 503" in capsys.readouterr().out


async def test_waiting_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_for("http://127.0.0.1:1/models/a", retry={"windowSeconds": 0})
    async with running_gateway(tmp_path, config) as gateway:
        assert await run(gateway, tmp_path, "--model", "a") == 1
    assert "FAILED: a: chat completion: HTTP 503" in capsys.readouterr().out


def gateway_with(task: str, path: str, content: object) -> Handler:
    """A gateway that has one model, and answers at one path."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/v1/models"):
            return web.json_response({"data": [{"id": "m", "task": task}]})
        return web.json_response(content) if request.path.endswith(path) else web.Response(status=404, text="no")

    return handle


ANSWERS: list[tuple[str, str, object, str]] = [
    ("embed", "/v1/embeddings", {"data": [{"embedding": [0.5, 0.25]}]}, "ok  m: embedding: 2 numbers"),
    ("score", "/v1/score", {"data": [{"score": 0.5}, {"score": -1}]}, "ok  m: scores: 0.50, -1.00"),
    ("transcribe", "/v1/audio/transcriptions", {"text": ""}, "ok  m: transcription: ''"),
]
NO_ANSWERS: list[tuple[str, str, object, str]] = [
    ("embed", "/v1/embeddings", {"data": [{"embedding": [0.0, 0.0]}]}, "FAILED: the embedding is empty"),
    ("score", "/v1/score", {"data": [{"score": 0.5}]}, "FAILED: 2 texts got 1 scores"),
    ("transcribe", "/v1/chat/completions", {}, "FAILED: HTTP 404: no"),
]


@pytest.mark.parametrize(("task", "path", "content", "says"), ANSWERS + NO_ANSWERS)
async def test_a_model_is_asked_what_it_is_for(
    model: FakeModel, capsys: pytest.CaptureFixture[str], task: str, path: str, content: object, says: str
) -> None:
    model.script = [gateway_with(task, path, content)]
    status = await asyncio.to_thread(smoke.main, ["--url", model.url])
    assert capsys.readouterr().out.splitlines()[-1].startswith(says)
    assert status == (0 if says.startswith("ok") else 1)


async def test_a_transcription_gets_sound(model: FakeModel) -> None:
    model.script = [gateway_with("transcribe", "/v1/audio/transcriptions", {"text": "hm"})]
    assert await asyncio.to_thread(smoke.main, ["--url", model.url]) == 0
    assert b"RIFF" in model.seen[-1].body
    assert b'name="model"\r\n\r\nm\r\n' in model.seen[-1].body


async def test_without_a_key_only_the_question_for_one_is_checked(
    gateway: Gateway, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(smoke.main, ["--url", gateway.url, "--no-key"]) == 0
    assert [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "ok  health",
        "ok  a key is asked for",
    ]
    assert not model.seen


async def test_an_open_gateway_is_told(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    model.script = [answer(200, b"{}")]
    assert await asyncio.to_thread(smoke.main, ["--url", model.url, "--no-key"]) == 1
    assert "FAILED: a request without a key got HTTP 200 where 401 belongs" in capsys.readouterr().out


async def test_a_route_may_answer_with_two_voices(model: FakeModel) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/v1/models"):
            return web.json_response({"data": [{"id": "chat", "task": "generate", "backends": []}]})
        return await speaking("one two", "one three")(request)

    model.script = [handle]
    assert await asyncio.to_thread(smoke.main, ["--url", model.url]) == 0
