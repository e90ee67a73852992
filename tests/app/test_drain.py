"""serve_app.models.drain: how long a worker pod waits before it ends; Ray's part is in tests/cluster."""

import itertools
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from serve_app.models import drain

TITLES = (b"ray::ServeReplica:owl:LLMServer:owl", b"ray::ServeReplica:owl:LLMRouter", b"/usr/bin/raylet\0--node", b"")


def test_replicas_are_told_from_routers_and_others(tmp_path: Path) -> None:
    for number, title in enumerate(TITLES):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "cmdline").write_bytes(title)
    (tmp_path / "99").mkdir()  # ended since
    assert drain.replicas(tmp_path) == 1


def test_a_pod_without_replicas_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "drain", lambda *_: pytest.fail("nobody has to be asked"))
    monkeypatch.setattr(drain, "replicas", lambda: 0)
    assert drain.main(["600"]) == 0


@pytest.mark.parametrize(("listens", "says"), [(True, "Ray did not answer: x"), (False, "the head is out of reach")])
def test_a_head_that_is_away_holds_no_pod(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, *, listens: bool
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("Ray did not answer: x")

    head = socket.socket()
    head.bind(("127.0.0.1", 0))
    if listens:
        head.listen()
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{head.getsockname()[1]}")
    monkeypatch.setattr(drain, "drain", refuse)
    monkeypatch.setattr(drain, "replicas", lambda: 1)
    monkeypatch.setattr(drain, "LOG", tmp_path / "log")
    assert drain.main(["600"]) == 0
    assert (tmp_path / "log").read_text() == f"drain: {says}\n"
    head.close()


@pytest.mark.parametrize(
    ("left", "head", "says", "seconds"),
    [
        ([2, 1, 1, 0], lambda: True, "no replica is left", 3),
        ([1] * 999, lambda: True, "1 replicas are left after 60 s", 61),
        ([1] * 999, lambda: False, "the head is out of reach", 21),
        ([1] * 999, itertools.cycle([False] * 19 + [True]).__next__, "1 replicas are left after 60 s", 61),
    ],
    ids=["moved", "too long", "no head", "a head that comes back"],
)
def test_wait(left: list[int], head: Callable[[], bool], says: str, seconds: int) -> None:
    clock = [0.0]

    def sleep(more: float) -> None:
        clock[0] += more

    counts = iter(left)
    assert drain.wait(60, head=head, left=lambda: next(counts), now=lambda: clock[0], sleep=sleep) == says
    assert clock[0] == seconds
