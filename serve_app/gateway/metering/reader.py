"""What all readers of usage have in common."""

from serve_app.gateway.exchange.usage import Usage


class Reader:
    """Sees an answer's pieces on their way to the client. This one looks at none: the request used no tokens."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        """Begins without usage."""
        self.usage: Usage | None = None
        """What was reported so far; all of it once `end` was called."""

    def feed(self, piece: bytes) -> bytes:
        """Takes a piece of the answer as it arrived.

        Returns:
            What is to be passed on at this point; it may be empty.
        """
        return piece

    def end(self) -> bytes:
        """Ends the answer, also one that broke off.

        Returns:
            What is left to be passed on.
        """
        return b""
