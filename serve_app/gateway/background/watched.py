"""Mounted files that change while the process runs: read anew by content, swapped whole, or refused.

Kubernetes updates a mounted ConfigMap or Secret by swapping the symbolic link `..data`, which file-event APIs see in
different ways on different file systems; a look at the content each second is cheap, and right on all of them.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from serve_app.gateway.observe.metrics import Metrics

logger = logging.getLogger(__name__)

Content = TypeVar("Content")
Parsed = TypeVar("Parsed")


class ConfigError(Exception):
    """Mounted content that cannot be used; the message is one sentence that names the key and the remedy."""


class Watched(Generic[Content, Parsed]):
    """The last good state of something mounted."""

    def __init__(
        self, source: str, read: Callable[[], Content], parse: Callable[[Content], Parsed], metrics: Metrics
    ) -> None:
        """Reads it for the first time.

        Args:
            source: Its name in logs and metrics.
            read: Gets the content, which is compared to find changes.
            parse: Makes the state of it.
            metrics: Where reloads are counted.

        Raises:
            ConfigError: The content cannot be used.
            OSError: It cannot be read.
        """
        self._source = source
        self._read = read
        self._parse = parse
        self._metrics = metrics
        content = read()
        self.current: Parsed = parse(content)
        self._seen: object = content
        metrics.config_valid.labels(source).set(1)

    def poll(self) -> None:
        """Takes over changed content; content that cannot be used is refused once, and the state stays as it was.

        Whatever goes wrong with it: a reader that stopped would keep a revoked key alive.
        """
        try:
            content = self._read()
        except Exception as error:
            self._refuse(f"cannot be read: {error}", seen=str(error))
            return
        if content == self._seen:
            return
        try:
            self.current = self._parse(content)
        except ConfigError as error:
            self._refuse(str(error), seen=content)
            return
        except Exception as error:
            logger.debug("the content of %s", self._source, exc_info=True)
            self._refuse(f"it cannot be used: {type(error).__name__}: {error}", seen=content)
            return
        self._seen = content
        logger.info("%s reloaded", self._source)
        self._metrics.config_reloads.labels(self._source, "ok").inc()
        self._metrics.config_valid.labels(self._source).set(1)

    def _refuse(self, why: str, *, seen: object) -> None:
        if seen == self._seen:
            return
        self._seen = seen
        logger.error("new %s refused, the one before stays in use: %s", self._source, why)
        self._metrics.config_reloads.labels(self._source, "failed").inc()
        self._metrics.config_valid.labels(self._source).set(0)


async def poll_forever(watched: Sequence[Watched[Any, Any]], interval: float) -> None:
    """Polls all of them every `interval` seconds until cancelled."""
    while True:
        await asyncio.sleep(interval)
        for each in watched:
            each.poll()
