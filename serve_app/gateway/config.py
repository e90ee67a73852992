"""The gateway's configuration file: read, checked, turned into a catalog."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml
from pydantic import ValidationError

from serve_app.gateway.background.watched import ConfigError, Watched
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.routing.catalog import Catalog
from serve_app.settings.gateway import GatewayConfig, explain

MOST_BYTES = 4 * 1024 * 1024
"""Of the file; a ConfigMap holds 1 MiB."""
_SCALARS = ("bool", "float", "int", "null")
_BASE: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in _SCALARS]
    for first, resolvers in _BASE.yaml_implicit_resolvers.items()
}
_Loader = type("_Loader", (_BASE,), {"yaml_implicit_resolvers": _RESOLVERS})
"""Takes for text what Helm writes without quotes as text: dates that are none, `=` and `<<`."""


def parse(content: bytes) -> GatewayConfig:
    """Checks the text of a configuration file.

    Raises:
        ConfigError: It is not YAML, or not a gateway's configuration.
    """
    if len(content) > MOST_BYTES:
        raise ConfigError(f"it has {len(content)} bytes, more than {MOST_BYTES}, split the models over gateways")
    try:
        data = yaml.load(content, Loader=_Loader)  # noqa: S506  # a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"it is not YAML, correct it: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ConfigError("it has to be a mapping with the key models, add it")
    try:
        return GatewayConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error)) from error


def watched_catalog(
    path: Path, metrics: Metrics, declare: Callable[[Catalog], None] = lambda catalog: None
) -> Watched[bytes, Catalog]:
    """The catalog of a configuration file, which follows the file's content when polled.

    Args:
        path: The file.
        metrics: Where reloads are counted.
        declare: Told each new catalog, to make its series visible.

    Raises:
        ConfigError: The file's content cannot be used.
        OSError: The file cannot be read.
    """

    def build(content: bytes) -> Catalog:
        catalog = Catalog(parse(content), time.time())
        declare(catalog)
        return catalog

    return Watched("config", partial(Path.read_bytes, path), build, metrics)
