"""Where the parts of documents are kept with their vectors: one small interface, a module for each kind of store."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from serve_app.data.vectors.filters import Filter

MOST_TEXT = 60_000
"""Bytes of a part's text: a string of Milvus holds 65,535."""


class Chunk(NamedTuple):
    """A part of a document."""

    file_id: str
    position: int
    """Which part it is, from 0."""
    text: str
    vector: Sequence[float]
    attributes: dict[str, Any]
    """The file's, for filters."""

    @property
    def id(self) -> str:
        """Its primary key: one part of one file, so that to store it again changes nothing."""
        return f"{self.file_id}-{self.position}"


class Hit(NamedTuple):
    """A part that was found."""

    file_id: str
    position: int
    text: str
    score: float
    """The cosine; for words: higher is better, on no scale."""


class VectorIndex(Protocol):
    """The parts of all stores, each store's apart. Every method raises `StoreAwayError` where nobody answers."""

    kind: str
    """In metrics."""

    async def create(self, store_id: str, dimensions: int) -> None:
        """Makes room for a store, unless there is some."""

    async def drop(self, store_id: str) -> None:
        """Forgets a store, if it is there."""

    async def upsert(self, store_id: str, chunks: Sequence[Chunk]) -> None:
        """Keeps parts; those that are there already are replaced."""

    async def delete(self, store_id: str, file_id: str) -> None:
        """Forgets a file's parts."""

    async def set_attributes(self, store_id: str, file_id: str, attributes: dict[str, Any]) -> None:
        """Replaces the attributes of a file's parts."""

    async def search(self, store_id: str, vector: Sequence[float], most: int, where: Filter | None) -> list[Hit]:
        """The parts whose vectors are nearest by the cosine, the nearest first."""
        ...

    async def search_words(self, store_id: str, words: str, most: int, where: Filter | None) -> list[Hit]:
        """The parts that have the words, the best first."""
        ...

    async def texts(self, store_id: str, file_id: str, first: int, most: int) -> list[str]:
        """A file's parts in order, from the one at `first`."""
        ...

    async def ping(self) -> None:
        """Returns if the store answers."""

    async def close(self) -> None:
        """Ends the connections."""


def table_of(store_id: str) -> str:
    """The name of a store's table or collection: its id, in which there is no underscore but after `vs`."""
    return store_id.replace("-", "_")
