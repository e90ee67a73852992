"""Who made which stored response: a request for one names no model, only the response's id.

An id is learned from the beginning of the answer that made it, and forgotten after an hour. It belongs to the team of
the caller who asked for it, or to its key where there is no team; for everybody else it does not exist. Replicas of the
gateway share what they learn where there is a store for it; otherwise one that did not see the answer has to be told
the model by `?model=NAME`, and then trusts the id, which nobody can guess.

The responses themselves are the model's: vLLM keeps them, with VLLM_ENABLE_RESPONSES_API_STORE=1 and until it ends, in
the memory of the one replica that made them. With several replicas, requests for a response (and those that go on from
one by `previous_response_id`) find it only as often as they happen to reach that replica. So either the model has one
replica, or its clients send the whole conversation with `store: false`, as they do with chat completions.
"""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import astuple, dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote_plus

import orjson

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import RESPONSE_ID
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import Caller

logger = logging.getLogger(__name__)

KEPT_SECONDS = 3600
_MOST_KEPT = 50_000
_LONGEST_HEAD = 4096
_HINT = b"model="

# The first thing in the answer, or in its first event: nothing that a caller wrote can stand there.
_ID = re.compile(
    rb"(?::[^\n]*\n+)*\s*"
    rb"(?:(?:event: ?response\.created\r?\n)?data: ?\{\s*"
    rb'(?:"(?:type|sequence_number)"\s*:\s*(?:"[^"\\]*"|\d+)\s*,\s*)*"response"\s*:\s*)?'
    rb'\{\s*(?:"object"\s*:\s*"response"\s*,\s*)?"id"\s*:\s*"(' + RESPONSE_ID.encode() + rb')"'
)


class Store(Protocol):
    """Where gateway replicas share what they learn; it may forget, and should not raise."""

    async def get(self, key: str) -> bytes | None:
        """What was set, if it is still there."""
        ...

    async def set(self, key: str, value: bytes, seconds: int) -> bool:
        """Keeps a value for a while, unless there is one already; tells whether there was none."""
        ...


@dataclass(frozen=True, slots=True)
class ResponseOrigin:
    """What made a response."""

    model: str
    """The model's id."""
    route: str
    """The route that led there; empty if the model was asked for by its own name."""
    owner: str
    """Who may have it."""
    background: bool = False
    """Whether it was asked for with `background`: its tokens are told first when it is retrieved."""


class Responses:
    """The responses' ids, as far as they are known here."""

    def __init__(
        self,
        store: Store | None = None,
        supervisor: Supervisor | None = None,
        *,
        most: int = _MOST_KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts with none.

        Args:
            store: Shared with other replicas; None keeps what is learned here to this process.
            supervisor: Runs what tells the store.
            most: How many ids are kept; those learned first go first.
            clock: Tells the time in seconds.
        """
        self._store = store
        self._supervisor = supervisor
        self._most = most
        self._clock = clock
        self._made: OrderedDict[str, tuple[float, ResponseOrigin]] = OrderedDict()
        self._counted: OrderedDict[str, None] = OrderedDict()

    async def find(self, response_id: str, caller: Caller, hint: str = "") -> ResponseOrigin | None:
        """What made the response that a caller asks for.

        Args:
            response_id: Its id.
            caller: Who asks.
            hint: The model's name as the caller gave it.

        Returns:
            None where only the hint tells the model.

        Raises:
            ApiError: 404, if nobody knows it, or it is somebody else's.
        """
        made = await self.known(response_id, caller)
        if made is None and not hint:
            raise _unknown(response_id)
        return made

    async def known(self, response_id: str, caller: Caller) -> ResponseOrigin | None:
        """The same for `previous_response_id`, whose request names a model anyway: None if nobody knows the id.

        Raises:
            ApiError: 404, if it is somebody else's.
        """
        kept = self._made.get(response_id)
        made = kept[1] if kept and kept[0] > self._clock() else await self._shared(response_id)
        if made is not None and made.owner != owner_of(caller):
            raise _unknown(response_id)
        return made

    async def counts(self, response_id: str, caller: Caller) -> bool:
        """Whether the tokens of a response that was just retrieved are still to be counted; true once for each.

        Those of others were counted when they were made.
        """
        made = await self.known(response_id, caller)
        if made is None or not made.background or response_id in self._counted:
            return False
        self._counted[response_id] = None
        while len(self._counted) > self._most:
            self._counted.popitem(last=False)
        if self._store is None:
            return True
        try:
            return await self._store.set(f"counted/{response_id}", b"1", KEPT_SECONDS)
        except Exception:
            logger.exception("whether another replica counted a response could not be read")
            return True

    def reader(self, model: str, route: str, caller: Caller, *, background: bool = False) -> "ResponseIdReader":
        """What learns the id from an answer.

        Args:
            model: The model that gives it.
            route: The route that led there.
            caller: Who gets it.
            background: Whether the answer only tells the id.
        """
        made = ResponseOrigin(model, route, owner_of(caller), background)
        return ResponseIdReader(lambda response_id: self._learn(response_id, made))

    def _learn(self, response_id: str, made: ResponseOrigin) -> None:
        now = self._clock()
        kept = self._made.get(response_id)
        if kept and kept[0] > now and kept[1].owner != made.owner:
            return  # vLLM's callers may choose ids: not that of somebody else
        self._made[response_id] = now + KEPT_SECONDS, made
        self._made.move_to_end(response_id)
        while len(self._made) > self._most or next(iter(self._made.values()))[0] <= now:
            self._made.popitem(last=False)
        if self._store is not None and self._supervisor is not None:
            content = orjson.dumps(astuple(made))
            self._supervisor.spawn("share responses", self._store.set(_key(response_id), content, KEPT_SECONDS))

    async def _shared(self, response_id: str) -> ResponseOrigin | None:
        if self._store is None:
            return None
        try:
            content = await self._store.get(_key(response_id))
            return ResponseOrigin(*orjson.loads(content)) if content else None
        except Exception:
            logger.exception("what other replicas know of a response could not be read")
            return None


class ResponseIdReader:
    """Sees an answer's pieces until the id was in them."""

    __slots__ = ("_head", "_learn", "done")

    def __init__(self, learn: Callable[[str], None]) -> None:
        self._learn = learn
        self._head = b""
        self.done = False
        """Whether the rest of the answer need not be seen."""

    def feed(self, piece: bytes) -> None:
        """Takes a piece of a successful answer."""
        if self.done:
            return
        self._head += piece[:_LONGEST_HEAD]
        if found := _ID.match(self._head):
            self._learn(found[1].decode())
        self.done = found is not None or len(self._head) >= _LONGEST_HEAD
        if self.done:
            self._head = b""


def owner_of(caller: Caller) -> str:
    """Who shares the responses that a caller makes; empty where nobody is asked who it is."""
    if caller.team:
        return f"team/{caller.team}"
    if caller.subject:
        return f"subject/{caller.subject}"
    return f"key/{caller.key}" if caller.key else ""


def hinted(query: bytes) -> tuple[str, bytes]:
    """Takes the model's name out of a query.

    Returns:
        The name, empty if there is none; and the query without it, for the model.
    """
    if _HINT not in query:
        return "", query
    parts = query.split(b"&")
    names = [unquote_plus(part.removeprefix(_HINT).decode("latin-1")) for part in parts if part.startswith(_HINT)]
    return (names or [""])[-1], b"&".join(part for part in parts if not part.startswith(_HINT))


def _key(response_id: str) -> str:
    return f"response/{response_id}"


def _unknown(response_id: str) -> ApiError:
    message = f"The response {response_id!r} is not known here: name its model with ?model=NAME, or make it anew."
    return ApiError(HTTPStatus.NOT_FOUND, message, code="response_not_found", param="response_id")
