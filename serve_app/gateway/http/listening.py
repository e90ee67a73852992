"""Where the gateway listens: on all addresses that the pod has, of whichever family."""

import socket


def all_addresses() -> str:
    """The address that stands for all: of both families, unless the machine has no IPv6."""
    return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 (a server of a pod)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens. On `::` it takes both families, whereas event loops open theirs for IPv6 alone.

    Raises:
        OSError: Not an address of this machine, or the port is taken.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=host == "::")
