"""How requests and upstream attempts end; the values are labels of metrics."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a request ended: the class of the status that the client got, or what kept it from getting all of it."""

    SUCCESS = "2xx"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    DISCONNECT = "disconnect"
    BROKEN = "broken"
    STALLED = "stalled"
    """The client did not read for too long."""


class Reason(StrEnum):
    """Why an upstream attempt failed."""

    CONNECT = "connect"
    """Refused, unreachable, or a name that is not in the DNS (yet)."""
    CONNECT_TIMEOUT = "connect_timeout"
    RESET = "reset"
    """The connection ended before the first byte of an answer's body."""
    UNAVAILABLE = "unavailable"
    """503."""
    NO_ROUTE = "no_route"
    """Serve does not know the model's route (yet)."""
    NO_REPLICA = "no_replica"
    """HAProxy reached no replica."""
    ENGINE_DEAD = "engine_dead"
    """The replica's engine has died, and the replica will be replaced."""
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    BROKEN_STREAM = "broken_stream"
    LOST = "lost"
    """The model was lost with the request, more often than it is sent again."""
    INVALID = "invalid"
    """The answer is not HTTP, or a redirect."""


RETRIED = (
    Reason.CONNECT,
    Reason.CONNECT_TIMEOUT,
    Reason.RESET,
    Reason.UNAVAILABLE,
    Reason.NO_ROUTE,
    Reason.NO_REPLICA,
    Reason.ENGINE_DEAD,
)
"""Failures after which an attempt is repeated."""
