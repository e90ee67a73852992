"""serve_app.models.server: Serve's log beside vLLM's, and a replica whose engine has died."""

import logging
import logging.config
import subprocess
import sys
from logging.handlers import MemoryHandler
from pathlib import Path

import pytest

from serve_app.models.server import _serve_log_kept


def test_serves_log_keeps_its_file(tmp_path: Path) -> None:
    """`dictConfig` closes every handler, as the import of vLLM does."""
    logger = logging.getLogger("ray.serve")
    buffer = MemoryHandler(1, target=logging.FileHandler(tmp_path / "replica.log"))
    logger.addHandler(buffer)
    try:
        with _serve_log_kept():
            logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
            assert buffer.target is None
        logger.error("still here")
    finally:
        logger.removeHandler(buffer)
    assert "still here" in (tmp_path / "replica.log").read_text()


@pytest.mark.parametrize("dead", [True, False], ids=["dead", "ill"])
def test_a_replica_ends_with_its_engine(dead: bool) -> None:
    """In a process of its own, with vLLM's class of that name; another failure is Serve's to count."""
    program = f"""
import asyncio, sys, types
exceptions = types.ModuleType("vllm.v1.engine.exceptions")
exceptions.EngineDeadError = type("EngineDeadError", (Exception,), {{}})
for name in ("vllm", "vllm.v1", "vllm.v1.engine"):
    sys.modules[name] = types.ModuleType(name)
sys.modules[exceptions.__name__] = exceptions
from serve_app.models.server import ModelServer
class Server:
    async def check_health(self):
        raise exceptions.EngineDeadError if {dead} else RuntimeError("slow")
replica = ModelServer.__new__(ModelServer)
replica._server = Server()
try:
    asyncio.run(replica.check_health())
except RuntimeError:
    sys.exit(3)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == (1 if dead else 3), done.stderr
    assert ("engine has died" in done.stderr) == dead
