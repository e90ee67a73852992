"""Processes under measurement: each on its cores, with its log kept, its CPU time and memory read from /proc."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class NotStartedError(Exception):
    """A process ended, or listened nowhere, before it was ready."""


class Process:
    """A process and its children."""

    def __init__(
        self, name: str, command: Sequence[str], cores: set[int], environment: Mapping[str, str], log: Path
    ) -> None:
        """Starts it."""
        self.name, self.log = name, log
        with log.open("wb") as out:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,  # the terminal's Ctrl-C is for the bench, which then ends it
                preexec_fn=lambda: os.sched_setaffinity(0, cores),  # no thread is running here
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def ended(self, within_seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        try:
            self._popen.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def tree(self) -> list[int]:
        """The process ids of it and of its children's children."""
        parents = {int(path.name): parent(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
        found = [self._popen.pid]
        for pid in found:
            found += [child for child, its in parents.items() if its == pid]
        return found

    def cpu_seconds(self) -> float:
        """The CPU time of the tree, in user and system mode."""
        ticks = 0
        for pid in self.tree():
            fields = stat(pid)
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """The resident memory of the tree; pages that its processes share count once."""
        total = 0
        for pid in self.tree():
            total += int(Path(f"/proc/{pid}/smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        return total / 1024

    def wait_for(self, port: int, seconds: float) -> None:
        """Waits until something listens on a port.

        Raises:
            NotStartedError: The process ended, or the time did.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._popen.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise NotStartedError(f"{self.name} does not listen: {self.told()}")

    def told(self) -> str:
        """The end of its log, on one line."""
        return " ".join(self.log.read_text(errors="replace")[-400:].split())

    def stop(self, *, within_seconds: float = 10) -> None:
        """Ends it, by force if need be."""
        for send in (signal.SIGINT, signal.SIGKILL):
            if self._popen.poll() is None:
                self._popen.send_signal(send)
                self.ended(within_seconds)


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def parent(pid: int) -> int:
    """The process id of a process's parent; 0 where it is gone."""
    try:
        return int(stat(pid)[1])
    except OSError:
        return 0


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert isinstance(port, int)
    return port


@contextmanager
def stopping(process: Process) -> Iterator[Process]:
    """Ends a process when the block does."""
    try:
        yield process
    finally:
        process.stop()
