"""What clients are told about limits: headers of every answer, and refusals."""

import math
from collections.abc import Sequence
from http import HTTPStatus

from serve_app.gateway.access.budget import next_month, seconds_to_next_month
from serve_app.gateway.access.charge import MICROS
from serve_app.gateway.access.rules import Limit, LimitState
from serve_app.gateway.access.windows import duration
from serve_app.gateway.api.errors import ApiError, Header

_MONTHLY = (Limit.BUDGET, Limit.COST)
_CONCURRENT_RETRY_SECONDS = 1
"""Nobody knows when a running request ends."""


def limit_headers(states: Sequence[LimitState], *, let_in: bool) -> list[Header]:
    """The headers that OpenAI's clients read, of the tightest policies.

    Args:
        states: How the caller's scopes stood.
        let_in: Whether the request counts since then.
    """
    by_requests = by_tokens = None
    for state in states:
        rule = state.rule
        if rule.requests and (by_requests is None or state.requests_left < by_requests.requests_left):
            by_requests = state
        if rule.tokens and (by_tokens is None or state.tokens_left < by_tokens.tokens_left):
            by_tokens = state
    headers: list[Header] = []
    if by_requests:
        left = max(0, by_requests.requests_left - 1) if let_in else by_requests.requests_left
        reset = by_requests.requests.seconds_to_empty()
        if let_in and not by_requests.requests.current:
            reset = by_requests.requests.current_ttl
        headers += (
            (b"x-ratelimit-limit-requests", b"%d" % by_requests.rule.requests),
            (b"x-ratelimit-remaining-requests", b"%d" % left),
            (b"x-ratelimit-reset-requests", duration(reset)),
        )
    if by_tokens:
        headers += (
            (b"x-ratelimit-limit-tokens", b"%d" % by_tokens.rule.tokens),
            (b"x-ratelimit-remaining-tokens", b"%d" % by_tokens.tokens_left),
            (b"x-ratelimit-reset-tokens", duration(by_tokens.tokens.seconds_to_empty())),
        )
    return headers


def refusal(states: Sequence[LimitState]) -> tuple[LimitState, Limit, ApiError]:
    """What refused a request; of several limits the one that lasts longest, so that the time told is long enough."""
    exceeded = [(_seconds(state, limit), state, limit) for state in states for limit in state.exceeded()]
    seconds, state, limit = max(exceeded, key=lambda each: each[0])
    headers = limit_headers(states, let_in=False)
    headers.append((b"retry-after", b"%d" % seconds))
    code = "rate_limit_exceeded"
    if limit in _MONTHLY:
        code = "insufficient_quota"
        headers.append((b"x-should-retry", b"false"))  # OpenAI's and Anthropic's clients would try again at once
    error = ApiError(HTTPStatus.TOO_MANY_REQUESTS, _sentence(state, limit, seconds), code=code, headers=headers)
    return state, limit, error


def _seconds(state: LimitState, limit: Limit) -> int:
    """When to try again, in whole seconds, at least 1."""
    if limit in _MONTHLY:
        return seconds_to_next_month()
    if limit is Limit.CONCURRENT:
        return _CONCURRENT_RETRY_SECONDS
    if limit is Limit.REQUESTS:
        seconds = state.requests.seconds_to_next(state.rule.requests)
    else:
        seconds = state.tokens.seconds_to_next(state.rule.tokens)
    # Exactly then the count is still at the limit.
    return max(1, math.ceil(seconds + 0.001))


def _sentence(state: LimitState, limit: Limit, seconds: int) -> str:
    rule = state.rule
    whose = f"The {rule.kind} {rule.name!r} has"
    if limit in _MONTHLY:
        what = f"{rule.budget} tokens" if limit is Limit.BUDGET else f"{rule.cost / MICROS:g} for tokens"
        return f"{whose} used up its {what} of this month, the next begins on {next_month()} (UTC)."
    if limit is Limit.CONCURRENT:
        return f"{whose} {rule.concurrent} requests running, which is its limit, try again when one has ended."
    allowed = f"{rule.requests} requests" if limit is Limit.REQUESTS else f"{rule.tokens} tokens"
    return f"{whose} reached its limit of {allowed} per minute, try again in {seconds} s."
