"""Vectors in Milvus: a server by URL, or Milvus Lite in a directory, which is this process's alone."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # processes that are begun here use no gRPC

from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.exceptions import MilvusException

from serve_app.data.errors import StoreAwayError
from serve_app.data.vectors import Chunk, Hit, table_of
from serve_app.data.vectors.filters import Comparison, Filter

_OPERATORS = {"eq": "==", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
Result = TypeVar("Result")

_FIELDS = ["file_id", "position", "text"]
_PAGE = 1000


class Milvus:
    """See `VectorIndex`. The client blocks, so it is called in threads, a few at most."""

    kind = "milvus"

    def __init__(self, uri: str, token: str, timeout_seconds: float) -> None:
        """Connects at the first call, and anew after one that failed.

        Args:
            uri: The server's URL, or a path for Milvus Lite.
            token: `user:password` or an API key; empty for none.
            timeout_seconds: Of one call.
        """
        self._uri = uri
        self._token = token
        self._seconds = timeout_seconds
        self._client: MilvusClient | None = None
        self._loaded: set[str] = set()
        self._threads = ThreadPoolExecutor(4 if "://" in uri else 1, "milvus")

    async def _call(self, work: Callable[[MilvusClient], Result]) -> Result:
        try:
            async with asyncio.timeout(self._seconds * 2):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)
        except (MilvusException, TimeoutError, OSError) as error:
            raise StoreAwayError(str(error)) from error

    def _work(self, work: Callable[[MilvusClient], Result]) -> Result:
        if self._client is None:
            self._client = MilvusClient(uri=self._uri, token=self._token, timeout=self._seconds)
        return work(self._client)

    def _load(self, client: MilvusClient, name: str) -> None:
        """Has a collection in memory, or nothing is found in it: after a start Milvus Lite has none there."""
        if name not in self._loaded:
            client.load_collection(name, timeout=self._seconds)
            self._loaded.add(name)

    async def create(self, store_id: str, dimensions: int) -> None:
        """See `VectorIndex`."""
        name = table_of(store_id)

        def work(client: MilvusClient) -> None:
            if client.has_collection(name, timeout=self._seconds):
                return
            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.VARCHAR, max_length=96, is_primary=True)
            schema.add_field("file_id", DataType.VARCHAR, max_length=64)
            schema.add_field("position", DataType.INT64)
            schema.add_field("text", DataType.VARCHAR, max_length=65535, enable_analyzer=True)
            schema.add_field("attributes", DataType.JSON)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
            schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
            schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
            indexes = client.prepare_index_params()
            indexes.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
            indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
            client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")

        await self._call(work)

    async def drop(self, store_id: str) -> None:
        """See `VectorIndex`."""
        name = table_of(store_id)

        def work(client: MilvusClient) -> None:
            self._loaded.discard(name)
            if client.has_collection(name, timeout=self._seconds):
                client.drop_collection(name, timeout=self._seconds)

        await self._call(work)

    async def upsert(self, store_id: str, chunks: Sequence[Chunk]) -> None:
        """See `VectorIndex`."""
        rows = [
            {
                "id": chunk.id,
                "file_id": chunk.file_id,
                "position": chunk.position,
                "text": chunk.text,
                "attributes": chunk.attributes,
                "vector": list(chunk.vector),
            }
            for chunk in chunks
        ]
        await self._call(lambda client: client.upsert(table_of(store_id), rows, timeout=self._seconds))

    async def delete(self, store_id: str, file_id: str) -> None:
        """See `VectorIndex`."""
        name = table_of(store_id)

        def work(client: MilvusClient) -> None:
            if client.has_collection(name, timeout=self._seconds):
                self._load(client, name)
                client.delete(name, filter=_of_file(file_id), timeout=self._seconds)

        await self._call(work)

    async def set_attributes(self, store_id: str, file_id: str, attributes: dict[str, Any]) -> None:
        """See `VectorIndex`. Milvus has no update of one field, so the parts are read and written again."""
        name, fields = table_of(store_id), ["id", *_FIELDS, "vector"]

        def work(client: MilvusClient) -> None:
            self._load(client, name)
            first = 0
            while rows := client.query(
                name, filter=f"{_of_file(file_id)} and {_positions(first)}", output_fields=fields
            ):
                client.upsert(name, [{**row, "attributes": attributes} for row in rows])
                first += _PAGE

        await self._call(work)

    async def search(self, store_id: str, vector: Sequence[float], most: int, where: Filter | None) -> list[Hit]:
        """See `VectorIndex`."""
        return await self._search(store_id, list(vector), "vector", most, where)

    async def search_words(self, store_id: str, words: str, most: int, where: Filter | None) -> list[Hit]:
        """See `VectorIndex`."""
        return await self._search(store_id, words, "words", most, where)

    async def _search(
        self, store_id: str, data: list[float] | str, field: str, most: int, where: Filter | None
    ) -> list[Hit]:
        name = table_of(store_id)

        def work(client: MilvusClient) -> list[Hit]:
            self._load(client, name)
            found = client.search(
                name,
                data=[data],
                anns_field=field,
                limit=most,
                filter=expression(where) if where else "",
                output_fields=_FIELDS,
                timeout=self._seconds,
            )
            return [
                Hit(each["entity"]["file_id"], each["entity"]["position"], each["entity"]["text"], each["distance"])
                for each in found[0]
            ]

        return await self._call(work)

    async def texts(self, store_id: str, file_id: str, first: int, most: int) -> list[str]:
        """See `VectorIndex`."""
        name, where = table_of(store_id), f"{_of_file(file_id)} and {_positions(first, most)}"

        def work(client: MilvusClient) -> list[dict[str, Any]]:
            self._load(client, name)
            rows = client.query(name, filter=where, output_fields=["position", "text"], timeout=self._seconds)
            return list(rows)

        rows = await self._call(work)
        return [row["text"] for row in sorted(rows, key=lambda row: int(row["position"]))]

    async def ping(self) -> None:
        """See `VectorIndex`."""
        await self._call(lambda client: client.list_collections(timeout=self._seconds))

    async def close(self) -> None:
        """See `VectorIndex`."""
        self._threads.shutdown(wait=True)
        if self._client is not None:
            self._client.close()


def expression(where: Filter) -> str:
    """A filter in Milvus' language. Keys and values are its string literals, which have JSON's escapes.

    Milvus Lite has no parameters for expressions, and no `in` for fields of a JSON.
    """
    if not isinstance(where, Comparison):
        return "(" + f" {where.type} ".join(map(expression, where.filters)) + ")"
    field = f"attributes[{_literal(where.key)}]"
    values = where.value if isinstance(where.value, list) else [where.value]
    operator = _OPERATORS.get(where.type, "==")
    either = "(" + " or ".join(f"{field} {operator} {_literal(value)}" for value in values) + ")"
    return f"(not {either})" if where.type in ("ne", "nin") else either


def _literal(value: str | float | bool) -> str:
    return json.dumps(value, ensure_ascii=False)


def _of_file(file_id: str) -> str:
    return f"file_id == {_literal(file_id)}"


def _positions(first: int, most: int = _PAGE) -> str:
    return f"position >= {first} and position < {first + most}"
