"""Queues in front of models: bounded, in order of priority, fair between teams.

A model's slots are what one gateway replica may have in flight to it. While one is free nobody waits. A slot that gets
free goes to the highest priority that waits; within a priority to the team with the fewest requests in flight to that
model, which over time is max-min fairness; within a team to the one that came first. Where the queue is full, a
request may take the place of another: of one of lower priority, or of the team that has more requests waiting.

Work that nobody waits for (lines of batches, documents) comes after all of that. It has all slots of a model that
nobody else asks, and a share of them while somebody does: an engine that is busy with batches makes others wait in it.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from http import HTTPStatus

from prometheus_client import Gauge

from serve_app.gateway.admission.background import Background
from serve_app.gateway.admission.metrics import QueueMetrics
from serve_app.gateway.admission.slot import Slot
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.plan import Target
from serve_app.settings.gateway import Priority, Queue

_RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
_BACKGROUND = 3
RETRY_AFTER_SECONDS = 5


class _Waiter:
    __slots__ = ("admitted", "group", "rank")

    def __init__(self, caller: Caller, group: str) -> None:
        self.rank = _BACKGROUND if caller.work else _RANKS[caller.priority]
        self.group = group
        self.admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class ModelQueue:
    """The slots of one model, and who waits for one."""

    def __init__(self, model: str, metrics: QueueMetrics) -> None:
        """Starts with nobody.

        Args:
            model: Its id, for metrics and errors.
            metrics: Where waiting is counted.
        """
        self._model = model
        self._metrics = metrics
        self._slots = 0
        self._in_flight = 0
        self._in_flight_of: Counter[str] = Counter()
        self._waiting: tuple[dict[str, deque[_Waiter]], ...] = ({}, {}, {}, {})
        self._length = 0
        self._background = Background(self._admit)
        self._percent = 100.0

    def try_enter(self, group: str, slots: int, *, background: bool = False, percent: float = 100) -> bool:
        """Takes a slot if one is free and nobody waits for it who comes first.

        Args:
            group: The team; or the key, where it has none.
            slots: How many there are by the configuration of the moment; 0 for any number.
            background: Whether nobody waits for the answer.
            percent: The share of slots that such requests have while others ask.
        """
        self._slots, self._percent = slots, percent
        first = not any(self._waiting if background else self._waiting[:_BACKGROUND])
        if not first or not self._free(background=background):
            return False
        self._take(group, background=background)
        return True

    def _free(self, *, background: bool) -> bool:
        if self._slots and self._in_flight >= self._slots:
            return False
        return not background or self._background.room(self._in_flight, self._slots, self._percent)

    def _take(self, group: str, *, background: bool) -> None:
        self._in_flight += 1
        self._in_flight_of[group] += 1
        self._background.entered(background=background)

    async def enter(self, caller: Caller, group: str, slots: int, limits: Queue) -> None:
        """Waits for a slot and takes it.

        Args:
            caller: Who waits; its priority counts.
            group: As in `try_enter`.
            slots: As in `try_enter`.
            limits: How many may wait, and for how long.

        Raises:
            ApiError: 503, the queue is full or the time is over.
        """
        background = bool(caller.work)
        if self.try_enter(group, slots, background=background, percent=limits.background_percent):
            return
        waiter = _Waiter(caller, group)
        if self._length >= limits.max_requests and not self._make_room(waiter):
            raise self._refusal("full", f"{self._length} requests wait for the model {self._model!r} already.")
        self._waiting[waiter.rank].setdefault(group, deque()).append(waiter)
        self._count(1)
        self._admit()
        try:
            async with asyncio.timeout(limits.max_seconds):
                await waiter.admitted
        except BaseException as error:
            if waiter.admitted.done() and not waiter.admitted.cancelled() and not waiter.admitted.exception():
                self.leave(group, background=background)  # its turn came in the very moment in which it gave up
            else:
                self._remove(waiter)
            if isinstance(error, TimeoutError):
                waited = f"No slot of the model {self._model!r} got free in {limits.max_seconds:g} s."
                raise self._refusal("timeout", waited) from error
            raise

    def leave(self, group: str, *, background: bool = False) -> None:
        """Gives a slot back."""
        self._in_flight -= 1
        self._background.left(background=background)
        left = self._in_flight_of[group] - 1
        if left:
            self._in_flight_of[group] = left
        else:
            del self._in_flight_of[group]
        if self._length:
            self._admit()

    def _admit(self) -> None:
        while self._length:
            rank = next(rank for rank, queues in enumerate(self._waiting) if queues)
            background, queues = rank == _BACKGROUND, self._waiting[rank]
            if not self._free(background=background):
                return
            # dicts keep their order: among equals the team whose last turn is the longest ago is first
            group = min(queues, key=lambda name: self._in_flight_of[name])
            waiter = queues[group][0]
            self._remove(waiter)
            if group in queues:
                queues[group] = queues.pop(group)
            if waiter.admitted.done():
                continue  # cancelled, and its task has not run since: nobody would give the slot back
            self._take(group, background=background)
            waiter.admitted.set_result(None)

    def _make_room(self, newcomer: _Waiter) -> bool:
        for rank in range(len(self._waiting) - 1, newcomer.rank - 1, -1):
            queues = self._waiting[rank]
            if not queues:
                continue
            largest = max(queues, key=lambda name: len(queues[name]))
            own = len(queues.get(newcomer.group, ()))
            if rank == newcomer.rank and len(queues[largest]) <= own + 1:
                return False
            displaced = queues[largest][-1]
            self._remove(displaced)
            if not displaced.admitted.done():
                refusal = self._refusal("displaced", "Requests that come first took all places.")
                displaced.admitted.set_exception(refusal)
            return True
        return False

    def _remove(self, waiter: _Waiter) -> None:
        queues = self._waiting[waiter.rank]
        queue = queues.get(waiter.group)
        if queue is None or waiter not in queue:
            return
        queue.remove(waiter)
        if not queue:
            del queues[waiter.group]
        self._count(-1)

    def _count(self, change: int) -> None:
        self._length += change
        self._metrics.length_gauge(self._model).set(self._length)

    def _refusal(self, reason: str, message: str) -> ApiError:
        self._metrics.rejections.labels(self._model, reason).inc()
        headers = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
        text = f"{message} Try again in {RETRY_AFTER_SECONDS} s."
        return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, text, code="model_overloaded", headers=headers)

    def __iter__(self) -> Iterator[str]:
        """The teams that wait, once for each request, highest priority first; for tests and debugging."""
        for queues in self._waiting:
            for group, queue in queues.items():
                yield from [group] * len(queue)


class Admission:
    """The queues of all models. They outlive a reload of the configuration, as the requests in flight do."""

    def __init__(self, metrics: QueueMetrics, in_flight: Callable[[str], Gauge]) -> None:
        """Starts without queues; each is made with its model's first request.

        Args:
            metrics: Where waiting is counted.
            in_flight: Model id -> where its requests in flight are counted.
        """
        self._metrics = metrics
        self._in_flight = in_flight
        self._queues: dict[str, ModelQueue] = {}

    async def slot(self, target: Target, caller: Caller, limits: Queue) -> Slot:
        """Waits for a slot of a model.

        Args:
            target: The model.
            caller: Who asks; the team shares what is fair, a key without one counts for itself.
            limits: How many may wait, and for how long.

        Raises:
            ApiError: 503, there is no place or its time is over.
        """
        queue = self._queues.get(target.model)
        if queue is None:
            queue = self._queues[target.model] = ModelQueue(target.model, self._metrics)
        group = caller.team or f"key/{caller.key}"
        slots = target.entry.max_concurrent_requests
        waited = 0.0
        background = bool(caller.work)
        if not queue.try_enter(group, slots, background=background, percent=limits.background_percent):
            began = time.perf_counter()
            await queue.enter(caller, group, slots, limits)
            waited = time.perf_counter() - began
        return Slot(queue, group, self._in_flight(target.model), waited, background=background)
