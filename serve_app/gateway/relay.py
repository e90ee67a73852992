"""An answer on its way from a model to a client: its bytes as they arrive, and nothing else."""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus

from serve_app.gateway.apis.errors import event
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.metering.usage import Reader
from serve_app.gateway.observe.metrics import Metrics, Reason
from serve_app.gateway.upstream.attempt import Answer, BrokenStreamError
from serve_app.gateway.upstream.connection import SilentError

logger = logging.getLogger(__name__)

Watcher = Callable[[bytes], None]


class Relay:
    """Passes answers on."""

    def __init__(self, metrics: Metrics) -> None:
        """Takes where broken answers are counted."""
        self._metrics = metrics

    async def __call__(
        self,
        answer: Answer,
        exchange: Exchange,
        usage: Reader,
        watchers: Sequence[Watcher],
        idle_seconds: float,
    ) -> None:
        """Passes one on, to its end or to where it breaks.

        An answer that breaks after its first byte ends the client's connection without the end mark. Nothing may be
        tried again then, since another answer would not go on where this one stopped; and nothing may be added, since a
        made-up end (`[DONE]`, or a last chunk) would let half an answer pass for a whole one.

        Args:
            answer: The answer.
            exchange: The request.
            usage: Reads the tokens, and takes out what the client did not ask for.
            watchers: Shown each piece as the client gets it.
            idle_seconds: How long the model may be silent.
        """
        if exchange.status and answer.status >= HTTPStatus.BAD_REQUEST:
            # The client was kept alive, so its answer has begun as a success.
            await exchange.write(event(answer.first, exchange.shape), more=False)
            exchange.status = answer.status
            return
        if not exchange.status:
            await exchange.start(answer.status, answer.headers)
        try:
            if answer.more:
                answer.limit_silence(idle_seconds)
            await self._pump(answer, exchange, usage, watchers)
        except SilentError:
            self._broken(Reason.IDLE_TIMEOUT, exchange)
        except BrokenStreamError:
            self._broken(Reason.BROKEN_STREAM, exchange)
        finally:
            if not exchange.complete and (rest := usage.end()):
                await exchange.write(rest, more=True)  # whole events that were held back; the break comes after them
            exchange.usage = usage.usage

    async def _pump(
        self,
        answer: Answer,
        exchange: Exchange,
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
                await exchange.write(piece, more=more)
            if not more:
                return
            piece = await answer.read()
            more = answer.more

    def _broken(self, reason: Reason, exchange: Exchange) -> None:
        assert exchange.target is not None  # noqa: S101  # it has begun to answer
        logger.warning("answer %s of %s broke: %s", exchange.request_id.decode(), exchange.target.model, reason)
        self._metrics.upstream_errors.labels(exchange.target.model, reason).inc()
