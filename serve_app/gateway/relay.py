"""Passes an answer on from a model to a client: its bytes as they arrive, and nothing else."""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus

from serve_app.gateway.api.errors import event
from serve_app.gateway.exchange.outcome import Reason
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.writer import ResponseWriter
from serve_app.gateway.metering.usage import Reader
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.upstream.attempt import Answer, BrokenStreamError
from serve_app.gateway.upstream.errors import SilentError

logger = logging.getLogger(__name__)

Watcher = Callable[[bytes], None]


class Relay:
    """Passes answers on."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(
        self,
        answer: Answer,
        record: RequestRecord,
        response: ResponseWriter,
        usage: Reader,
        watchers: Sequence[Watcher],
        idle_seconds: float,
    ) -> None:
        """Passes one answer on, to its end or to where it breaks.

        An answer that breaks after its first byte ends the client's connection without the end mark. Nothing may be
        tried again then, since another answer would not continue where this one stopped; and nothing may be added,
        since a made-up end (`[DONE]`, or a last chunk) would let half an answer pass for a whole one.

        Args:
            answer: The answer.
            record: The request.
            response: Its response.
            usage: Reads the tokens, and takes out what the client did not ask for.
            watchers: Called with each piece as the client gets it.
            idle_seconds: How long the model may be silent.
        """
        if response.started and answer.status >= HTTPStatus.BAD_REQUEST:
            # The heartbeat has started the response as a success.
            await response.write(event(answer.first, record.shape), more=False)
            record.status = answer.status
            return
        if not response.started:
            await response.start(answer.status, answer.headers)
        try:
            if answer.more:
                answer.limit_silence(idle_seconds)
            await self._pump(answer, response, usage, watchers)
        except (BrokenStreamError, SilentError) as error:
            self._broken(error, record)
            if rest := usage.end():
                await response.write(rest, more=True)  # whole events that were held back; the break comes after them
        finally:
            record.usage = usage.usage
            record.status = usage.error_status or record.status

    async def _pump(
        self,
        answer: Answer,
        response: ResponseWriter,
        usage: Reader,
        watchers: Sequence[Watcher],
    ) -> None:
        piece, more = answer.first, answer.more
        while True:
            piece = usage.feed(piece)
            if not more:
                piece += usage.end()
            for watch in watchers:
                watch(piece)
            if piece or not more:
                await response.write(piece, more=more)
            if not more:
                return
            piece = await answer.read()
            more = answer.more

    def _broken(self, error: BrokenStreamError | SilentError, record: RequestRecord) -> None:
        assert record.target is not None  # noqa: S101  # it has started to answer
        reason = Reason.IDLE_TIMEOUT if isinstance(error, SilentError) else Reason.BROKEN_STREAM
        logger.warning("answer %s of %s broke: %s", record.request_id.decode(), record.target.model, reason)
        self._metrics.upstream_errors.labels(record.target.model, reason).inc()
