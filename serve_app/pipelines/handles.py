"""Calls between Serve applications and parts, and what their failures mean to a client."""

import asyncio
import logging
from typing import Any

from ray import serve
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle

from serve_app.pipelines.errors import away

logger = logging.getLogger("ray.serve")
_TRIES = 2
"""A replica that ends while it works is replaced; neither vectors nor scores nor searches change anything."""


class ModelHandle:
    """A model's application, by its name: it need not be there yet, and may be replaced while this one runs."""

    def __init__(self, application: str) -> None:
        self._application = application
        self._handle: DeploymentHandle | None = None

    async def __call__(self, method: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Calls a method of a replica; a model without replicas is started, and waited for.

        Raises:
            ApiError: 503 if the model is not there or fails.
        """
        try:
            if self._handle is None:  # the controller is asked, which blocks
                self._handle = await asyncio.to_thread(serve.get_app_handle, self._application)
            answer: dict[str, Any] = await call(self._handle, method, arguments)
        except Exception as error:
            self._handle = None
            logger.warning("model %s: %s: %r", self._application, method, error)
            message = f"The model {self._application!r} cannot be asked now, try again in a few seconds."
            raise away(message, "model_unavailable") from error
        return answer


async def call(handle: DeploymentHandle, method: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
    """Calls a method of a deployment's replica, again if the first one ended meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return await getattr(handle, method).remote(*arguments)
        except BackPressureError:
            raise
        except Exception as error:
            logger.info("%s is asked again: %r", method, error)
    return await getattr(handle, method).remote(*arguments)
