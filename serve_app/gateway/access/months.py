"""Months of budgets; they are UTC's."""

import calendar
import time
from functools import lru_cache

MONTH_KEPT_SECONDS = 35 * 86400
"""How long a month's count is kept: longer than any month."""


def this_month() -> str:
    """The month, as `2026-02`."""
    return _month_of(int(time.time()) // 3600)


@lru_cache(maxsize=2)
def _month_of(hour: int) -> str:
    return time.strftime("%Y-%m", time.gmtime(hour * 3600))


def seconds_to_next_month() -> int:
    """How long this month lasts."""
    now = time.time()
    today = time.gmtime(now)
    days = calendar.monthrange(today.tm_year, today.tm_mon)[1]
    return calendar.timegm((today.tm_year, today.tm_mon, 1, 0, 0, 0)) + days * 86400 - int(now)


def next_month() -> str:
    """The first day of the next month, as `2026-03-01`."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + seconds_to_next_month()))
