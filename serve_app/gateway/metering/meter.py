"""Counts the tokens and the price of requests."""

from http import HTTPStatus

from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.metrics import Account, MeteringMetrics, Unknown

_UNKNOWN = {Outcome.DISCONNECT: Unknown.DISCONNECT, Outcome.BROKEN: Unknown.BROKEN}


class Meter:
    """Counts each request once, after its end."""

    def __init__(self, metrics: MeteringMetrics) -> None:
        self._metrics = metrics

    def count(self, record: RequestRecord) -> None:
        """Counts a request; one that no model was found for leaves no trace.

        What was reported before a stream broke off, or its client left it, is counted like all else: vLLM reports with
        each chunk, so no more than the last step of the engine is missing. Nothing is estimated.
        """
        target, usage = record.target, record.usage
        if target is None or record.api is None:
            return
        metrics = self._metrics
        if record.queued_seconds:
            metrics.queue_histogram(target.model).observe(record.queued_seconds)
        if usage is not None:
            account = Account(record.caller.team, record.caller.key, target.model, target.route)
            tokens = metrics.tokens_of(account)
            tokens.prompt.inc(usage.prompt)
            tokens.cached.inc(usage.cached)
            tokens.completion.inc(usage.completion)
            if (cost := record.cost) is not None:
                metrics.cost_of(account, record.currency).inc(cost)
        if usage is not None and not usage.partial:
            self._observe(record, target, usage)
        elif not (usage and usage.prompt + usage.cached) and _took_tokens(record) and record.api.takes_tokens:
            reason = _UNKNOWN.get(record.outcome, Unknown.NOT_REPORTED)
            metrics.usage_unknown.labels(target.model, reason).inc()

    def _observe(self, record: RequestRecord, target: Target, usage: Usage) -> None:
        """Adds a request whose usage is known to the distributions.

        The time per token is the mean of the request. The gaps between pieces would tell something else: the engine
        puts several tokens into an event, and the network several events into a piece, more so under load.
        """
        self._metrics.prompt_histogram(target.model).observe(usage.prompt + usage.cached)
        if not usage.completion:
            return
        self._metrics.completion_histogram(target.model).observe(usage.completion)
        if record.stream and usage.completion > 1:
            seconds = (record.ended_at - record.first_byte_at) / (usage.completion - 1)
            self._metrics.time_per_output_token_histogram(target.model, target.route).observe(seconds)


def _took_tokens(record: RequestRecord) -> bool:
    """Whether a model worked on a request: it began to answer, or was asked and the client left before."""
    begun = record.first_byte_at or (record.asked and record.outcome is Outcome.DISCONNECT)
    return bool(begun) and record.status < HTTPStatus.BAD_REQUEST
