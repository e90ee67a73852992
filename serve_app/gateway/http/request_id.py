"""Request ids: the client's own `x-request-id`, or a new one."""

import string
from random import Random

_random = Random()  # noqa: S311  # ids have to differ, not to be secret, and cost no system call
_CHARACTERS = frozenset((string.ascii_letters + string.digits + "-_.:").encode())
_LONGEST = 128


def new_request_id() -> bytes:
    """An id of 32 hexadecimal digits."""
    return b"%032x" % _random.getrandbits(128)


def request_id_of(given: bytes | None) -> bytes:
    """The id of a request: the one given if it is short and plain, else a new one."""
    if given and len(given) <= _LONGEST and _CHARACTERS.issuperset(given):
        return given
    return new_request_id()
