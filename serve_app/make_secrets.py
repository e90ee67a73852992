"""`python -m serve_app.make_secrets`: makes the keys and passwords that nobody has stated.

The chart's hook runs it before an install and before an upgrade, because whoever renders the chart (Helm, Argo CD, a
pipeline) has no memory: what a template rolled dice for would be new at each render. What is there stays as it is; only
what is missing is made. The hashes of API keys follow their texts.
"""

import argparse
import asyncio
import base64
import hashlib
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from serve_app.in_cluster import SERVICE_ACCOUNT
from serve_app.in_cluster import session as in_cluster_session

DATA_TOKENS = ("component-token", "gateway-token", "token")
HASH_PREFIX = "_"
"""Begins the name of a hash, so that it may be mounted beside entries, whose names begin with a letter or digit."""
_LABELS = {"app.kubernetes.io/part-of": "ray-vllm-stack"}
_TRIES, _PAUSE_SECONDS = 5, 2
_AGAIN = (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)

Data = dict[str, str]
Fill = Callable[[Mapping[str, str]], Data]
"""What is to be in a Secret, given what is there."""


class MakeError(Exception):
    """Why a Secret is not made, in one sentence."""


class _TemporaryError(Exception):
    """The API server may answer otherwise a moment later."""


class SecretApi:
    """The Secrets of the release's namespace."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self._session = session
        self._base = f"/api/v1/namespaces/{namespace}/secrets"

    async def fill(self, name: str, fill: Fill, say: Callable[[str], object], pause: float = _PAUSE_SECONDS) -> Data:
        """Writes what is missing in a Secret, or makes it.

        Args:
            name: Of the Secret.
            fill: Returns what has to be there.
            say: Prints a line, never a secret.
            pause: Seconds before another try, where another writer was first or the API server fails.

        Returns:
            The texts that are there now.

        Raises:
            MakeError: It cannot be written.
        """
        for _ in range(_TRIES - 1):
            try:
                return await self._fill(name, fill, say)
            except (_TemporaryError, aiohttp.ClientError, TimeoutError) as error:
                say(f"Secret {name}: {error!r}, trying again")
                await asyncio.sleep(pause)
        try:
            return await self._fill(name, fill, say)
        except (_TemporaryError, aiohttp.ClientError, TimeoutError) as error:
            raise MakeError(f"Secret {name} is not made after {_TRIES} tries, see the API server: {error!r}") from error

    async def _fill(self, name: str, fill: Fill, say: Callable[[str], object]) -> Data:
        found = await self._call("GET", f"{self._base}/{name}")
        there = _texts((found or {}).get("data") or {})
        wanted = fill(there)
        changed = sorted(key for key, text in wanted.items() if there.get(key) != text)
        if found is None:
            metadata = {"name": name, "labels": _LABELS}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": _data(wanted)}
            await self._call("POST", self._base, body)
        elif changed:
            version = {"resourceVersion": found["metadata"]["resourceVersion"]}  # else 409: another was first
            body = {"metadata": version, "data": _data({key: wanted[key] for key in changed})}
            await self._call("PATCH", f"{self._base}/{name}", body)
        say(f"Secret {name}: " + (f"made {', '.join(changed)}" if changed else "nothing is missing"))
        return there | wanted

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        headers = {"content-type": "application/merge-patch+json"} if method == "PATCH" else {}
        async with self._session.request(method, path, json=body, headers=headers) as response:
            if response.status == HTTPStatus.NOT_FOUND and method == "GET":
                return None
            if response.status >= HTTPStatus.BAD_REQUEST:
                why = f"{method} {path} is answered with {response.status}: "
                why += " ".join((await response.text()).split())[:300]
                if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status in _AGAIN:
                    raise _TemporaryError(why)
                raise MakeError(f"{why}; give the ServiceAccount a Role that may get, create and patch Secrets")
            content: dict[str, Any] = await response.json()
            return content


def _texts(data: Mapping[str, str]) -> Data:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}


def _data(texts: Mapping[str, str]) -> Data:
    return {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}


def _random(names: Sequence[str], prefix: str = "") -> Fill:
    """240 random bits under each name; what is empty is missing."""
    return lambda there: {name: there.get(name) or prefix + secrets.token_urlsafe(30) for name in names}


def redis(there: Mapping[str, str]) -> Data:
    """A password, and a configuration with it, which has to agree."""
    password = there.get("password") or secrets.token_urlsafe(30)
    return {"password": password, "redis.conf": f"requirepass {password}\n"}


async def make(api: SecretApi, arguments: argparse.Namespace, say: Callable[[str], object]) -> None:
    """Makes what the arguments name.

    Raises:
        MakeError: Something is not made.
    """
    if arguments.key:
        texts = await api.fill(arguments.key_texts, _random(arguments.key, "sk-"), say)
        hashes = {HASH_PREFIX + name: _hash(texts[name]) for name in arguments.key}
        await api.fill(arguments.key_hashes, lambda there: hashes, say)
    if arguments.redis:
        await api.fill(arguments.redis, redis, say)
    if arguments.data:
        await api.fill(arguments.data, _random(DATA_TOKENS), say)


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.strip().encode()).hexdigest()}"


@asynccontextmanager
async def in_cluster(account: Path = SERVICE_ACCOUNT) -> AsyncIterator[SecretApi]:
    """The API of the cluster that this process runs in, with its pod's ServiceAccount."""
    async with in_cluster_session(account) as (session, namespace):
        yield SecretApi(session, namespace)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's arguments; those of the process if None."""
    parser = argparse.ArgumentParser(prog="python -m serve_app.make_secrets", description=__doc__)
    parser.add_argument("--key", action="append", default=[], metavar="NAME", help="an API key to make")
    parser.add_argument("--key-texts", default="", metavar="SECRET", help="where the texts of the keys are")
    parser.add_argument("--key-hashes", default="", metavar="SECRET", help="where the gateway finds their hashes")
    parser.add_argument("--redis", default="", metavar="SECRET", help="with a password and redis.conf")
    parser.add_argument("--data", default="", metavar="SECRET", help="with the tokens of the data component")
    found = parser.parse_args(argv)
    if found.key and not (found.key_texts and found.key_hashes):
        parser.error("--key needs --key-texts and --key-hashes")
    return found


async def _main(arguments: argparse.Namespace) -> int:
    say = partial(print, flush=True)
    try:
        async with in_cluster() as api:
            await make(api, arguments, say)
    except MakeError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(parse())))
