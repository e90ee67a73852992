"""What all readers of answers have in common."""

from serve_app.gateway.exchange.usage import Usage


class Reader:
    """Reads an answer's usage while its pieces pass. This one looks at none of them."""

    __slots__ = ("_usage",)

    def __init__(self, usage: Usage | None = None) -> None:
        self._usage = usage

    @property
    def usage(self) -> Usage | None:
        """What is known so far: all of it after `end`, unless the answer broke off."""
        return self._usage

    @property
    def error_status(self) -> int:
        """The HTTP status of an error inside a stream; 0 for none."""
        return 0

    @property
    def holding(self) -> bool:
        """Whether something of what came is still to be passed on."""
        return False

    def feed(self, piece: bytes) -> bytes:
        """Takes the next piece of the answer.

        Returns:
            What to pass on at this point; it may be empty.
        """
        return piece

    def end(self) -> bytes:
        """Ends the answer, whole or broken.

        Returns:
            What is left to pass on.
        """
        return b""
