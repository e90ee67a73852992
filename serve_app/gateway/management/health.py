"""GET /healthz and /readyz for the kubelet; /health, /ping and /version as vLLM has them, for benchmarks and others."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from serve_app import __version__


class Health(BaseModel):
    """What a probe gets to see."""

    status: Literal["ok", "draining"]


class Version(BaseModel):
    """As vLLM shows its own."""

    version: str


def router(draining: Callable[[], bool]) -> APIRouter:
    """The two handlers.

    Ready means: configured, which the process is from its first moment, and not about to end. It does not depend on the
    models, since a gateway without any would only keep clients from being told so.

    Args:
        draining: Whether the process is about to end.
    """
    routes = APIRouter(tags=["health"])

    @routes.get("/ping")
    @routes.get("/health")
    @routes.get("/healthz")
    async def alive() -> Health:
        """Whether the process runs."""
        return Health(status="ok")

    @routes.get("/version")
    async def version() -> Version:
        """Shows the gateway's version."""
        return Version(version=__version__)

    @routes.get("/readyz")
    async def ready(response: Response) -> Health:
        """Whether it may be sent new requests; 503 if not."""
        if draining():
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            return Health(status="draining")
        return Health(status="ok")

    return routes
