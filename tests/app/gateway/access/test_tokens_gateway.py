"""Tokens at the door of a running gateway, beside keys, while its configuration changes."""

from pathlib import Path
from typing import Any

import yaml

from ..support import FakeModel, ask, config_for, error_of, running_gateway, until
from .identity_provider import AUDIENCE, IdentityProvider


def config(model: FakeModel, provider: IdentityProvider, **more: Any) -> dict[str, Any]:
    teams = {"red": {"models": ["a"]}, "blue": {}}
    oidc = {"issuer": provider.issuer, "audience": AUDIENCE, "teamClaim": "groups"}
    return config_for(model.url, teams=teams, oidc=oidc) | more


def bearer(token: bytes) -> dict[str, str]:
    return {"authorization": f"Bearer {token.decode()}"}


async def test_a_token_opens_what_its_team_may_use(
    model: FakeModel, provider: IdentityProvider, tmp_path: Path
) -> None:
    async with running_gateway(tmp_path, config(model, provider)) as gateway:
        token = provider.token(groups=["red"])
        async with gateway.post(ask(), headers=bearer(token)) as response:
            assert response.status == 200
        line = await gateway.log_line()
        assert (line["key"], line["team"]) == ("oidc", "red")
        assert "authorization" not in model.seen[0].headers, "the token goes no further"
        async with gateway.post(ask("b"), headers=bearer(token)) as response:
            assert response.status == 403
        async with gateway.post(ask()) as response:
            assert response.status == 200, "a key still opens"
        assert token.decode() not in gateway.stdout.getvalue().decode()
        assert gateway.value("tokens_checked_total", result="ok") == 1


async def test_a_bad_token_is_told_why(model: FakeModel, provider: IdentityProvider, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config(model, provider)) as gateway:
        async with gateway.post(ask(), headers=bearer(provider.token(exp=1))) as response:
            assert response.status == 401
            assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
            error = await error_of(response)
            assert (error["code"], error["message"]) == ("invalid_token", "The token has expired, get a new one.")
        provider.status = 503
        async with gateway.post(ask(), headers=bearer(provider.token(kid="k2"))) as response:
            assert response.status == 401
        assert gateway.value("auth_failures_total", reason="token") == 2
        assert not model.seen


async def test_the_issuer_may_come_later_and_go(model: FakeModel, provider: IdentityProvider, tmp_path: Path) -> None:
    with_oidc = config(model, provider)
    without = {name: value for name, value in with_oidc.items() if name != "oidc"}
    async with running_gateway(tmp_path, without) as gateway:
        token = bearer(provider.token())
        async with gateway.post(ask(), headers=token) as response:
            assert (response.status, (await error_of(response))["code"]) == (401, "invalid_api_key")
        gateway.config.write_text(yaml.safe_dump(with_oidc))
        await until(lambda: gateway.value("config_reloads_total", source="config", result="ok") == 1)
        async with gateway.post(ask(), headers=token) as response:
            assert response.status == 200
        gateway.config.write_text(yaml.safe_dump(without))
        await until(lambda: gateway.value("config_reloads_total", source="config", result="ok") == 2)
        async with gateway.post(ask(), headers=token) as response:
            assert response.status == 401
