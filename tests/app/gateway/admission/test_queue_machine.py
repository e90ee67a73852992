"""Any order of coming, leaving, ending, giving up and being displaced: no slot is lost, none is given twice."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from prometheus_client import CollectorRegistry

from serve_app.gateway.admission.metrics import QueueMetrics
from serve_app.gateway.admission.queue import ModelQueue
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Priority, Queue

TEAMS = st.sampled_from(["a", "b", "c"])
PRIORITIES: st.SearchStrategy[Priority] = st.sampled_from(["high", "normal", "low"])
SLOTS = 2
LIMITS = Queue(maxRequests=3, maxSeconds=3600, backgroundPercent=100)


class Requests(RuleBasedStateMachine):
    """A queue of two slots and three places, against the little that has to hold whatever its order is."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.queue = ModelQueue("m", QueueMetrics(CollectorRegistry()))
        self.asking: list[tuple[str, bool, asyncio.Task[None]]] = []
        self.cancelled: set[asyncio.Task[None]] = set()

    def run(self, turns: int) -> None:
        """Lets tasks go on by a few turns of the loop: zero leaves those that were cancelled as they are."""
        for _ in range(turns):
            self.loop.run_until_complete(asyncio.sleep(0))

    @rule(team=TEAMS, priority=PRIORITIES, work=st.sampled_from(["", "batch"]), turns=st.integers(0, 2))
    def ask(self, team: str, priority: Priority, work: str, turns: int) -> None:
        entering = self.queue.enter(Caller(team=team, priority=priority, work=work), team, SLOTS, LIMITS)
        self.asking.append((team, bool(work), self.loop.create_task(entering)))
        self.run(turns)

    @rule(data=st.data(), turns=st.integers(0, 2))
    def give_up(self, data: Any, turns: int) -> None:
        waiting = [task for _, _, task in self.asking if not task.done() and task not in self.cancelled]
        if waiting:
            task = data.draw(st.sampled_from(waiting))
            task.cancel()
            self.cancelled.add(task)
        self.run(turns)

    @rule(data=st.data(), turns=st.integers(0, 2))
    def end(self, data: Any, turns: int) -> None:
        if held := self.holding():
            entry = data.draw(st.sampled_from(held))
            self.asking.remove(entry)
            self.queue.leave(entry[0], background=entry[1])
        self.run(turns)

    def holding(self) -> list[tuple[str, bool, asyncio.Task[None]]]:
        """Those that have a slot."""
        return [each for each in self.asking if each[2].done() and not each[2].cancelled() and not each[2].exception()]

    @invariant()
    def no_more_than_the_slots_are_held(self) -> None:
        assert len(self.holding()) <= SLOTS

    @invariant()
    def when_all_is_calm_no_slot_is_free_while_somebody_waits(self) -> None:
        self.run(4)
        waiting = [task for _, _, task in self.asking if not task.done()]
        assert len(list(self.queue)) == len(waiting) <= LIMITS.max_requests
        assert not waiting or len(self.holding()) == SLOTS

    def teardown(self) -> None:
        self.run(4)
        while held := self.holding():
            self.asking.remove(held[0])
            self.queue.leave(held[0][0], background=held[0][1])
            self.run(4)
        assert not list(self.queue), "all that were left waiting got their turn"
        assert self.queue.try_enter("a", 1), "and all slots are free again"
        refused = [task.exception() for _, _, task in self.asking if not task.cancelled()]
        assert all(isinstance(error, ApiError) for error in refused)
        self.loop.close()


Requests.TestCase.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestRequests = Requests.TestCase
