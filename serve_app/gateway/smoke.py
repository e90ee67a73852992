"""`python -m serve_app.gateway.smoke`: asks a running gateway, and through it each model, for an answer.

`helm test` runs it inside the cluster. Each check prints a line; the first that fails ends it with status 1.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import orjson

PROGRESS_SECONDS = 10
_QUESTION = {
    "messages": [{"role": "user", "content": "Who are you?"}],
    "temperature": 0,
    "seed": 0,
    "max_tokens": 32,
}
_NOT_YET = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


Result = TypeVar("Result")


class SmokeError(Exception):
    """A check that failed, in one sentence."""


class NotYetError(SmokeError):
    """A check that may succeed later: what it asks may still be starting."""


class Smoke:
    """The checks against one gateway."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        wait_seconds: float,
        say: Callable[[str], object],
        pause_seconds: float = 1,
    ) -> None:
        """Starts the clock.

        Args:
            session: With the key among its headers.
            url: The gateway.
            wait_seconds: How long, in all, to wait for what is still starting.
            say: Prints a line.
            pause_seconds: Between two tries.
        """
        self._session = session
        self._url = url.rstrip("/")
        self._wait_seconds = wait_seconds
        self._say = say
        self._pause_seconds = pause_seconds
        self._began = self._said = time.monotonic()

    async def run(self, models: list[str]) -> None:
        """Runs all checks.

        Args:
            models: Ids or route names to ask; all that the gateway lists if empty.

        Raises:
            SmokeError: A check failed, or what it asks did not come up in time.
        """
        listed = await self._check("list models", self._list, ", ".join)
        if unknown := [name for name in models if name not in listed]:
            raise SmokeError(f"the gateway does not list {', '.join(unknown)}, but {', '.join(listed) or 'nothing'}")
        for model in models or listed:
            whole = await self._check(f"{model}: chat completion", partial(self._ask, model), repr)
            streamed = await self._check(f"{model}: streamed", partial(self._ask_streamed, model), repr)
            if whole != streamed:
                raise SmokeError(f"{model}: the streamed text {streamed!r} is not the whole one {whole!r}")

    async def _check(self, name: str, check: Callable[[], Awaitable[Result]], show: Callable[[Result], str]) -> Result:
        while True:
            began = time.monotonic()
            try:
                result = await check()
            except (NotYetError, aiohttp.ClientConnectionError) as error:
                waited = time.monotonic() - self._began
                if waited + self._pause_seconds > self._wait_seconds:
                    raise SmokeError(f"{name}: {error} (waited {waited:.0f} s)") from error
                if time.monotonic() - self._said >= PROGRESS_SECONDS:
                    self._said = time.monotonic()
                    self._say(f"..  {name}: waiting since {waited:.0f} s: {error}")
                await asyncio.sleep(self._pause_seconds)
            else:
                self._say(f"ok  {name}: {show(result)} ({(time.monotonic() - began) * 1000:.0f} ms)")
                return result

    async def _list(self) -> list[str]:
        async with self._session.get(f"{self._url}/v1/models") as response:
            content = await _json(response)
        return [card["id"] for card in content["data"]]

    def _post(self, question: dict[str, Any]) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.post(f"{self._url}/v1/chat/completions", json=question)

    async def _ask(self, model: str) -> str:
        async with self._post({"model": model, **_QUESTION}) as response:
            content = await _json(response)
        return _said(content["choices"][0]["message"]["content"])

    async def _ask_streamed(self, model: str) -> str:
        async with self._post({"model": model, "stream": True, **_QUESTION}) as response:
            await _refuse_errors(response)
            lines = (await response.read()).splitlines()
        events = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
        if not events or events[-1] != b"[DONE]":
            raise SmokeError("the stream has no end")
        choices = [choice for event in events[:-1] for choice in orjson.loads(event).get("choices", [])]
        return _said("".join(choice["delta"].get("content") or "" for choice in choices))


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


async def _main(arguments: argparse.Namespace) -> int:
    headers = {}
    if arguments.api_key_file:
        headers["authorization"] = f"Bearer {arguments.api_key_file.read_text().strip()}"
    timeout = aiohttp.ClientTimeout(total=max(arguments.wait, 60))
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        try:
            await Smoke(session, arguments.url, arguments.wait, lambda line: print(line, flush=True)).run(
                arguments.model
            )
        except (SmokeError, aiohttp.ClientError, TimeoutError) as error:
            print(f"FAILED: {str(error) or 'no answer in time'}", flush=True)
            return 1
    return 0


def main(argv: list[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit status: 0 if all checks passed.
    """
    parser = argparse.ArgumentParser(prog="python -m serve_app.gateway.smoke", description=__doc__)
    parser.add_argument("--url", required=True, help="the gateway, without /v1")
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="file with an API key")
    parser.add_argument("--model", action="append", default=[], metavar="ID", help="model or route to ask (all)")
    parser.add_argument("--wait", type=float, default=0, metavar="S", help="seconds to wait for what is starting (0)")
    return asyncio.run(_main(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
