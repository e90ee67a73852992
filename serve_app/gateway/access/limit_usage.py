"""A caller's limits and how they stand, as `/v1/limits` shows them."""

import time
from collections.abc import Sequence
from typing import Any

from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.months import this_month
from serve_app.gateway.access.rules import MICRO
from serve_app.gateway.exchange.caller import Caller

Usage = dict[str, Any]


def usage_of(caller: Caller, states: Sequence[LimitState], *, shared: bool) -> Usage:
    """A caller's limits as JSON.

    Args:
        caller: Whose they are.
        states: How its scopes stand.
        shared: Whether they are of all replicas.
    """
    usage: Usage = {"shared": shared, "limits": [_scope(state) for state in states]}
    if caller.expires_at is not None:
        usage["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(caller.expires_at))
    return usage


def _scope(state: LimitState) -> Usage:
    rule = state.rule
    usage: Usage = {"scope": rule.kind, "name": rule.name}
    if rule.requests:
        usage["requests_per_minute"] = {
            "limit": rule.requests,
            "remaining": state.requests_left,
            "reset_seconds": round(state.requests.seconds_to_empty(), 3),
        }
    if rule.tokens:
        usage["tokens_per_minute"] = {
            "limit": rule.tokens,
            "remaining": state.tokens_left,
            "reserved": state.reserved_tokens,
            "reset_seconds": round(state.tokens.seconds_to_empty(), 3),
        }
    if rule.concurrent:
        usage["concurrent_requests"] = {"limit": rule.concurrent, "running": state.running}
    if rule.monthly_tokens:
        usage["monthly_tokens"] = _budget(rule.monthly_tokens, state.used_tokens, state.reserved_tokens)
    if rule.monthly_cost:
        numbers = _budget(rule.monthly_cost, state.used_cost, state.reserved_cost)
        usage["monthly_cost"] = {key: each / MICRO if key != "month" else each for key, each in numbers.items()}
    return usage


def _budget(limit: int, used: int, reserved: int) -> Usage:
    remaining = max(0, limit - used - reserved)
    return {"limit": limit, "remaining": remaining, "used": used, "reserved": reserved, "month": this_month()}
