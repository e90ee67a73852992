"""What the chart tells the gateway is what the gateway takes, for the files of values/."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from serve_app.settings.gateway import GatewayConfig
from tests.golden.rendering import VALUES, golden


def documents(rendered: str, kind: str, name: str) -> dict[str, Any]:
    """The object of a kind whose name ends so."""
    (found,) = (
        each
        for each in yaml.safe_load_all(rendered)
        if each["kind"] == kind and each["metadata"]["name"].endswith(name)
    )
    return dict(found)


def config(rendered: str) -> GatewayConfig:
    """The gateway's configuration, as the gateway reads it.

    Raises:
        ValidationError: the gateway would refuse it.
    """
    text = documents(rendered, "ConfigMap", "-gateway")["data"]["gateway.yaml"]
    return GatewayConfig.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_is_what_the_gateway_takes(values: Path) -> None:
    assert config(golden(values).read_text()).models
