"""The Ray side: one model's Serve application. The only package that imports Ray and vLLM, and only when it builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application


def build_app(args: dict[str, Any]) -> Application:
    """Builds the application of one model; the import path of every application that the chart renders.

    Ray is imported here and not above, so that the rest of the package can be used and tested without it.
    """
    from serve_app.models.application import build

    return build(args)
