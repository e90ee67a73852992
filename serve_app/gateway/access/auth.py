"""API keys: a mounted directory with one file per key, the file's name being the key's name."""

import hmac
import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.watch import Watched

logger = logging.getLogger(__name__)

Headers = Mapping[bytes, bytes]


class KeyRing:
    """The keys that are accepted, held as hashes only.

    The hash is SHA-256 under a secret of this process. So a caller cannot know which hash its guess leads to, the time
    that the look-up takes tells it nothing about the keys, and the look-up stays one step however many keys there are.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Hashes the keys.

        Args:
            files: Key name -> key text; space around the text is left out, and empty texts open nothing.
        """
        self._pepper = secrets.token_bytes(32)
        self._names = {self._hash(text.strip()): name for name, text in files.items() if text.strip()}
        if not self._names:
            logger.warning("there is no API key: every request will be refused")

    def name_of(self, key: bytes) -> str | None:
        """The name of a key, or None if it is not on the ring."""
        return self._names.get(self._hash(key))

    def _hash(self, key: bytes) -> bytes:
        return hmac.digest(self._pepper, key, "sha256")


def read_directory(directory: Path) -> dict[str, bytes]:
    """Reads a mounted Secret: its files, without the dot-names through which Kubernetes swaps them."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if not path.name.startswith(".")}


class Authenticator:
    """Tells who sends a request."""

    def __init__(self, keys: Watched[dict[str, bytes], KeyRing] | None, metrics: Metrics) -> None:
        """Joins the keys and the count of refusals.

        Args:
            keys: The keys; None lets everybody in.
            metrics: Where refusals are counted.
        """
        self._keys = keys
        self._metrics = metrics

    def check(self, headers: Headers) -> str:
        """The name of the request's key; empty where no keys are asked for.

        Args:
            headers: Lower-case header names -> values. The key is in `Authorization: Bearer KEY`, as OpenAI's clients
                send it, or in `x-api-key: KEY`, as Anthropic's do.

        Raises:
            ApiError: 401 `invalid_api_key`.
        """
        if self._keys is None:
            return ""
        key = _key_in(headers)
        name = self._keys.current.name_of(key) if key else None
        if name is None:
            self._metrics.auth_failures.inc()
            message = (
                "The API key is not valid."
                if key
                else "There is no API key in the request: send it in the header 'Authorization: Bearer KEY'."
            )
            challenge = [(b"www-authenticate", b"Bearer")]
            raise ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_api_key", headers=challenge)
        return name


def watched_keys(directory: Path, metrics: Metrics) -> Watched[dict[str, bytes], KeyRing]:
    """The key ring of a directory, which follows its content when polled.

    Raises:
        OSError: The directory cannot be read.
    """
    return Watched("api_keys", lambda: read_directory(directory), KeyRing, metrics)


def _key_in(headers: Headers) -> bytes:
    scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" and key.strip() else headers.get(b"x-api-key", b"").strip()
