"""Ticks finer than an event loop's timers, which count in whole milliseconds: Linux' timerfd."""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_C = ctypes.CDLL(None, use_errno=True)


class _Spec(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns")]


@contextmanager
def ticking(seconds: float, tick: Callable[[], None]) -> Iterator[None]:
    """Calls `tick` in the running loop about every so many seconds, while the block runs."""
    fd = _C.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    every = divmod(max(int(seconds * 1e9), 1), 10**9)
    if _C.timerfd_settime(fd, 0, ctypes.byref(_Spec(*every, *every)), None):
        raise OSError(ctypes.get_errno(), "timerfd_settime")

    def expired() -> None:
        os.read(fd, 8)
        tick()

    loop = asyncio.get_running_loop()
    loop.add_reader(fd, expired)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        os.close(fd)
