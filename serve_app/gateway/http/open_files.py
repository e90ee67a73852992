"""How many connections the process may hold: its open files, of which a stream takes two and a reload a few."""

import resource

_RESERVED = 64
"""For the configuration, keys, logs, Redis, metrics, and the listening sockets."""
_FEWEST = 16


def raise_limit() -> int:
    """Raises the soft limit of open files to the hard one.

    Container runtimes start processes with 1,024, which are 500 streams.

    Returns:
        The limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft
    return hard


def most_connections() -> int:
    """How many clients' connections there may be: each may need another one to a model."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(_FEWEST, (soft - _RESERVED) // 2)
