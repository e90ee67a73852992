"""Who a request is from."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.access.keys import watched_keys
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.observe.metrics import Metrics
from serve_app.settings.gateway import Team

from ..support import Gateway, ask, config_for, key_entry, running_gateway, until

TEAMS = {"red": Team.model_validate({"priority": "low", "tokensPerMinute": 10}), "blue": Team()}


class Door:
    """An authenticator over a directory, with teams that a test may change."""

    def __init__(self, folder: Path, **entries: str) -> None:
        for name, entry in entries.items():
            (folder / name).write_text(entry)
        self.metrics = Metrics()
        self.teams: Mapping[str, Team] = TEAMS
        self.keys = watched_keys(folder, self.metrics, AccessMetrics(self.metrics.registry))
        self.authenticator = Authenticator(self.keys, None, lambda: self.teams, self.metrics)

    async def caller(self, text: str) -> Caller:
        return await self.authenticator.check({b"authorization": b"Bearer " + text.encode()})


async def test_without_keys_everybody_is_let_in() -> None:
    assert await Authenticator(None, None, dict, Metrics()).check({}) is ANYBODY


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
    assert door.metrics.registry.get_sample_value("ray_vllm_gateway_auth_failures_total") == 1


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
