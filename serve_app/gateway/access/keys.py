"""API keys: a mounted directory with one entry per key; the file's name is the key's name.

An entry holds the key's plain SHA-256. A salt and a slow hash protect passwords that people make up: short, and used
twice. These keys are random texts of 240 bits, which nobody finds by trying.

Of a key whose text the chart's Job has made, the hash is in a file beside the entry: `_`, with which no name of a key
begins, and the name. So the entry is text of the chart's, and the same at each render.

While a key is rotated, its entry holds the hash before as well. Limits count by the key's name, so that a new text or a
new hash starts no new budget.
"""

import hashlib
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import orjson
from pydantic import ValidationError

from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.background.watched import Watched
from serve_app.gateway.observe.metrics import Metrics
from serve_app.settings.gateway import Key, explain

logger = logging.getLogger(__name__)

TOKENS_NAME = "oidc"
"""The key's name of all callers with a token; no API key may have it."""
MADE_PREFIX = "_"
"""Begins the name of a file with the hash of a key that the chart's Job has made."""
_MAKE = "make the entry with python -m serve_app.keys"


class EntryError(Exception):
    """An entry that cannot be used; the message has the remedy, and nothing of a key's text."""


class KeyRing:
    """The keys that are accepted.

    They are found by their hash under a secret of this process. So callers cannot choose which hash a guess leads to,
    and the time of a look-up tells nothing about the keys.
    """

    def __init__(self, files: Mapping[str, bytes], metrics: AccessMetrics) -> None:
        """Checks the entries; those that cannot be used are left out.

        Args:
            files: Key name -> entry, and the made hashes.
            metrics: Where accepted and refused entries are counted.
        """
        self._pepper = secrets.token_bytes(32)
        entries = {name: content for name, content in files.items() if not name.startswith(MADE_PREFIX)}
        made = {name.removeprefix(MADE_PREFIX): files[name] for name in files.keys() - entries.keys()}
        self.keys: Mapping[str, Key] = _accepted(entries, made)
        """Name of a key -> its entry."""
        self.places: Mapping[bytes, str] = {
            self._place(bytes.fromhex(digest.removeprefix("sha256:"))): name
            for name, key in self.keys.items()
            for digest in _hashes(key)
        }
        """Place of a key -> its name; a key that is rotated has two."""
        self.references: Mapping[bytes, str] = {
            self._place(bytes.fromhex(digest.removeprefix("sha256:"))): _reference(digest)
            for key in self.keys.values()
            for digest in _hashes(key)
        }
        """Place of a key -> what refers to that text of it."""
        metrics.keys.labels("accepted").set(len(self.keys))
        metrics.keys.labels("refused").set(len(entries) - len(self.keys))
        if not self.keys:
            logger.warning("there is no API key: every request with a key will be refused")

    def place(self, text: bytes) -> bytes:
        """Where a key is, if it is accepted."""
        return self._place(hashlib.sha256(text).digest())

    def _place(self, digest: bytes) -> bytes:
        return hashlib.blake2b(digest, key=self._pepper).digest()


def _accepted(entries: Mapping[str, bytes], made: Mapping[str, bytes]) -> dict[str, Key]:
    read: dict[str, Key] = {}
    for name, content in entries.items():
        try:
            read[name] = parse(name, content, made.get(name, b""))
        except EntryError as error:
            logger.error("API key %s is refused: %s", name, error)
    uses = Counter(digest for key in read.values() for digest in _hashes(key))
    refused: set[str] = set()
    for shared in (digest for digest, count in uses.items() if count > 1):
        names = [name for name, key in read.items() if shared in _hashes(key)]
        logger.error("API keys %s are refused: they share a hash, give each key its own text", ", ".join(names))
        refused.update(names)
    return {name: key for name, key in read.items() if name not in refused}


def references(key: Key) -> set[str]:
    """What work that goes on by itself refers to a key by: a part of its hash, one for each text that is accepted."""
    return {_reference(digest) for digest in _hashes(key)}


def _reference(digest: str) -> str:
    return digest.removeprefix("sha256:")[:32]


def _hashes(key: Key) -> set[str]:
    return {key.hash, key.previous_hash} if key.previous_hash else {key.hash}


def parse(name: str, content: bytes, made: bytes = b"") -> Key:
    """Checks an entry.

    Args:
        name: Of the key.
        content: The entry.
        made: Its hash where the entry has none.

    Raises:
        EntryError: It cannot be used.
    """
    if name == TOKENS_NAME:
        raise EntryError(f"{name} is the name that callers with tokens have, rename the key")
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise EntryError(f"it is not JSON (the text of a key is not accepted), {_MAKE}") from error
    if isinstance(data, dict) and made:
        data.setdefault("hash", made.decode(errors="replace").strip())
    if not isinstance(data, dict) or "hash" not in data:
        raise EntryError(f"it has no hash, {_MAKE}")
    try:
        return Key.model_validate(data)
    except ValidationError as error:
        raise EntryError(explain(error)) from error


class Mounted:
    """A mounted Secret, read again only after Kubernetes swapped it: a thousand files block the loop for long."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._version: str | None = None
        self._files: dict[str, bytes] = {}

    def read(self) -> dict[str, bytes]:
        """Its files, without the dot-names through which Kubernetes swaps them.

        Raises:
            OSError: It cannot be read.
        """
        swapped = self._directory / "..data"
        version = str(swapped.readlink()) if swapped.is_symlink() else None  # none in a directory made by hand
        if version is None or version != self._version:
            files = (path for path in sorted(self._directory.iterdir()) if not path.name.startswith("."))
            self._files = {path.name: path.read_bytes() for path in files if path.is_file()}
            self._version = version
        return self._files


def watched_keys(
    directory: Path, metrics: Metrics, access_metrics: AccessMetrics
) -> Watched[dict[str, bytes], KeyRing]:
    """The key ring of a directory; it follows the directory when polled.

    Args:
        directory: The mounted Secret.
        metrics: Where reloads are counted.
        access_metrics: Where entries are counted.

    Raises:
        OSError: The directory cannot be read.
    """
    return Watched("api_keys", Mounted(directory).read, partial(KeyRing, metrics=access_metrics), metrics)
