"""`python -m serve_app.models.drain SECONDS`: has Ray Serve move a worker pod's replicas elsewhere before the pod ends.

The pod's preStop hook. Ray ends its processes as soon as it is told to stop, and all streams with them. A node that is
drained first gets nothing new: Serve starts replacements, and ends the old replicas once their answers are complete.
Whatever goes wrong here ends with status 0 and a sentence, for the pod has to go.
"""

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
LOG = Path("/proc/1/fd/2")
"""The container's log: what a hook itself writes nobody sees."""
_POLL_SECONDS = 1
_NO_HEAD = "the head is out of reach"
_HEAD_SECONDS = 20
"""How long the head may be out of reach; then nobody moves replicas any more, as when the whole cluster goes."""


def replicas(proc: Path = PROC) -> int:
    """How many processes of this pod answer for models. Routers are none: their node keeps them to its end."""
    count = 0
    for file in proc.glob("[0-9]*/cmdline"):
        try:
            title = file.read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        count += title.startswith(b"ray::ServeReplica:") and b":LLMRouter" not in title
    return count


def drain(address: str, pod: str, seconds: int) -> None:
    """Tells Ray that the pod's node ends within some time.

    Raises:
        LookupError: Ray knows no such pod, or does not let it go.
        RuntimeError: Ray does not answer.
    """
    from ray._raylet import GcsClient  # here, since a pod without replicas ends at once
    from ray.core.generated.autoscaler_pb2 import DrainNodeReason
    from ray.exceptions import RayError

    reason = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline = int((time.time() + seconds) * 1000)
    try:
        gcs = GcsClient(address=address)
        nodes = [node for node, info in gcs.get_all_node_info(timeout=10).items() if info.instance_id == pod]
        if not nodes:
            raise LookupError(f"Ray knows no node of the pod {pod}")
        accepted, refusal = gcs.drain_node(nodes[-1].hex(), reason, "the pod ends", deadline)
    except RayError as error:
        raise RuntimeError(f"Ray did not answer: {error}") from error
    if not accepted:
        raise LookupError(f"Ray does not drain the node of the pod {pod}: {refusal}")


def wait(
    seconds: float,
    *,
    head: Callable[[], bool],
    left: Callable[[], int] = replicas,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Waits until no replica is left, or nobody is there who would end one; says which it was."""
    end = now() + seconds
    seen = now()
    while left():
        if head():
            seen = now()
        if now() - seen > _HEAD_SECONDS:
            return _NO_HEAD
        if now() > end:
            return f"{left()} replicas are left after {seconds:g} s"
        sleep(_POLL_SECONDS)
    return "no replica is left"


def _reached(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False


def main(argv: list[str] | None = None) -> int:
    """Runs the command line. Its only argument is how many seconds there are."""
    seconds = int((sys.argv[1:] if argv is None else argv)[0])
    if not replicas():
        return 0
    address, pod = os.environ.get("RAY_ADDRESS", ""), os.environ.get("RAY_CLOUD_INSTANCE_ID", "")
    try:
        if not _reached(address):  # Ray itself would look for it for 40 s, and pods of a cluster that goes end together
            raise RuntimeError(_NO_HEAD)
        drain(address, pod, seconds)
    except (LookupError, RuntimeError) as error:
        said = str(error)
    else:
        said = wait(seconds, head=lambda: _reached(address))
    with suppress(OSError), LOG.open("a") as log:
        log.write(f"drain: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
