"""Tokens and money per month: what this replica knows of them."""

import calendar
import time
from functools import lru_cache

MONTH_KEPT_SECONDS = 35 * 86400
"""How long a month's count is kept: longer than any month."""


def budget_key(scope: str) -> str:
    """The key of a scope's count in this month."""
    return _key_of(scope, this_month())


def cost_key(scope: str) -> str:
    """The key of a scope's price of this month's tokens."""
    return _key_of(scope, this_month(), "cost")


@lru_cache(maxsize=8192)
def _key_of(scope: str, month: str, kind: str = "budget") -> str:
    return f"{kind}/{scope}/{month}"


def this_month() -> str:
    """The month, as `2026-02`; it is UTC's."""
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


class Budgets:
    """Counts of months that are in memory, all of them where there is no Redis: those are lost with the process.

    With Redis they are what the replica saw there last, and what it still has to tell there. So a budget that is used
    up stays so while Redis cannot be reached, and no tokens of that time are forgotten.
    """

    def __init__(self) -> None:
        """Starts at 0."""
        self._seen: dict[str, int] = {}
        self._unsent: dict[str, int] = {}

    def used(self, key: str) -> int:
        """The tokens of a month, as far as they are known here."""
        return self._seen.get(key, 0) + self._unsent.get(key, 0)

    def charge(self, key: str, tokens: int) -> None:
        """Counts tokens here."""
        self._unsent[key] = self._unsent.get(key, 0) + tokens

    def saw(self, key: str, used: int) -> None:
        """Remembers a count of Redis."""
        self._seen[key] = used

    def take_unsent(self) -> dict[str, int]:
        """What was counted here only; the caller tells it to Redis, or charges it again."""
        unsent, self._unsent = self._unsent, {}
        return unsent
