import pytest

from serve_app.gateway.exchange.outcome import RETRIED, Reason
from serve_app.gateway.upstream.attempt import Answer, AttemptError
from serve_app.gateway.upstream.retry import Backoff, first_answer

ANSWER = Answer(200, [], b"x", None)


class Clock:
    """Time that passes only in pauses and attempts."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Attempts:
    """Fails for these reasons, each after some seconds, then answers."""

    def __init__(self, clock: Clock, *failures: tuple[float, Reason]) -> None:
        self.clock = clock
        self.failures = list(failures)
        self.fresh: list[bool] = []

    async def __call__(self, fresh: bool) -> Answer:
        self.fresh.append(fresh)
        if not self.failures:
            return ANSWER
        seconds, reason = self.failures.pop(0)
        self.clock.now += seconds
        raise AttemptError(reason, "why")


@pytest.mark.parametrize("reason", RETRIED)
async def test_attempts_go_on_with_new_connections_and_growing_pauses(reason: Reason) -> None:
    clock = Clock()
    attempts = Attempts(clock, *[(0.0, reason)] * 7)
    told: list[Reason] = []
    answer = await first_answer(
        attempts, window=60, max_lost=9, retried=told.append, sleep=clock.sleep, clock=clock, draw=lambda: 1.0
    )
    assert answer is ANSWER
    assert attempts.fresh == [False] + [True] * 7
    assert clock.pauses == [0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert told == [reason] * 7


@pytest.mark.parametrize("reason", sorted(set(Reason) - set(RETRIED)))
async def test_other_failures_end_it(reason: Reason) -> None:
    clock = Clock()
    attempts = Attempts(clock, (0.0, reason))
    with pytest.raises(AttemptError):
        await first_answer(
            attempts,
            window=60,
            max_lost=9,
            retried=lambda reason: None,
            sleep=clock.sleep,
            clock=clock,
            draw=lambda: 1.0,
        )
    assert attempts.fresh == [False]


async def test_the_window_ends_it() -> None:
    clock = Clock()
    attempts = Attempts(clock, *[(0.0, Reason.CONNECT)] * 100)
    backoff = Backoff(first=1, longest=1)
    with pytest.raises(AttemptError):
        await first_answer(
            attempts,
            window=3,
            max_lost=9,
            retried=lambda reason: None,
            backoff=backoff,
            sleep=clock.sleep,
            clock=clock,
            draw=lambda: 1.0,
        )
    assert len(attempts.fresh) == 4
    assert clock.now == 102


async def test_the_window_begins_with_the_first_failure() -> None:
    clock = Clock()
    attempts = Attempts(clock, (500.0, Reason.RESET))  # held by a replica for long, then lost
    answer = await first_answer(
        attempts, window=3, max_lost=9, retried=lambda reason: None, sleep=clock.sleep, clock=clock
    )
    assert answer is ANSWER


async def test_no_window_no_second_attempt() -> None:
    clock = Clock()
    attempts = Attempts(clock, (0.0, Reason.CONNECT))
    with pytest.raises(AttemptError):
        await first_answer(
            attempts,
            window=0,
            max_lost=9,
            retried=lambda reason: None,
            sleep=clock.sleep,
            clock=clock,
            draw=lambda: 1.0,
        )
    assert clock.pauses == []


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(5.0, Reason.RESET), (5.0, Reason.NO_REPLICA), (5.0, Reason.ENGINE_DEAD)],
    ids=["connection", "replica behind HAProxy", "engine"],
)
async def test_a_request_that_models_do_not_survive_is_not_sent_for_ever(seconds: float, reason: Reason) -> None:
    clock = Clock()
    attempts = Attempts(clock, *[(seconds, reason)] * 100)
    with pytest.raises(AttemptError, match="lost 3 times: why") as lost:
        await first_answer(
            attempts, window=600, max_lost=2, retried=lambda reason: None, sleep=clock.sleep, clock=clock
        )
    assert lost.value.reason is Reason.LOST
    assert len(attempts.fresh) == 3


async def test_a_stale_connection_or_an_absent_replica_is_no_loss() -> None:
    clock = Clock()
    attempts = Attempts(clock, (0.0, Reason.RESET), *[(0.0, Reason.NO_REPLICA)] * 20)
    answer = await first_answer(
        attempts, window=600, max_lost=0, retried=lambda reason: None, sleep=clock.sleep, clock=clock
    )
    assert answer is ANSWER
