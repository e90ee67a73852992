"""Tokens of one issuer, with settings and teams that a test may change."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.metrics import AccessMetrics, TokenResult
from serve_app.gateway.access.tokens import Tokens
from serve_app.gateway.api.errors import ApiError
from serve_app.settings.gateway import Oidc, Team

from .identity_provider import AUDIENCE, IdentityProvider

TEAMS = {"red": Team.model_validate({"priority": "high", "tokensPerMinute": 10, "models": ["a"]}), "blue": Team()}


class TokenChecks:
    """Tokens of one issuer, with settings and teams that a test may change."""

    def __init__(self, provider: IdentityProvider, session: aiohttp.ClientSession, **more: Any) -> None:
        self.provider = provider
        self.settings: Oidc | None = None
        self.configure()
        self.teams: Mapping[str, Team] = TEAMS
        self.registry = CollectorRegistry()
        self.metrics = AccessMetrics(self.registry)
        self.tokens = Tokens(lambda: self.settings, lambda: self.teams, session, self.metrics, **more)

    def configure(self, **more: Any) -> None:
        fields = {"issuer": self.provider.issuer, "audience": AUDIENCE, "teamClaim": "groups", **more}
        self.settings = Oidc.model_validate(fields)

    def counted(self) -> dict[str, float]:
        found = {
            result: self.registry.get_sample_value("ray_vllm_gateway_tokens_checked_total", {"result": result})
            for result in TokenResult
        }
        assert None not in found.values(), "all are visible from the start"
        return {str(result): value for result, value in found.items() if value}

    def failures(self, reason: str) -> float | None:
        return self.registry.get_sample_value("ray_vllm_gateway_auth_failures_total", {"reason": reason})

    async def refused(self, token: bytes, result: str, says: str) -> None:
        before = self.counted().get(result, 0)
        with pytest.raises(ApiError) as error:
            await self.tokens.check(token)
        assert (error.value.status, error.value.code) == (401, "invalid_token")
        assert error.value.headers == [(b"www-authenticate", b'Bearer error="invalid_token"')]
        assert says in error.value.message
        assert self.counted()[result] == before + 1
