"""`ingest`: fills a vector store from a directory or a bucket, through the API.

A document is known by its path and the hash of its content, which are attributes of its file in the store. So a second
run goes on where the first one ended, and only what changed is sent again.
"""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import obstore
from obstore.store import LocalStore, S3Store

ENDINGS = (".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf")
_PAGE = 100
_POLL_SECONDS = 1.0
_DONE = ("completed", "failed", "cancelled")


class Source(NamedTuple):
    """A document at its origin."""

    path: str
    content: bytes
    sha256: str


class Known(NamedTuple):
    """A document in the store."""

    file_id: str
    path: str
    sha256: str
    status: str


class CommandError(Exception):
    """The command cannot go on; the text is for whoever ran it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("source", metavar="DIR|s3://BUCKET/PATH", help="where the documents are")
    parser.add_argument(
        "--store", required=True, metavar="ID", help="the vector store, such as vs_handbook or handbook"
    )
    parser.add_argument("--url", required=True, help="the gateway, such as http://localhost:8080/v1")
    parser.add_argument("--api-key-file", type=Path, help="file with an API key; none: the variable OPENAI_API_KEY")
    parser.add_argument("--endings", default=",".join(ENDINGS), help="endings of documents (%(default)s)")
    parser.add_argument("--prune", action="store_true", help="remove documents that are gone from the source")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        The exit status: 0, or 1 where a document failed or the API refused.
    """
    file = arguments.api_key_file
    key = file.read_text().strip() if file else os.environ.get("OPENAI_API_KEY", "")
    store = arguments.store if arguments.store.startswith("vs_") else f"vs_{arguments.store}"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(base_url=arguments.url.rstrip("/"), headers=headers, timeout=120) as client:
            return _Filling(client, store, dry_run=arguments.dry_run).run(
                sources(arguments.source, tuple(arguments.endings.split(","))), prune=arguments.prune
            )
    except (CommandError, httpx.HTTPError) as error:
        sys.stderr.write(f"ingest: {error}\n")
        return 1


def sources(place: str, endings: tuple[str, ...]) -> Iterator[Source]:
    """The documents of a directory or bucket, in the order of their paths."""
    store: S3Store | LocalStore
    if urlsplit(place).scheme == "s3":
        store = S3Store.from_url(place)
    elif Path(place).is_dir():
        store = LocalStore(prefix=Path(place).absolute())
    else:
        raise CommandError(f"{place} is no directory, and no s3://BUCKET/PATH")
    paths = [meta["path"] for page in obstore.list(store) for meta in page]
    for path in sorted(path for path in paths if path.lower().endswith(endings)):
        content = bytes(obstore.get(store, path).bytes())
        yield Source(path, content, hashlib.sha256(content).hexdigest())


class _Filling:
    """One run."""

    def __init__(self, client: httpx.Client, store: str, *, dry_run: bool) -> None:
        self._client = client
        self._store = f"/vector_stores/{store}"
        self._dry_run = dry_run

    def run(self, documents: Iterator[Source], *, prune: bool) -> int:
        """Sends what is new, waits for it, and removes what it replaces."""
        known: dict[str, list[Known]] = {}
        for each in self._known():
            known.setdefault(each.path, []).append(each)
        seen: set[str] = set()
        sent: dict[str, str] = {}
        waiting: dict[str, str] = {}
        for document in documents:
            seen.add(document.path)
            there = [each for each in known.get(document.path, ()) if each.sha256 == document.sha256]
            usable = [each for each in there if each.status in ("completed", "in_progress")]
            if usable:
                waiting |= {each.file_id: each.path for each in usable if each.status == "in_progress"}
                continue
            self._say(f"+ {document.path} ({len(document.content)} bytes)")
            if not self._dry_run:
                sent[document.path] = self._send(document)
                waiting[sent[document.path]] = document.path
        failed = self._wait(waiting)
        for path, earlier in known.items():
            replaced = path in sent and path not in failed
            if replaced or (prune and path not in seen):
                self._remove([each for each in earlier if each.file_id != sent.get(path)])
        self._say(f"{len(seen)} documents, {len(sent)} sent, {len(failed)} failed")
        return 1 if failed else 0

    def _known(self) -> Iterator[Known]:
        after: dict[str, str] = {}
        while True:
            page = self._ask("GET", f"{self._store}/files", params={"limit": _PAGE, "order": "asc", **after})
            for each in page["data"]:
                attributes = each["attributes"] or {}
                if "path" in attributes:
                    yield Known(each["id"], attributes["path"], attributes.get("sha256", ""), each["status"])
            if not page["has_more"]:
                return
            after = {"after": page["last_id"]}

    def _send(self, document: Source) -> str:
        name = document.path.rpartition("/")[2]
        form = {"file": (name, document.content)}
        file_id: str = self._ask("POST", "/files", files=form, data={"purpose": "assistants"})["id"]
        attributes = {"path": document.path[-512:], "sha256": document.sha256}
        self._ask("POST", f"{self._store}/files", json={"file_id": file_id, "attributes": attributes})
        return file_id

    def _wait(self, waiting: dict[str, str]) -> set[str]:
        """Follows documents to their end; returns the paths of those that failed."""
        failed, left = set(), dict(waiting)
        while left:
            for file_id, path in list(left.items()):
                state = self._ask("GET", f"{self._store}/files/{file_id}")
                if state["status"] not in _DONE:
                    continue
                del left[file_id]
                if state["status"] != "completed":
                    failed.add(path)
                    self._say(f"! {path}: {(state['last_error'] or {}).get('message', state['status'])}")
                self._say(f"[{len(waiting) - len(left)}/{len(waiting)}] {path}")
            if left:
                time.sleep(_POLL_SECONDS)
        return failed

    def _remove(self, earlier: list[Known]) -> None:
        for each in earlier:
            self._say(f"- {each.path} ({each.file_id})")
            if not self._dry_run:
                self._ask("DELETE", f"{self._store}/files/{each.file_id}")
                self._ask("DELETE", f"/files/{each.file_id}", missing_ok=True)  # somebody else's stays

    def _ask(self, method: str, path: str, *, missing_ok: bool = False, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # httpx's own options
        answer = self._client.request(method, path, **more)
        if answer.is_success or (missing_ok and answer.status_code == httpx.codes.NOT_FOUND):
            body: dict[str, Any] = answer.json()
            return body
        try:
            message = answer.json()["error"]["message"]
        except (KeyError, TypeError, ValueError):
            message = answer.text[:500]
        raise CommandError(f"{method} {path}: {answer.status_code}: {message}")

    def _say(self, line: str) -> None:
        sys.stderr.write(f"{'(dry run) ' if self._dry_run else ''}{line}\n")
