"""Pipelines: Serve graphs that are models to their clients. Each part is a process, so none imports torch or vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application


def build_app(args: dict[str, Any]) -> Application:
    """Builds the application of one pipeline; the import path of every pipeline of ours that the chart renders.

    Ray is imported here and not above, so that the rest of the package can be used and tested without it.
    """
    from serve_app.pipelines.application import build

    return build(args)
