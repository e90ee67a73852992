"""The Job that makes keys and passwords, against a small API server that keeps Secrets as Kubernetes does."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from serve_app.make_secrets import MakeError, SecretApi, make, parse
from tests.app.api_server import api_session

BASE = "/api/v1/namespaces/llm/secrets"
KEYS = ("--key-texts=api-keys", "--key-hashes=made")
TEXT = re.compile(r"sk-[A-Za-z0-9_-]{40}")


@dataclass
class FakeApi:
    """Secrets with versions; a patch of another version than the live one is a conflict."""

    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    meanwhile: dict[str, dict[str, str]] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(request.method)
        if self.failures:
            return web.json_response({"message": "no"}, status=self.failures.pop(0))
        name = request.path.removeprefix(BASE).strip("/")
        if request.method == "GET":
            return self.answer(name)
        body = await request.json()
        if self.meanwhile:  # another writer is first
            self.secrets |= {name: self.secrets.get(name, {}) | data for name, data in self.meanwhile.items()}
            self.versions |= {name: self.versions.get(name, 0) + 1 for name in self.meanwhile}
            self.meanwhile = {}
        if request.method == "POST":
            name = body["metadata"]["name"]
            assert (body["kind"], body["type"], "stringData" in body) == ("Secret", "Opaque", False)
            assert body["metadata"]["labels"] == {"app.kubernetes.io/part-of": "ray-vllm-stack"}
            if name in self.secrets:
                return web.json_response({"reason": "AlreadyExists"}, status=409)
        else:
            assert request.headers["content-type"] == "application/merge-patch+json"
            if body["metadata"]["resourceVersion"] != str(self.versions.get(name, 0)):
                return web.json_response({"reason": "Conflict"}, status=409)
        self.secrets[name] = self.secrets.get(name, {}) | body["data"]
        self.versions[name] = self.versions.get(name, 0) + 1
        return self.answer(name)

    def answer(self, name: str) -> web.Response:
        if name not in self.secrets:
            return web.json_response({"code": 404}, status=404)
        version = str(self.versions.get(name, 0))
        return web.json_response({"metadata": {"name": name, "resourceVersion": version}, "data": self.secrets[name]})

    def texts(self, name: str) -> dict[str, str]:
        return {key: base64.b64decode(value).decode() for key, value in self.secrets[name].items()}


@pytest.fixture
async def fake() -> AsyncIterator[tuple[FakeApi, SecretApi]]:
    server = FakeApi()
    async with api_session(server.handle) as session:
        yield server, SecretApi(session, "llm")


async def run(api: SecretApi, *arguments: str) -> list[str]:
    said: list[str] = []
    await make(api, parse(arguments), said.append)
    return said


def hashed(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def encoded(**texts: str) -> dict[str, str]:
    return {name.replace("_", "-"): base64.b64encode(text.encode()).decode() for name, text in texts.items()}


async def test_keys_are_made_with_their_hashes_and_never_printed(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    said = await run(api, *KEYS, "--key=default", "--key=team-a")
    texts, hashes = server.texts("api-keys"), server.texts("made")
    assert sorted(texts) == ["default", "team-a"]
    assert all(TEXT.fullmatch(text) for text in texts.values())
    assert len(set(texts.values())) == 2
    assert hashes == {f"_{name}": hashed(text) for name, text in texts.items()}
    assert said == ["Secret api-keys: made default, team-a", "Secret made: made _default, _team-a"]


async def test_what_is_there_stays_and_what_is_missing_is_added(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    server.secrets = {"api-keys": encoded(default="foo\n", gone="bar")}  # a line's end, as of an editor
    said = await run(api, *KEYS, "--key=default", "--key=new")
    texts = server.texts("api-keys")
    assert (texts["default"], texts["gone"]) == ("foo\n", "bar")
    assert server.texts("made") == {"_default": hashed("foo"), "_new": hashed(texts["new"])}
    assert said[0] == "Secret api-keys: made new"
    before = dict(server.secrets)
    server.calls.clear()
    assert (await run(api, *KEYS, "--key=default", "--key=new"))[0] == "Secret api-keys: nothing is missing"
    assert (server.secrets, server.calls) == (before, ["GET", "GET"])


async def test_a_text_that_is_deleted_is_made_anew_with_its_hash(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    await run(api, *KEYS, "--key=default")
    old = server.texts("api-keys")["default"]
    del server.secrets["api-keys"]["default"]
    await run(api, *KEYS, "--key=default")
    assert old != server.texts("api-keys")["default"]
    assert server.texts("made") == {"_default": hashed(server.texts("api-keys")["default"])}


async def test_redis_has_a_password_and_a_configuration_that_agrees(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    await run(api, "--redis=redis")
    made = server.texts("redis")
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", made["password"])
    assert made["redis.conf"] == f"requirepass {made['password']}\n"
    server.secrets["redis"] = encoded(password="mine")
    await run(api, "--redis=redis")
    assert server.texts("redis") == {"password": "mine", "redis.conf": "requirepass mine\n"}


async def test_the_data_component_has_tokens(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    server.secrets = {"data": encoded(token="old", gateway_token="")}  # what is empty is missing
    await run(api, "--data=data")
    made = server.texts("data")
    assert made["token"] == "old"
    assert [len(made[name]) for name in ("component-token", "gateway-token")] == [40, 40]


@pytest.mark.parametrize("there", [True, False])
async def test_another_writer_is_not_overwritten(fake: tuple[FakeApi, SecretApi], there: bool) -> None:
    server, api = fake
    server.secrets = {"api-keys": encoded(other="x")} if there else {}
    server.meanwhile = {"api-keys": encoded(default="theirs")}
    said: list[str] = []
    filled = await api.fill("api-keys", lambda found: {"default": found.get("default") or "ours"}, said.append, pause=0)
    assert filled["default"] == server.texts("api-keys")["default"] == "theirs"
    assert "409" in said[0]


async def test_a_failing_api_server_is_asked_again_and_not_for_ever(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    server.failures = [500, 503, 429]
    await api.fill("a", lambda found: {"x": "y"}, lambda line: None, pause=0)
    assert server.texts("a") == {"x": "y"}
    server.failures = [500] * 9
    with pytest.raises(MakeError, match="Secret a is not made after 5 tries"):
        await api.fill("a", lambda found: {"x": "z"}, lambda line: None, pause=0)
    assert len(server.failures) == 4


async def test_a_missing_role_is_told_at_once(fake: tuple[FakeApi, SecretApi]) -> None:
    server, api = fake
    server.failures = [403]
    with pytest.raises(MakeError, match=r"403: .*give the ServiceAccount a Role that may get, create and patch"):
        await run(api, "--data=data")
    assert server.calls == ["GET"]


def test_a_key_needs_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--key=default", "--key-texts=a"])
    assert "--key needs --key-texts and --key-hashes" in capsys.readouterr().err
