from pathlib import Path

import pytest

from serve_app.gateway.access.auth import Authenticator, KeyRing, read_directory, watched_keys
from serve_app.gateway.observe.metrics import Metrics

from ..support import Gateway, ask, config_for, running_gateway, until


def test_a_ring_knows_names_and_keeps_no_key() -> None:
    ring = KeyRing({"team-a": b"sk-1\n", "team-b": b" sk-2 ", "empty": b"\n"})
    assert (ring.name_of(b"sk-1"), ring.name_of(b"sk-2"), ring.name_of(b"sk-3")) == ("team-a", "team-b", None)
    assert ring.name_of(b"") is None
    assert b"sk-1" not in repr(vars(ring)).encode()


def test_a_mounted_secret_is_read_without_its_dot_names(tmp_path: Path) -> None:
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "default").write_bytes(b"sk-1")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "default").symlink_to("..data/default")
    assert read_directory(tmp_path) == {"default": b"sk-1"}


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        watched_keys(tmp_path / "none", Metrics())


def test_without_keys_everybody_is_let_in() -> None:
    assert Authenticator(None, Metrics()).check({}) == ""


async def test_a_rotated_key(gateway: Gateway) -> None:
    (gateway.keys / "second").write_text("sk-second")
    (gateway.keys / "default").unlink()
    await until(lambda: gateway.value("config_reloads_total", source="api_keys", result="ok") == 1)
    async with gateway.post(ask()) as response:
        assert response.status == 401
    async with gateway.post(ask(), headers={"authorization": "Bearer sk-second"}) as response:
        assert response.status == 200
    assert (await gateway.log_line())["key"] == "second"


async def test_an_empty_directory_lets_nobody_in(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config_for("http://127.0.0.1:1/models/a")) as gateway:
        (gateway.keys / "default").write_text("")
        await until(lambda: gateway.value("config_reloads_total", source="api_keys", result="ok") == 1)
        async with gateway.get("/v1/models", headers={"authorization": "Bearer "}) as response:
            assert response.status == 401
