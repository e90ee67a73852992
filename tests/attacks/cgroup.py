"""A memory cgroup of our own, as the kubelet makes one for a pod: its limit, its peak, what was killed in it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
_REMEDY = "run this level as root, with a memory cgroup that can be written (docker: --privileged)"


class NoCgroupError(Exception):
    """No memory cgroup can be made on this machine."""


class MemoryCgroup:
    """A cgroup with a limit in bytes, in either version of the kernel's interface."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self._v1 = path.parent.name == "memory"
        names = ("limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes", "oom_control")
        self._limit, self._usage, self._peak, self._events = (
            (path / f"memory.{name}" for name in names)
            if self._v1
            else (path / f"memory.{name}" for name in ("max", "current", "peak", "events"))
        )
        self._limit.write_text(str(limit))

    @classmethod
    @contextmanager
    def made(cls, name: str, limit: int) -> Iterator["MemoryCgroup"]:
        """Makes one, and removes it at the end of the block, when its processes have ended.

        Raises:
            NoCgroupError: The machine or the user does not allow it.
        """
        parent = MOUNT / "memory" if (MOUNT / "memory").is_dir() else MOUNT
        path = parent / name
        try:
            if parent == MOUNT and "memory" not in (MOUNT / "cgroup.subtree_control").read_text().split():
                (MOUNT / "cgroup.subtree_control").write_text("+memory")
            path.mkdir()
        except OSError as error:
            raise NoCgroupError(f"no memory cgroup can be made: {error}; {_REMEDY}") from error
        try:
            yield cls(path, limit)
        finally:
            _remove(path)

    @property
    def entry(self) -> Path:
        """The file that a process writes its id into to enter."""
        return self.path / "cgroup.procs"

    @property
    def usage(self) -> int:
        """Bytes in use, page cache included."""
        return int(self._usage.read_text())

    @property
    def peak(self) -> int:
        """The most bytes that were in use at once; the limit at most."""
        return int(self._peak.read_text())

    @property
    def kills(self) -> int:
        """How many processes the kernel killed for want of memory."""
        counts = dict(line.split() for line in self._events.read_text().splitlines())
        return int(counts["oom_kill"])


def _remove(path: Path) -> None:
    end = time.monotonic() + 10
    while True:  # a process that has ended may be in it for a moment longer
        try:
            os.rmdir(path)  # noqa: PTH106  # a cgroup's files cannot be unlinked
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
