"""A body as a model gets it: pieces to be sent one after the other, most of them views of what the client sent."""

Piece = bytes | bytearray | memoryview
Pieces = tuple[Piece, ...]


def size_of(pieces: Pieces) -> int:
    """The body's length in bytes."""
    return sum(map(len, pieces))
