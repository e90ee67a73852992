"""One copy of a request: sent to its model once, the answer read to its end."""

import asyncio
import logging
import time
from http import HTTPStatus

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.metering.usage import reader
from serve_app.gateway.routing.metrics import RoutingMetrics, ShadowStatus
from serve_app.gateway.shadowing.comparison import KeptAnswer
from serve_app.gateway.upstream.attempt import Answer, AttemptError, BrokenStreamError, Upstream, UpstreamRequest
from serve_app.gateway.upstream.model_request import ModelRequest
from serve_app.settings.gateway import Timeouts

logger = logging.getLogger(__name__)


class ShadowCopy:
    """A copy, and what is kept of the answer to it."""

    def __init__(self, target: Target, request: ModelRequest, request_id: bytes, key: str, timeouts: Timeouts) -> None:
        """Begins the copy's time.

        Args:
            target: The model that it is for.
            request: The request, whose body is released once its model answers.
            request_id: What the model is to know the copy by.
            key: What the model wants to be shown; empty for nothing.
            timeouts: How long the model may take.
        """
        self.target = target
        self.request_id = request_id.decode()
        self.answer = KeptAnswer()
        self._api = APIS[request.path]
        self._request = request
        self._request_id = request_id
        self._key = key
        self._timeouts = timeouts
        self._began = time.perf_counter()

    async def send(self, upstream: Upstream, metrics: RoutingMetrics) -> ShadowStatus:
        """Sends it and reads the answer.

        Args:
            upstream: The connections.
            metrics: Where times and tokens are counted.

        Returns:
            How it ended; `answer` tells the same.
        """
        begun = False
        try:
            async with asyncio.timeout(self._timeouts.first_byte_seconds) as limit:
                answer = await upstream.attempt(self._upstream_request(), fresh=False)
                self._request.body.release()
                begun = True
                try:
                    return await self._read(answer, limit, metrics)
                finally:
                    answer.close()
        except (ApiError, AttemptError) as failure:
            logger.debug("copy %s to %s failed: %s", self.request_id, self.target.model, failure)
            return self._failed(HTTPStatus.SERVICE_UNAVAILABLE)
        except TimeoutError:
            return ShadowStatus.BROKEN if begun else self._failed(HTTPStatus.GATEWAY_TIMEOUT)
        except BrokenStreamError:
            return ShadowStatus.BROKEN

    async def _read(self, answer: Answer, limit: asyncio.Timeout, metrics: RoutingMetrics) -> ShadowStatus:
        labels = self.target.route, self.target.model
        kept = self.answer
        kept.status = answer.status
        succeeded = answer.status < HTTPStatus.BAD_REQUEST
        if succeeded:
            metrics.shadow_time_to_first_byte.labels(*labels).observe(time.perf_counter() - self._began)
        usage = reader(self._api, event_stream=answer.is_event_stream)
        loop = asyncio.get_running_loop()
        piece = answer.first
        while True:
            kept.feed(piece)
            usage.feed(piece)
            if not answer.more:
                break
            limit.reschedule(loop.time() + self._timeouts.idle_seconds)
            piece = await answer.read()
        kept.complete = True
        usage.end()
        if succeeded:
            metrics.shadow_duration.labels(*labels).observe(time.perf_counter() - self._began)
            if usage.usage:
                metrics.shadow_completion_tokens.labels(*labels).inc(usage.usage.completion)
            return ShadowStatus.SUCCESS
        client_error = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return ShadowStatus.CLIENT_ERROR if client_error else ShadowStatus.SERVER_ERROR

    def _failed(self, status: int) -> ShadowStatus:
        """Notes what a caller would have been told."""
        self.answer.status = status
        self.answer.complete = True
        return ShadowStatus.FAILED

    def _upstream_request(self) -> UpstreamRequest:
        return self._request.to(self.target, self._request_id, self._key, self._timeouts.connect_seconds)
