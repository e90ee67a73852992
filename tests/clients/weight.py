"""The engines' CPU weight, in a cgroup of their own: one that generates can keep all others from a CPU for seconds."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_V1, _V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
_FOLDER = (_V1 if _V1.is_dir() else _V2) / "ray-vllm-stack-engines"
_FILE, _NORMAL = ("cpu.shares", 3 * 1024) if _V1.is_dir() else ("cpu.weight", 3 * 100)
"""Normal is what three engines have that share nothing."""


def entered(command: list[str]) -> list[str]:
    """The command in the cgroup, or as it is where the user may not make one."""
    try:
        if not _V1.is_dir():
            (_V2 / "cgroup.subtree_control").write_text("+cpu")
        _FOLDER.mkdir(exist_ok=True)
        (_FOLDER / _FILE).write_text(str(_NORMAL))
    except OSError:
        return command
    return ["bash", "-c", 'echo $$ > "$0" && exec "$@"', str(_FOLDER / "cgroup.procs"), *command]


@contextmanager
def lowered() -> Iterator[None]:
    """The engines have less than what waits beside them."""
    if not _FOLDER.is_dir():
        yield
        return
    (_FOLDER / _FILE).write_text(str(_NORMAL // 48))
    try:
        yield
    finally:
        (_FOLDER / _FILE).write_text(str(_NORMAL))


def remove() -> None:
    """Once the engines have ended."""
    with suppress(OSError):
        _FOLDER.rmdir()
