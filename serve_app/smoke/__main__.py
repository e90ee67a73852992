"""`python -m serve_app.smoke`: asks a running gateway, and through it each model, for an answer.

`helm test` runs it inside the cluster. Each check prints a line; the first that fails ends it with status 1.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiohttp

from serve_app.smoke.questions import Listed, NotYetError, Questions, SmokeError

PROGRESS_SECONDS = 10

Result = TypeVar("Result")


class Smoke:
    """The checks against one gateway."""

    def __init__(
        self, ask: Questions, wait_seconds: float, say: Callable[[str], object], pause_seconds: float = 1
    ) -> None:
        """Starts the clock.

        Args:
            ask: Asks the gateway.
            wait_seconds: How long, in all, to wait for what is still starting.
            say: Prints a line.
            pause_seconds: Between two tries.
        """
        self._ask = ask
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
        listed = await self._check("list models", self._ask.models, ", ".join)
        if unknown := [name for name in models if name not in listed]:
            raise SmokeError(f"the gateway does not list {', '.join(unknown)}, but {', '.join(listed) or 'nothing'}")
        for model in models or listed:
            await self._ask_model(model, listed[model])

    async def run_without_a_key(self) -> None:
        """Runs the checks for which no key is needed.

        Raises:
            SmokeError: A check failed.
        """
        await self._check("health", self._ask.health, repr)
        await self._check("a key is asked for", self._ask.is_refused, str)

    async def _ask_model(self, model: str, listed: Listed) -> None:
        if listed.task == "embed":
            await self._check(f"{model}: embedding", partial(self._ask.embedding, model), str)
        elif listed.task == "score":
            await self._check(f"{model}: scores", partial(self._ask.score, model), str)
        elif listed.task == "transcribe":
            await self._check(f"{model}: transcription", partial(self._ask.transcription, model), str)
        else:
            whole = await self._check(f"{model}: chat completion", partial(self._ask.chat, model), repr)
            streamed = await self._check(f"{model}: streamed", partial(self._ask.streamed_chat, model), repr)
            if whole != streamed and not listed.is_route:
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


async def _main(arguments: argparse.Namespace) -> int:
    headers = {}
    if arguments.api_key_file:
        headers["authorization"] = f"Bearer {arguments.api_key_file.read_text().strip()}"
    timeout = aiohttp.ClientTimeout(total=max(arguments.wait, 60))
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        smoke = Smoke(Questions(session, arguments.url), arguments.wait, lambda line: print(line, flush=True))
        try:
            await (smoke.run_without_a_key() if arguments.no_key else smoke.run(arguments.model))
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
    parser = argparse.ArgumentParser(prog="python -m serve_app.smoke", description=__doc__)
    parser.add_argument("--url", required=True, help="the gateway, without /v1")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--api-key-file", type=Path, metavar="FILE", help="file with an API key")
    key.add_argument("--no-key", action="store_true", help="no key is at hand: only see that the gateway asks for one")
    parser.add_argument("--model", action="append", default=[], metavar="ID", help="model or route to ask (all)")
    parser.add_argument("--wait", type=float, default=0, metavar="S", help="seconds to wait for what is starting (0)")
    return asyncio.run(_main(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
