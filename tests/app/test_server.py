"""serve_app.models.server: what a replica keeps of Ray Serve's while it imports vLLM."""

import logging
import logging.config
from logging.handlers import MemoryHandler
from pathlib import Path

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
