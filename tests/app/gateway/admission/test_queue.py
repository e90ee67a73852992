"""Whose turn comes when, and who is refused."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.admission.metrics import QueueMetrics
from serve_app.gateway.admission.queue import Admission, ModelQueue
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.endpoints import Endpoints
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.observe.metrics import Metrics
from serve_app.settings.gateway import Model, Priority, Queue

LIMITS = Queue(maxRequests=4, maxSeconds=30)


class Room:
    """One model's queue with some slots, and the order in which requests got one."""

    def __init__(self, slots: int = 1, limits: Queue = LIMITS) -> None:
        self.registry = CollectorRegistry()
        self.queue = ModelQueue("m", QueueMetrics(self.registry))
        self.slots = slots
        self.limits = limits
        self.order: list[str] = []
        self.asking: list[asyncio.Task[None]] = []

    async def ask(self, team: str, priority: Priority = "normal", name: str = "", work: str = "") -> asyncio.Task[None]:
        async def wait() -> None:
            await self.queue.enter(Caller(team=team, priority=priority, work=work), team, self.slots, self.limits)
            self.order.append(name or team)

        task = asyncio.create_task(wait())
        self.asking.append(task)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task

    async def serve(self, *teams: str) -> None:
        """Ends the requests of these teams, one after the other."""
        for team in teams:
            self.queue.leave(team)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ray_vllm_gateway_{name}", {"model": "m", **labels})


async def test_nobody_waits_while_a_slot_is_free() -> None:
    room = Room(slots=2)
    assert room.queue.try_enter("a", 2)
    assert room.queue.try_enter("a", 2)
    assert not room.queue.try_enter("a", 2)
    room.queue.leave("a")
    assert room.queue.try_enter("b", 2)


async def test_no_bound_lets_all_in() -> None:
    queue = ModelQueue("m", QueueMetrics(CollectorRegistry()))
    assert all(queue.try_enter("a", 0) for _ in range(1000))


async def test_first_come_first_served_within_a_team() -> None:
    room = Room()
    for name in ("1", "2", "3"):
        await room.ask("a", name=name)
    await room.serve("a", "a")
    assert room.order == ["1", "2", "3"]


async def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    room = Room()
    await room.ask("a")
    await room.ask("b")
    room.slots = 2
    assert not room.queue.try_enter("c", 2)


async def test_teams_take_turns() -> None:
    room = Room(slots=2)
    for name in ("a1", "a2", "a3", "a4"):
        await room.ask("a", name=name)
    await room.ask("b", name="b1")
    await room.ask("b", name="b2")
    assert room.order == ["a1", "a2"]
    await room.serve("a")  # a has 1 in flight, b none
    assert room.order[2:] == ["b1"]
    await room.serve("b")  # again
    assert room.order[3:] == ["b2"]
    await room.serve("b")
    assert room.order[4:] == ["a3"]


async def test_equal_teams_alternate() -> None:
    room = Room(limits=Queue(maxRequests=10, maxSeconds=30))
    await room.ask("x", name="x")
    for name in ("a1", "a2", "b1", "b2"):
        await room.ask(name[0], name=name)
    await room.serve("x", "a", "b", "a")
    assert room.order == ["x", "a1", "b1", "a2", "b2"]


async def test_priority_goes_first() -> None:
    room = Room()
    await room.ask("a", name="running")
    await room.ask("a", "low", name="low")
    await room.ask("a", "normal", name="normal")
    await room.ask("b", "high", name="high")
    await room.serve("a", "b", "a")
    assert room.order == ["running", "high", "normal", "low"]


async def test_full_queue_refuses_with_retry_after() -> None:
    room = Room()
    for _ in range(5):
        await room.ask("a")
    refused = await room.ask("a")
    with pytest.raises(ApiError, match="4 requests wait for the model 'm' already") as error:
        await refused
    assert error.value.status == 503
    assert (b"retry-after", b"5") in error.value.headers
    assert room.value("queue_rejections_total", reason="full") == 1
    assert room.value("queue_length") == 4


async def test_higher_priority_takes_a_place_in_a_full_queue() -> None:
    room = Room()
    for number in range(5):
        await room.ask("a", "low", name=str(number))
    await room.ask("b", "high", name="high")
    with pytest.raises(ApiError, match="Requests that come first took all places"):
        await room.asking[4]
    await room.serve("a")
    assert room.order == ["0", "high"]
    assert room.value("queue_rejections_total", reason="displaced") == 1


async def test_a_team_that_fills_the_queue_makes_room_for_another() -> None:
    room = Room()
    for number in range(5):
        await room.ask("a", name=str(number))
    await room.ask("b", name="b")
    assert list(room.queue) == ["a", "a", "a", "b"]
    assert isinstance(room.asking[4].exception(), ApiError)
    await room.ask("b", name="b2")
    assert list(room.queue) == ["a", "a", "b", "b"]
    third = await room.ask("b")
    assert isinstance(third.exception(), ApiError), "its team has its fair share of places"


async def test_waiting_ends_at_its_limit() -> None:
    room = Room(limits=Queue(maxRequests=4, maxSeconds=0.01))
    await room.ask("a")
    late = await room.ask("a")
    with pytest.raises(ApiError, match=r"No slot of the model 'm' got free in 0.01 s"):
        await late
    assert room.value("queue_rejections_total", reason="timeout") == 1
    assert list(room.queue) == []


async def test_one_who_leaves_frees_the_place() -> None:
    room = Room()
    await room.ask("a", name="1")
    gone = await room.ask("a", name="2")
    await room.ask("a", name="3")
    gone.cancel()
    await asyncio.sleep(0)
    await room.serve("a")
    assert room.order == ["1", "3"]
    assert room.value("queue_length") == 0


async def test_one_who_leaves_as_its_turn_comes_gives_the_slot_on() -> None:
    room = Room()
    await room.ask("a", name="1")
    gone = await room.ask("a", name="2")
    await room.ask("a", name="3")
    room.queue.leave("a")  # the turn of 2
    gone.cancel()
    await asyncio.sleep(0.01)
    assert room.order == ["1", "3"]


@pytest.mark.parametrize("slots", [2, 0])
async def test_more_slots_after_a_reload_reach_those_who_wait(slots: int) -> None:
    room = Room()
    await room.ask("a", name="1")
    await room.ask("a", name="2")
    await room.ask("a", name="3")
    room.slots = slots
    await room.ask("a", name="4")
    await asyncio.sleep(0)
    assert sorted(room.order) == (["1", "2", "3", "4"] if not slots else ["1", "2"])


def target(slots: int) -> Target:
    entry = Model(url="http://h", maxConcurrentRequests=slots)
    return Target("m", "", entry, "m", Endpoints(entry))


async def test_slots_are_counted_and_released_once() -> None:
    metrics = Metrics()
    admission = Admission(QueueMetrics(metrics.registry), metrics.in_flight_gauge)

    def in_flight() -> float | None:
        return metrics.registry.get_sample_value("ray_vllm_gateway_requests_in_flight", {"model": "m"})

    first = await admission.slot(target(1), Caller(key="k"), LIMITS)
    assert first.waited_seconds == 0
    second = asyncio.create_task(admission.slot(target(1), Caller(key="k"), LIMITS))
    await asyncio.sleep(0.02)
    assert in_flight() == 1
    first.release()
    first.release()
    held = await second
    assert 0.01 < held.waited_seconds < 10
    assert in_flight() == 1
    held.release()
    assert in_flight() == 0
