"""Who a request is from."""

import calendar
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.access.keys import watched_keys
from serve_app.gateway.access.metrics import AccessMetrics, AuthFailure
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.observe.metrics import Metrics
from serve_app.settings.gateway import Team

from ..support import FakeModel, Gateway, answer, ask, config_for, error_of, key_entry, running_gateway, until
from .limit_support import Clock

TEAMS = {"red": Team.model_validate({"priority": "low", "tokensPerMinute": 10}), "blue": Team()}


class Door:
    """An authenticator over a directory, with teams that a test may change."""

    def __init__(self, folder: Path, **entries: str) -> None:
        for name, entry in entries.items():
            (folder / name).write_text(entry)
        self.metrics = Metrics()
        self.teams: Mapping[str, Team] = TEAMS
        access_metrics = AccessMetrics(self.metrics.registry)
        self.keys = watched_keys(folder, self.metrics, access_metrics)
        self.authenticator = Authenticator(self.keys, None, lambda: self.teams, access_metrics)

    async def caller(self, text: str) -> Caller:
        return await self.authenticator.check({b"authorization": b"Bearer " + text.encode()})

    def failures(self) -> dict[str, float]:
        name = "ray_vllm_gateway_auth_failures_total"
        counted = {reason: self.metrics.registry.get_sample_value(name, {"reason": reason}) for reason in AuthFailure}
        assert None not in counted.values(), "all are visible from the start"
        return {str(reason): value for reason, value in counted.items() if value}


async def test_without_keys_everybody_is_let_in() -> None:
    assert await Authenticator(None, None, dict, AccessMetrics(CollectorRegistry())).check({}) is ANYBODY


async def test_a_key_of_a_team(tmp_path: Path) -> None:
    door = Door(tmp_path, ci=key_entry("sk-1", team="red", requestsPerMinute=5, models=["a"]))
    caller = await door.caller("sk-1")
    assert (caller.key, caller.team, caller.subject, caller.priority) == ("ci", "red", "", "low")
    (key_scope, key), (team_scope, team) = caller.policies
    assert (key_scope, key.requests_per_minute, key.models) == ("key/ci", 5, ["a"])
    assert (team_scope, team) == ("team/red", TEAMS["red"])
    assert (caller.may_use("a"), caller.may_use("b")) == (True, False)


@pytest.mark.parametrize(
    ("fields", "priority"),
    [
        ({}, "normal"),
        ({"team": "blue"}, "normal"),
        ({"team": "red"}, "low"),
        ({"priority": "high"}, "high"),
        ({"team": "red", "priority": "high"}, "high"),
    ],
)
async def test_a_keys_priority_comes_before_its_teams(tmp_path: Path, fields: dict[str, str], priority: str) -> None:
    assert (await Door(tmp_path, k=key_entry("sk-1", **fields)).caller("sk-1")).priority == priority


async def test_a_caller_is_made_once(tmp_path: Path) -> None:
    door = Door(tmp_path, k=key_entry("sk-1", team="red"))
    first = await door.caller("sk-1")
    assert await door.caller("sk-1") is first
    door.keys.poll()
    assert await door.caller("sk-1") is first, "nothing was changed"


async def test_new_teams_hold_for_old_keys(tmp_path: Path) -> None:
    door = Door(tmp_path, k=key_entry("sk-1", team="red"))
    assert (await door.caller("sk-1")).priority == "low"
    door.teams = {"red": Team(priority="high")}
    assert (await door.caller("sk-1")).priority == "high"


async def test_a_team_that_is_not_configured(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    door = Door(tmp_path, k=key_entry("sk-1", team="green", requestsPerMinute=5))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            caller = await door.caller("sk-1")
    assert (caller.team, caller.priority, [scope for scope, _ in caller.policies]) == ("", "normal", ["key/k"])
    assert [record.getMessage() for record in caplog.records] == [
        "API key k names the team green, which is not configured: it has its own limits only, add it to teams"
    ]
    door.teams = {"green": Team()}
    assert (await door.caller("sk-1")).team == "green"


@pytest.mark.parametrize("text", ["sk-2", "sk-1 ", "sk-", "eyJ.a.b", "sk-1" * 1000], ids=lambda text: text[:9])
async def test_a_key_that_is_not_accepted(tmp_path: Path, text: str) -> None:
    door = Door(tmp_path, k=key_entry("sk-1 x"))
    with pytest.raises(ApiError, match="not valid") as error:
        await door.caller(text)
    assert (error.value.status, error.value.code) == (401, "invalid_api_key")
    assert error.value.headers == [(b"www-authenticate", b"Bearer")]
    assert door.failures() == {"invalid": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer sk-1"},
        {b"authorization": b"bearer  sk-1 "},
        {b"x-api-key": b"sk-1"},
        {b"api-key": b"sk-1"},
        {b"authorization": b"Basic dXNlcg==", b"api-key": b" sk-1 "},
        {b"authorization": b"Bearer ", b"x-api-key": b"", b"api-key": b"sk-1"},
    ],
)
async def test_where_a_key_may_be(tmp_path: Path, headers: dict[bytes, bytes]) -> None:
    assert (await Door(tmp_path, k=key_entry("sk-1")).authenticator.check(headers)).key == "k"


async def test_the_bearer_comes_first(tmp_path: Path) -> None:
    door = Door(tmp_path, k=key_entry("sk-1"))
    with pytest.raises(ApiError, match="not valid"):
        await door.authenticator.check({b"authorization": b"Bearer sk-2", b"api-key": b"sk-1", b"x-api-key": b"sk-1"})


async def test_a_request_without_a_key(tmp_path: Path) -> None:
    door = Door(tmp_path, k=key_entry("sk-1"))
    with pytest.raises(ApiError, match="There is no API key in the request: send it in the header"):
        await door.authenticator.check({b"authorization": b"Basic dXNlcg=="})
    assert door.failures() == {"missing": 1}


async def test_a_key_expires_without_a_reload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(tmp_path, ci=key_entry("sk-1", team="red", expires="2027-01-31T12:00:00Z"))
    clock = Clock.in_place(monkeypatch)
    clock.now = calendar.timegm((2027, 1, 31, 11, 59, 59))
    assert (await door.caller("sk-1")).key == "ci"
    clock.now += 1
    with pytest.raises(ApiError) as error:
        await door.caller("sk-1")
    assert (error.value.status, error.value.code) == (401, "invalid_api_key")
    assert error.value.message == "The API key 'ci' expired on 2027-01-31 12:00 (UTC): ask for a new one."
    assert error.value.headers == [(b"www-authenticate", b"Bearer")]
    assert door.failures() == {"expired": 1}


async def test_both_texts_of_a_rotated_key_are_one_caller(tmp_path: Path) -> None:
    previous = json.loads(key_entry("sk-old"))["hash"]
    door = Door(tmp_path, k=key_entry("sk-new", previousHash=previous))
    old, new = await door.caller("sk-old"), await door.caller("sk-new")
    assert old.key_id != new.key_id, "what was begun with one of them ends with it"
    assert replace(old, key_id="") == replace(new, key_id="")
    with pytest.raises(ApiError):
        await door.caller("sk-other")


async def test_a_renewed_key_starts_no_new_budget(model: FakeModel, tmp_path: Path) -> None:
    model.script = [answer(body=json.dumps({"usage": {"prompt_tokens": 60, "completion_tokens": 40}}))]
    async with running_gateway(tmp_path, config_for(model.url), policy={"monthlyTokens": 100}) as gateway:
        async with gateway.post(ask(max_tokens=40)) as response:
            assert response.status == 200
        (gateway.keys / "default").write_text(key_entry("sk-renewed", monthlyTokens=100))
        await until(lambda: gateway.value("config_reloads_total", source="api_keys", result="ok") == 1)
        async with gateway.post(ask(), headers={"authorization": "Bearer sk-renewed"}) as response:
            assert (response.status, (await error_of(response))["code"]) == (429, "insufficient_quota")


async def test_the_hash_of_a_key_is_no_key(tmp_path: Path) -> None:
    entry = key_entry("sk-1")
    door = Door(tmp_path, k=entry)
    for text in (entry, entry.split('"')[3], entry.split('"')[3].removeprefix("sha256:")):
        with pytest.raises(ApiError):
            await door.caller(text)


async def test_a_rotated_key(gateway: Gateway) -> None:
    (gateway.keys / "second").write_text(key_entry("sk-second"))
    (gateway.keys / "default").unlink()
    await until(lambda: gateway.value("config_reloads_total", source="api_keys", result="ok") == 1)
    async with gateway.post(ask()) as response:
        assert response.status == 401
    async with gateway.post(ask(), headers={"authorization": "Bearer sk-second"}) as response:
        assert response.status == 200
    assert (await gateway.log_line())["key"] == "second"


async def test_an_empty_directory_lets_nobody_in(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config_for("http://127.0.0.1:1/models/a")) as gateway:
        (gateway.keys / "default").unlink()
        await until(lambda: gateway.value("config_reloads_total", source="api_keys", result="ok") == 1)
        async with gateway.get("/v1/models", headers={"authorization": "Bearer "}) as response:
            assert response.status == 401
