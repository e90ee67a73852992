"""Names of requests whose clients gave none."""

from random import Random

_random = Random()  # noqa: S311  # seeded by the system; they have to differ, not to be secret, and cost no system call


def new_request_id() -> bytes:
    """A name of 32 hexadecimal digits."""
    return b"%032x" % _random.getrandbits(128)
