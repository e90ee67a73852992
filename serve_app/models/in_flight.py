"""What vLLM's own server lacks behind a Kubernetes Service: middleware, and `python -m serve_app.models.in_flight`.

kube-proxy chooses a pod for each connection, not for each request. A client that keeps its connections would never use
a new replica, and go on using one that ends, where vLLM answers 200 with an empty text. So each answer closes its
connection, which costs a request less than a millisecond. The command is the pod's preStop hook: it waits until
Services have forgotten the pod, and then until the last answer is complete.
"""

import http.client
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MIDDLEWARE = "serve_app.models.in_flight.InFlight"
PATH = "/in-flight"
_OF_THE_CLUSTER = ("/health", "/metrics")
FORGET_SECONDS = 10
"""How long kube-proxies may take to hear that a pod ends."""
IMPORT_SECONDS = 60
"""How long vLLM may take to handle signals: the first process of a container gets none that it does not handle."""
STATUS = Path("/proc/1/status")
LOG = Path("/proc/1/fd/2")
"""The container's log: what a hook itself writes nobody sees."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class InFlight:
    """ASGI middleware: counts requests that are being answered, and closes each one's connection after its answer."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._count = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers /in-flight with the count as text, and passes all else on."""
        if scope["type"] != "http" or scope["path"] in _OF_THE_CLUSTER:
            await self._app(scope, receive, send)
            return
        if scope["path"] == PATH:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": str(self._count).encode()})
            return

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        self._count += 1
        try:
            await self._app(scope, receive, closing)
        finally:
            self._count -= 1


def in_flight(port: int = 8000) -> int:
    """How many requests the pod's server is answering.

    Raises:
        OSError: Nobody answers.
        ValueError: It answers something else.
    """
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        connection.request("GET", PATH)
        return int(connection.getresponse().read())
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def handles_the_end(status: Path = STATUS) -> bool:
    """Whether the container's first process handles SIGTERM, or is gone."""
    try:
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return True
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def wait(
    seconds: float,
    *,
    count: Callable[[], int] = in_flight,
    handles: Callable[[], bool] = handles_the_end,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Waits until Services have forgotten the pod and no request is left; says how it ended.

    Args:
        seconds: How long answers may take after that.
        count: Tells the requests that are being answered.
        handles: Tells whether a server that does not answer yet would mind a signal.
        now: Tells the time in seconds.
        sleep: Makes a pause.
    """
    try:
        count()
    except (OSError, ValueError):  # it has not begun, or is dead: nobody waits for its answers
        end = now() + IMPORT_SECONDS
        while not handles() and now() < end:
            sleep(1)
        return "the server does not answer"
    sleep(FORGET_SECONDS)
    end = now() + seconds
    while True:
        try:
            left = count()
        except TimeoutError:
            left = -1  # busy
        except (OSError, ValueError):
            return "the server has ended"
        if left == 0:
            return "no request is left"
        if now() > end:
            return f"{left} requests are left after {seconds:g} s"
        sleep(1)


def main(argv: list[str] | None = None) -> int:
    """Runs the hook. Its only argument is how many seconds answers may take."""
    said = wait(int((sys.argv[1:] if argv is None else argv)[0]))
    with suppress(OSError), LOG.open("a") as log:
        log.write(f"drain: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
