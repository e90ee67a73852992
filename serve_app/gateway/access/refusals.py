"""What clients are told about limits: headers of every response, and refusals."""

import math
from collections.abc import Sequence
from http import HTTPStatus

from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.months import next_month, seconds_to_next_month
from serve_app.gateway.access.rules import MICRO, Limit
from serve_app.gateway.access.windows import MINUTE, duration
from serve_app.gateway.api.errors import ApiError, Header

_RUNNING_RETRY_SECONDS = 1
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
        requests = by_requests.requests
        reset = requests.left_ms / 1000 + MINUTE if let_in else requests.seconds_to_empty()
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


def refusal(states: Sequence[LimitState], *, reserving: bool) -> tuple[LimitState, Limit, ApiError]:
    """What refused a request; of several limits the one that lasts longest, so that the time told is long enough.

    Args:
        states: How the caller's scopes stood, at least one of them refusing.
        reserving: As `LimitState.exceeded` has it.
    """
    exceeded = [
        (_seconds(state, limit), state, limit) for state in states for limit in state.exceeded(reserving=reserving)
    ]
    seconds, state, limit = max(exceeded, key=lambda each: each[0])
    headers = limit_headers(states, let_in=False)
    headers.append((b"retry-after", b"%d" % seconds))
    code = "rate_limit_exceeded"
    if _used_up(state, limit):
        code = "insufficient_quota"
        headers.append((b"x-should-retry", b"false"))  # OpenAI's and Anthropic's clients would try again at once
    error = ApiError(HTTPStatus.TOO_MANY_REQUESTS, _sentence(state, limit, seconds), code=code, headers=headers)
    return state, limit, error


def _used_up(state: LimitState, limit: Limit) -> bool:
    """Whether a month's budget is gone, also if the running requests took nothing of what they reserve."""
    if limit is Limit.BUDGET:
        return state.used_tokens >= state.rule.monthly_tokens
    return limit is Limit.COST and state.used_cost >= state.rule.monthly_cost


def _seconds(state: LimitState, limit: Limit) -> int:
    """When to try again, in whole seconds, at least 1."""
    if _used_up(state, limit):
        return seconds_to_next_month()
    if limit is Limit.REQUESTS:
        seconds = state.requests.seconds_to_next(state.rule.requests)
    elif limit is Limit.TOKENS:
        seconds = state.tokens.seconds_to_next(state.rule.tokens)
    else:
        seconds = 0
    # Exactly then the count is still at the limit.
    return math.ceil(seconds + 0.001) if seconds else _RUNNING_RETRY_SECONDS


def _sentence(state: LimitState, limit: Limit, seconds: int) -> str:
    rule = state.rule
    whose = f"The {rule.kind} {rule.name!r} has"
    if limit is Limit.CONCURRENT:
        return f"{whose} {rule.concurrent} requests running, which is its limit, try again when one has ended."
    if limit is Limit.REQUESTS:
        return f"{whose} reached its limit of {rule.requests} requests per minute, try again in {seconds} s."
    if limit is Limit.TOKENS:
        if state.tokens.left(rule.tokens):
            return _reserved(whose, f"{rule.tokens} tokens per minute")
        return f"{whose} reached its limit of {rule.tokens} tokens per minute, try again in {seconds} s."
    tokens = limit is Limit.BUDGET
    budget = f"{rule.monthly_tokens} tokens" if tokens else f"monthlyCost of {rule.monthly_cost / MICRO:.12g}"
    if _used_up(state, limit):
        return f"{whose} used up its {budget} of this month, the next begins on {next_month()} (UTC)."
    return _reserved(whose, f"{budget} of this month")


def _reserved(whose: str, limit: str) -> str:
    return f"{whose} running requests that may use up its {limit}, try again when one has ended."
