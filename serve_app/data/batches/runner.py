"""Runs batches: checks the input, asks line by line, writes the files. Each step begins again where it was left."""

import asyncio
import contextlib
import hashlib
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any, NamedTuple

from sqlalchemy import Row

from serve_app.data.batches.asking import Asking, EndedError, failed
from serve_app.data.batches.lines import Line, check, numbered, parse
from serve_app.data.batches.pace import Pace
from serve_app.data.batches.progress import Progress
from serve_app.data.batches.records import KEEP_SECONDS, Batches
from serve_app.data.caller import FRESH_MS, Caller
from serve_app.data.database import now_ms
from serve_app.data.files.records import Files
from serve_app.data.ingest.leases import LostError
from serve_app.data.metrics import Metrics

logger = logging.getLogger(__name__)

_PAGE = 500


class _Stop(NamedTuple):
    """Why lines are left that nobody asks for."""

    status: str
    """Of the batch, from then on."""
    code: str
    message: str


_EXPIRED = _Stop("expired", "batch_expired", "The batch's time was over before this line's turn.")


class Runner:
    """Runs one batch at a time."""

    def __init__(self, batches: Batches, files: Files, asking: Asking, metrics: Metrics, *, concurrency: int) -> None:
        """Joins the parts.

        Args:
            batches: Whose turn it is.
            files: Inputs and outputs.
            asking: Gets answers.
            metrics: Where progress is told.
            concurrency: Lines at once at most.
        """
        self._batches = batches
        self._files = files
        self._asking = asking
        self._metrics = metrics
        self._concurrency = concurrency

    async def __call__(self) -> bool:
        """Runs the next batch to its end; tells whether there was one."""
        row = await self._batches.take()
        if row is None:
            return False
        try:
            await self._leased(row)
        except asyncio.CancelledError:  # this replica ends
            with contextlib.suppress(LostError):
                await asyncio.shield(self._batches.give_back(row))
            raise
        return True

    async def _leased(self, row: Row[Any]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep(row))
                await self._run(row)
                keeping.cancel()
        except* LostError:
            logger.info("batch %s is another's, or was cancelled", row.id)

    async def _keep(self, row: Row[Any]) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._batches.keep(row)

    async def _run(self, row: Row[Any]) -> None:
        times, ending = dict(row.times), row.status == "cancelling"
        async with self._input(row) as lines:
            if lines is None:
                errors = [{"code": "invalid_file", "line": None, "message": "The input file is gone.", "param": None}]
                await self._end(row, "failed", times, errors=errors)
                return
            total = row.total
            if row.status == "validating":
                total, errors = await asyncio.to_thread(check, lines, row.endpoint)
                if errors:
                    await self._end(row, "failed", times, errors=errors)
                    return
                times["in_progress"] = int(time.time())
                await self._batches.keep(row, status="in_progress", total=total, times=times)
            stop = None if ending else await self._ask_all(row, lines, total)
            if stop is not None:
                await self._give_up(row, lines, stop)
        times["finalizing"] = int(time.time())
        names: dict[str, Any] = {f"{kind}_file_id": await self._write(row, kind) for kind in ("output", "error")}
        if stop is not None and stop is not _EXPIRED:
            names["errors"] = [{"code": stop.code, "line": None, "message": stop.message, "param": None}]
        await self._end(row, stop.status if stop else "cancelled" if ending else "completed", times, **names)
        await self._batches.written(row)

    async def _end(self, row: Row[Any], status: str, times: dict[str, int], **values: object) -> None:
        times = {**times, status: int(time.time())}
        await self._batches.give_back(row, status=status, times=times, **values)

    @contextlib.asynccontextmanager
    async def _input(self, row: Row[Any]) -> AsyncIterator[IO[bytes] | None]:
        """The input on the disk; None if it is gone."""
        with tempfile.TemporaryFile() as copy:
            try:
                async for piece in self._files.content.stream(row.input_file_id):
                    copy.write(piece)
            except FileNotFoundError:
                yield None
                return
            copy.seek(0)
            yield copy

    async def _ask_all(self, row: Row[Any], lines: IO[bytes], total: int) -> _Stop | None:
        """Asks for what has no answer yet; tells why, if it stops before the end."""
        stops: list[_Stop] = []
        counts = (await self._batches.counts([row.id]))[row.id]
        try:
            async with asyncio.timeout(max(0, (row.expires_ms - now_ms()) / 1000)):
                done, pace = await self._batches.done(row.id), Pace(self._concurrency)
                places = asyncio.Semaphore(self._concurrency)
                with Progress(self._metrics, row.id, row.owner, total, *counts) as progress:
                    async with asyncio.TaskGroup() as group:
                        for line in _rest(lines, row.endpoint, done):
                            await places.acquire()
                            if stops:
                                break
                            task = group.create_task(self._ask(row, line, pace, progress, stops))
                            task.add_done_callback(lambda _: places.release())
        except TimeoutError:
            return _EXPIRED
        return stops[0] if stops else None

    async def _ask(self, row: Row[Any], line: Line, pace: Pace, progress: Progress, stops: list[_Stop]) -> None:
        caller, fresh_until = Caller(**row.caller), row.created_ms + FRESH_MS
        progress.asked()
        try:
            answered = await self._asking(line, row.endpoint, caller, pace, fresh_until_ms=fresh_until)
        except EndedError as error:
            stops.append(_Stop("failed", error.code, str(error)))
            answered = failed(line, error.code, str(error))
        await self._batches.record(row.id, line.number, answered.result, succeeded=answered.succeeded)
        progress.ended(succeeded=answered.succeeded)

    async def _give_up(self, row: Row[Any], lines: IO[bytes], stop: _Stop) -> None:
        """Says of each line that is left why it has no answer."""
        for line in _rest(lines, row.endpoint, await self._batches.done(row.id)):
            answered = failed(line, stop.code, stop.message)
            await self._batches.record(row.id, line.number, answered.result, succeeded=False)

    async def _write(self, row: Row[Any], kind: str) -> str | None:
        """Writes one of the two files; None where it would be empty."""
        with tempfile.TemporaryFile() as file:
            after = 0
            while page := await self._batches.results(row.id, succeeded=kind == "output", after=after, most=_PAGE):
                file.writelines(f"{each.result}\n".encode() for each in page)
                after = page[-1].line
            if not after:
                return None
            return await self._files.put(
                _file_id(row, kind), row.owner, file, filename=f"{row.id}_{kind}.jsonl", purpose="batch_output"
            )


def _rest(lines: IO[bytes], endpoint: str, done: set[int]) -> Iterator[Line]:
    lines.seek(0)
    return (parse(number, text, endpoint) for number, text in numbered(lines) if number not in done)


def _file_id(row: Row[Any], kind: str) -> str:
    """The same whenever the file is written, so that a runner which was killed leaves no second one."""
    return f"file-{hashlib.sha256(f'{row.id}/{kind}'.encode()).hexdigest()[:24]}"
