"""GET /healthz and /readyz, for the kubelet."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel


class Health(BaseModel):
    """What a probe gets to see."""

    status: Literal["ok", "draining"]


def router(draining: Callable[[], bool]) -> APIRouter:
    """The two handlers.

    Ready means: configured, which the process is from its first moment, and not about to end. It does not depend on the
    models, since a gateway without any would only keep clients from being told so.

    Args:
        draining: Whether the process is about to end.
    """
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def alive() -> Health:
        """Whether the process runs."""
        return Health(status="ok")

    @routes.get("/readyz")
    async def ready(response: Response) -> Health:
        """Whether it may be sent new requests; 503 if not."""
        if draining():
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            return Health(status="draining")
        return Health(status="ok")

    return routes
