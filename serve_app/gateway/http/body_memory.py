"""Bytes of request bodies that the process holds: bounded over all requests, so that no mix of them fills the pod."""

from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Gauge

from serve_app.gateway.api.errors import ApiError

RETRY_AFTER_SECONDS = 1
SMALL_BYTES = 64 * 1024
"""Bodies up to this size may use a quarter more than all may, so that large ones of one client lock nobody out."""


class BodyMemory:
    """The bytes of all bodies."""

    def __init__(self, most_bytes: Callable[[], int], registry: CollectorRegistry) -> None:
        """Starts at 0.

        Args:
            most_bytes: Gets the limit in force.
            registry: Where the bytes are shown.
        """
        self._most_bytes = most_bytes
        self.used = 0
        gauge = Gauge(
            "ray_vllm_gateway_buffered_body_bytes", "Bytes of request bodies that are held.", registry=registry
        )
        gauge.set_function(lambda: self.used)

    @property
    def scarce(self) -> bool:
        """Whether more than half of it is taken."""
        return self.used > self._most_bytes() // 2

    def share(self) -> "BodyShare":
        """The share of one body, empty at first."""
        return BodyShare(self)

    def take(self, size: int, held: int) -> None:
        """Takes bytes for a request that holds some already.

        Raises:
            ApiError: 503, the other requests hold too many.
        """
        most = self._most_bytes()
        if held + size <= SMALL_BYTES:
            most += most // 4
        if self.used + size > most:
            message = f"The gateway holds as many bytes of requests as it may: try again in {RETRY_AFTER_SECONDS} s."
            retry_after = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code="gateway_overloaded", headers=retry_after)
        self.used += size


class BodyShare:
    """What one body holds, for all that use it."""

    __slots__ = ("_memory", "_users", "size")

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self._users = 1
        self.size = 0

    @property
    def scarce(self) -> bool:
        """Whether bodies take so much memory that nobody should hold this one without need."""
        return self._memory.scarce

    def take(self, size: int) -> None:
        """Takes more bytes; see `BodyMemory.take`."""
        self._memory.take(size, self.size)
        self.size += size

    def add_user(self) -> None:
        """Adds a user, which has to release it too."""
        self._users += 1

    def release(self) -> None:
        """Ends a use; with the last one all bytes are given back."""
        self._users -= 1
        if not self._users:
            self._memory.used -= self.size
            self.size = 0
