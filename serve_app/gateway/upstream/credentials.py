"""Keys that the gateway shows to models outside: read from mounted Secrets, and again when those change."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from serve_app.settings.gateway import Model

logger = logging.getLogger(__name__)

_REREAD_SECONDS = 10


class Credentials:
    """The keys, by file."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: dict[str, tuple[float, str]] = {}

    def of(self, model: Model) -> str:
        """The key that a model's URL wants; empty for models that want none.

        A file that cannot be read leaves the key as it was. One that never could gives a key that nobody accepts, so
        that the provider's own refusal tells what is missing, and nothing else goes out.
        """
        path = model.api_key_file
        if not path:
            return ""
        now = self._clock()
        read_at, key = self._keys.get(path, (0.0, ""))
        if not key or now - read_at > _REREAD_SECONDS:
            try:
                key = Path(path).read_text().strip()
            except OSError as error:
                logger.error("%s cannot be read, correct the Secret that is mounted there: %s", path, error)
            self._keys[path] = (now, key)
        return key or "none"
