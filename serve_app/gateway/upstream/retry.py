"""Attempts, until one brings the first byte of an answer or the time for them is over."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import random

from serve_app.gateway.exchange.outcome import RETRIED, Reason
from serve_app.gateway.upstream.attempt import Answer, AttemptError

logger = logging.getLogger(__name__)

Attempt = Callable[[bool], Awaitable[Answer]]

_LOST_AFTER_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Backoff:
    """The longest pause before each new attempt but the first: doubling from `first` to `longest`, in seconds.

    The pause itself is drawn between 0 and that ("full jitter"), so that requests which failed together do not come
    again together.
    """

    first: float = 0.05
    longest: float = 1.0


DEFAULT_BACKOFF = Backoff()


async def first_answer(
    attempt: Attempt,
    *,
    window: float,
    max_lost: int,
    retried: Callable[[Reason], None],
    backoff: Backoff = DEFAULT_BACKOFF,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
    draw: Callable[[], float] = random,
) -> Answer:
    """Repeats an attempt that failed without an answer.

    Such an attempt may be made again whatever the request is: either no model has seen it, or the one that did is gone
    and its text with it. Each new one takes a new connection, so that kube-proxy may choose another node; the first is
    made at once, since the pooled connection before it may only have been stale, or led to a node that is being
    drained. The window begins with the first failure, not with the request, which may have waited for long at a replica
    that then was lost.

    A request that a model took and that was lost with it may be what ended the model, so it is sent again `max_lost`
    times only: a poisonous request shall not go round all replicas.

    Args:
        attempt: Makes an attempt; its argument tells whether it has to take a new connection.
        window: Seconds after the first failure in which new attempts are begun.
        max_lost: How many attempts may be lost and made again.
        retried: Told the reason for each new attempt.
        backoff: The pauses.
        sleep: Makes a pause.
        clock: Tells the time in seconds.
        draw: Draws a number between 0 and 1, the share of a pause.

    Raises:
        AttemptError: The last failure, once the window is over or if a new attempt would be of no use; its reason is
            `LOST` where the request was lost too often.
    """
    fresh = False
    give_up_at = 0.0
    pause = 0.0
    lost = 0
    while True:
        began = clock()
        try:
            return await attempt(fresh)
        except AttemptError as failure:
            now = clock()
            lost += _was_taken(failure.reason, now - began, fresh)
            if lost > max_lost:
                raise AttemptError(Reason.LOST, f"lost {lost} times: {failure}") from failure
            give_up_at = give_up_at or now + window
            if failure.reason not in RETRIED or now + pause >= give_up_at:
                raise
            logger.debug("new attempt in %g s after %s: %s", pause, failure.reason, failure)
            retried(failure.reason)
        await sleep(pause * draw())
        pause = min(pause * 2, backoff.longest) or backoff.first
        fresh = True


def _was_taken(reason: Reason, seconds: float, fresh: bool) -> bool:
    """Whether a model may have worked on a request that failed.

    A connection from the pool that breaks at once was only stale. HAProxy says "no replica" at once where there is
    none, and late where it lost the one that it had. A replica whose engine has died already says so at once.
    """
    if reason is Reason.RESET:
        return fresh or seconds > _LOST_AFTER_SECONDS
    return reason in (Reason.NO_REPLICA, Reason.ENGINE_DEAD) and seconds > _LOST_AFTER_SECONDS
