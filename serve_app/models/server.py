"""A replica: Ray Serve LLM's own server, made in the replica's process.

Ray's builders make that server's configuration in the build, on the head, which takes vLLM and 0.6 GiB for each new
model. Here the build hands on the settings alone, and only the replica imports vLLM.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from typing import TYPE_CHECKING, Any

from serve_app.settings.model import ModelSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from serve_app.models.adapters import Adapters
    from serve_app.models.llm_config import RoleName
    from serve_app.models.statistics import EngineStatistics


class ModelServer:
    """One replica of a model, or of one of its roles. What is not here is Ray's server's own."""

    async def __init__(  # type: ignore[misc]  # Ray Serve awaits it
        self,
        args: dict[str, Any],
        role: RoleName = "",
        **handles: Any,  # noqa: ANN401 - Ray has no types
    ) -> None:
        """Starts the engine.

        Args:
            args: the model's settings, as the chart renders them.
            role: of a model with roles.
            handles: of other deployments, by the name that Ray's server has for them.
        """
        settings = ModelSettings.parse(args)
        lora = bool(settings.engine.get("enable_lora"))
        if lora:  # vLLM asks its resolvers for names that it does not know
            os.environ["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "1"

        self._adapters: Adapters | None = None
        with _serve_log_kept():
            from serve_app.models.llm_config import llm_config, role_of, server_class

            if lora:
                from serve_app.models.adapters import Adapters

                self._adapters = Adapters()
            cls: Any = server_class(role, role_of(settings, role).parallelism)
            self._server = cls.__new__(cls)
            await self._server.__init__(llm_config(settings, role), **handles)
            self._statistics = _statistics(self._server)

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Takes the model's LoRA adapters as they are now: `{"adapters": {name: source}}`. Nothing restarts."""
        if self._adapters is not None:
            await self._adapters.update(config.get("adapters") or {}, self._server.engine)

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        """VLLM's own HTTP API."""
        app: ASGIApp = await self._server.__serve_build_asgi_app__()
        return app

    async def check_health(self) -> None:
        """Asks the engine; ends this process where the engine has died.

        Serve replaces a replica after three checks that fail, and sends it requests until then, each of which ends in
        500. One whose process has ended it replaces at once. vLLM's own server ends with its engine too.
        """
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            await self._server.check_health()
        except EngineDeadError:
            logging.getLogger("ray.serve").critical("vLLM's engine has died: this replica ends and is replaced.")
            logging.shutdown()
            os._exit(1)

    def record_autoscaling_stats(self) -> dict[str, float]:
        """What the engine had to do when it last said so, for the policies of `serve_app.models.autoscaling`."""
        return self._statistics.values() if self._statistics else {}

    async def embed_texts(self, texts: list[str], headers: dict[str, str]) -> dict[str, Any]:
        """For pipelines; see `serve_app.models.by_handle`."""
        from serve_app.models import by_handle

        return await by_handle.embed(self._server, texts, headers)

    async def score_texts(self, question: str, texts: list[str], headers: dict[str, str]) -> dict[str, Any]:
        """For pipelines; see `serve_app.models.by_handle`."""
        from serve_app.models import by_handle

        return await by_handle.score(self._server, question, texts, headers)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever Ray calls, such as prefill's `chat`
        if name == "_server":
            raise AttributeError(name)
        return getattr(self._server, name)

    async def __del__(self) -> None:
        """Ends the engine."""
        server = self.__dict__.get("_server")
        if server is not None:
            await server.__del__()


@contextmanager
def _serve_log_kept() -> Iterator[None]:
    """Gives Serve's log its file back.

    vLLM configures logging when it is imported, which closes all handlers: Serve's buffer then has no file to write to,
    and a controller that comes back with a new head asks for that file, fails, and replaces the replica.
    """
    buffers = [one for one in logging.getLogger("ray.serve").handlers if isinstance(one, MemoryHandler)]
    files = [buffer.target for buffer in buffers]
    try:
        yield
    finally:
        for buffer, file in zip(buffers, files, strict=True):
            buffer.setTarget(file)


def _statistics(server: Any) -> EngineStatistics | None:  # noqa: ANN401 - Ray has no types
    """Has the engine tell its figures; none where this vLLM has no such place."""
    from serve_app.models.statistics import EngineStatistics

    manager = getattr(getattr(server.engine, "_engine_client", None), "logger_manager", None)
    if manager is None:
        return None
    statistics = EngineStatistics()
    manager.stat_loggers.append(statistics)
    return statistics
