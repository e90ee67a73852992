"""The environment that Ray's containers must have for direct streaming: HAProxy passes requests to vLLM itself."""

import os

from serve_app.settings.errors import SettingsError

DIRECT_STREAMING = ("RAY_SERVE_ENABLE_HA_PROXY", "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING")


def check_direct_streaming() -> None:
    """Refuses to build for the ingress that the stack does not use: it is slower and lacks most of vLLM's API."""
    if missing := [name for name in DIRECT_STREAMING if os.environ.get(name) != "1"]:
        raise SettingsError(
            f"direct streaming is off: set {' and '.join(f'{name}=1' for name in missing)} "
            "in the environment of every Ray container, as the chart does"
        )
