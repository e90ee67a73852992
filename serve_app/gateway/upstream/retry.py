"""Attempts, until one brings the first byte of an answer or the time for them is over."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from serve_app.gateway.observe.metrics import RETRIED, Reason
from serve_app.gateway.upstream.attempt import Answer, AttemptError

logger = logging.getLogger(__name__)

Attempt = Callable[[bool], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause before each new attempt but the first: doubling from `first` to `longest`, in seconds."""

    first: float = 0.05
    longest: float = 1.0


DEFAULT_BACKOFF = Backoff()


async def first_answer(
    attempt: Attempt,
    *,
    window: float,
    retried: Callable[[Reason], None],
    backoff: Backoff = DEFAULT_BACKOFF,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Repeats an attempt that failed without an answer.

    Such an attempt may be made again whatever the request is: either no model has seen it, or the one that did is gone
    and its text with it. Each new one takes a new connection, so that kube-proxy may choose another node; the first is
    made at once, since the pooled connection before it may only have been stale, or led to a node that is being
    drained. The window begins with the first failure, not with the request, which may have waited for long at a replica
    that then was lost.

    Args:
        attempt: Makes an attempt; its argument tells whether it has to take a new connection.
        window: Seconds after the first failure in which new attempts are begun.
        retried: Told the reason for each new attempt.
        backoff: The pauses.
        sleep: Makes a pause.
        clock: Tells the time in seconds.

    Raises:
        AttemptError: The last failure, once the window is over or if a new attempt would be of no use.
    """
    fresh = False
    give_up_at = 0.0
    pause = 0.0
    while True:
        try:
            return await attempt(fresh)
        except AttemptError as failure:
            give_up_at = give_up_at or clock() + window
            if failure.reason not in RETRIED or clock() + pause >= give_up_at:
                raise
            logger.debug("new attempt in %g s after %s: %s", pause, failure.reason, failure)
            retried(failure.reason)
        await sleep(pause)
        pause = min(pause * 2, backoff.longest) or backoff.first
        fresh = True
