import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

UVLOOP: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
ASYNCIO: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
ON_BOTH = ("test_connection", "test_connection_pace", "test_egress_proxy", "test_pool")
"""Transports, timers and TLS are each loop's own."""


def pytest_asyncio_loop_factories(item: pytest.Function) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the pod; asyncio's own for what is close to it, and where Python has to look names up."""
    if "names" in item.fixturenames:
        return ASYNCIO
    return {**UVLOOP, **ASYNCIO} if item.path.stem in ON_BOTH else UVLOOP
