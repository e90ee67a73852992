"""An identity provider on the loopback: real keys, real HTTP, and whatever tokens a test wants of it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "llm"
_CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def private_key(kid: str, algorithm: str = "RS256", bits: int = 2048) -> Any:
    """The key of a key id; made once."""
    return _made(kid, algorithm, bits)


@cache
def _made(kid: str, algorithm: str, bits: int) -> Any:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_jwk(kid: str, algorithm: str = "RS256", /, *, bits: int = 2048, **more: Any) -> dict[str, Any]:
    public = private_key(kid, algorithm, bits).public_key()
    kind: Any = ECAlgorithm if algorithm in _CURVES else OKPAlgorithm if algorithm == "EdDSA" else RSAAlgorithm
    return {**kind.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": algorithm, **more}


@dataclass
class IdentityProvider:
    """Signs tokens and publishes its keys, unless it is down."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("k1")])
    issuer: str = ""
    named: str | None = None
    """What its discovery document calls itself, if not `issuer`."""
    status: int = 200
    delay: Any = None
    fetches: int = 0
    paths: list[str] = field(default_factory=list)

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600, **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, *, kid: str | None = "k1", algorithm: str = "RS256", key: Any = None, headers: Any = None, **claims: Any
    ) -> bytes:
        """A token; claims that are None are left out."""
        signing = key or private_key(kid or "k1", algorithm)
        named = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(**claims), signing, algorithm, headers={**named, **(headers or {})}).encode()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        if self.delay:
            await self.delay.wait()
        if self.status != 200:
            return web.Response(status=self.status, text="down")
        if request.path == "/realm/.well-known/openid-configuration":
            return web.json_response({"issuer": self.named or self.issuer, "jwks_uri": f"{self.issuer}/jwks"})
        if request.path == "/realm/jwks":
            self.fetches += 1
            return web.json_response({"keys": self.keys}, content_type="application/jwk-set+json")
        return web.Response(text='["nothing here"]', content_type="application/json")

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["IdentityProvider"]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}/realm"
        try:
            yield self
        finally:
            await runner.cleanup()
