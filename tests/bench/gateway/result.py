"""What was measured of a proxy."""

import statistics
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import uvloop

from tests.bench.gateway.client import FailedError
from tests.bench.gateway.held import Held
from tests.bench.gateway.load import Outcome, percentile
from tests.bench.gateway.process import NotStartedError

T = TypeVar("T")
C = TypeVar("C", "Ceiling", "Steady")


@dataclass
class Ceiling:
    """As fast as it goes."""

    outcome: Outcome
    cpu_seconds: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of the proxy's CPU time for each answer."""
        return self.cpu_seconds / max(self.outcome.answered, 1) * 1e6

    @property
    def busy(self) -> float:
        """How much of its core the proxy had; far below 1, the load was the limit."""
        return self.cpu_seconds / self.outcome.seconds


@dataclass
class Added:
    """Milliseconds with the proxy less those without it, under the same load."""

    p50: float
    p99: float
    without_p99: float
    """What the machine, the model and the clients take by themselves."""
    failed: int = 0
    busy: float = 0
    """How much of its core the proxy had."""

    @classmethod
    def between(cls, without: Outcome, within: Outcome, times: Callable[[Outcome], list[float]]) -> "Added":
        """Compares two loads."""
        p50, p99 = (percentile(times(within), part) - percentile(times(without), part) for part in (50, 99))
        return cls(p50, p99, percentile(times(without), 99), within.failed)

    @classmethod
    def median(cls, several: Sequence["Added"]) -> "Added":
        """The median of each figure, and all that failed."""
        return cls(
            p50=statistics.median(one.p50 for one in several),
            p99=statistics.median(one.p99 for one in several),
            without_p99=statistics.median(one.without_p99 for one in several),
            failed=sum(one.failed for one in several),
            busy=statistics.median(one.busy for one in several),
        )


@dataclass
class Steady:
    """`STEADY_STREAMS` streams at once, each with an event every `null_model.INTERVAL` seconds."""

    cpu_us: float
    """Of the proxy, for each event."""
    first: Added
    whole: Added


@dataclass
class Result:
    """All about one proxy; what could not be measured is absent and `errors` says why."""

    name: str
    about: str
    whole: Ceiling | None = None
    stream: Ceiling | None = None
    added: Added | None = None
    steady: Steady | None = None
    held: Held | None = None
    errors: list[str] = field(default_factory=list)
    is_gateway: bool = False
    rounds: Sequence["Result"] = ()
    """What each round found, where this is the median."""

    @classmethod
    def median(cls, rounds: Sequence["Result"]) -> "Result":
        """The round in the middle, by CPU time, of each measurement; the median of what is added; all errors."""

        def middle(found: Iterable[C | None]) -> C | None:
            measured = sorted((one for one in found if one), key=lambda one: one.cpu_us)
            return measured[len(measured) // 2] if measured else None

        errors = [error for one in rounds for error in one.errors]
        first = rounds[0]
        result = cls(first.name, first.about, errors=errors, is_gateway=first.is_gateway, rounds=rounds)
        result.whole, result.stream = middle(one.whole for one in rounds), middle(one.stream for one in rounds)
        result.steady = middle(one.steady for one in rounds)
        if added := [one.added for one in rounds if one.added]:
            result.added = Added.median(added)
        for what, ceilings in (
            ("requests", [one.whole for one in rounds]),
            ("streams", [one.stream for one in rounds]),
        ):
            outcomes = [one.outcome for one in ceilings if one and one.outcome.failed]
            result.errors += [f"{one.failed} {what} failed: {one.error}" for one in outcomes]
        if failed := sum(one.steady.first.failed for one in rounds if one.steady):
            result.errors.append(f"{failed} requests failed under steady streams")
        return result

    def attempt(self, what: str, measured: Callable[[], Coroutine[None, None, T]]) -> T | None:
        """Measures; a failure is kept as a sentence."""
        try:
            return uvloop.run(measured())
        except (FailedError, NotStartedError, OSError) as error:
            self.errors.append(f"{what}: {error}")
        return None
