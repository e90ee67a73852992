import asyncio
from pathlib import Path

import pytest
import yaml

from serve_app.gateway.background.watched import ConfigError
from serve_app.gateway.config import parse, watched_catalog
from serve_app.gateway.observe.metrics import Metrics

from .support import FakeModel, Gateway, ask, config_for, stream, until


def mount(volume: Path, version: str, content: str) -> Path:
    """Writes a file as the kubelet mounts a ConfigMap: two symbolic links, the inner one swapped."""
    folder = volume / f"..{version}"
    folder.mkdir(parents=True)
    (folder / "gateway.yaml").write_text(content)
    (volume / "..data_tmp").symlink_to(folder.name)
    (volume / "..data_tmp").replace(volume / "..data")
    path = volume / "gateway.yaml"
    if not path.is_symlink():
        path.symlink_to("..data/gateway.yaml")
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: b: c", "it is not YAML"),
        (b"", "it has to be a mapping with the key models, add it"),
        (
            b"models: {a: {url: http://h}, a/b: {}}",
            "models.a/b needs one of url and baseUrl, set one and leave out the other",
        ),
    ],
)
def test_what_cannot_be_used(content: bytes, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse(content)


def test_a_swapped_config_map_is_followed(tmp_path: Path) -> None:
    metrics = Metrics()
    path = mount(tmp_path, "1", "models: {a: {url: 'http://h/a'}}")
    catalog = watched_catalog(path, metrics)
    before = catalog.current
    catalog.poll()
    assert catalog.current is before
    mount(tmp_path, "2", "models: {b: {url: 'http://h/b'}}")
    catalog.poll()
    assert (list(before), list(catalog.current)) == (["a"], ["b"])


def test_bad_content_is_refused_once_and_the_old_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    path = tmp_path / "gateway.yaml"
    good = "models: {a: {url: 'http://h/a'}}"
    path.write_text(good)
    catalog = watched_catalog(path, metrics)

    def values() -> tuple[float | None, ...]:
        get = metrics.registry.get_sample_value
        return (
            get("ray_vllm_gateway_config_valid", {"source": "config"}),
            get("ray_vllm_gateway_config_reloads_total", {"source": "config", "result": "ok"}),
            get("ray_vllm_gateway_config_reloads_total", {"source": "config", "result": "failed"}),
        )

    assert values() == (1, 0, 0)
    path.write_text("models: {a: {uri: 'http://h/a'}}")
    for _ in range(3):
        catalog.poll()
    assert list(catalog.current) == ["a"]
    assert values() == (0, 0, 1)
    refusals = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(refusals) == 1
    assert "models.a has the unknown key 'uri', use one of: url, baseUrl" in refusals[0]
    path.unlink()
    catalog.poll()
    assert values() == (0, 0, 2)
    path.write_text(good)
    catalog.poll()
    assert values() == (1, 1, 2)


@pytest.mark.parametrize("text", ["2026-13-45", "2027-01-31", "2001-01-01t10:00:00", "=", "<<"])
def test_text_that_helm_does_not_quote_stays_text(text: str) -> None:
    config = parse(f"models: {{a: {{url: http://h, query: {{k: {text}, {text}: v}}}}}}".encode())
    assert config.models["a"].query == {"k": text, text: "v"}
    with pytest.raises(ConfigError, match=rf"models\.a\.url is '{text}', write it as http://HOST:PORT/PATH"):
        parse(f"models: {{a: {{url: {text}}}}}".encode())


async def test_an_edit_reaches_new_requests_and_spares_those_in_flight(gateway: Gateway, model: FakeModel) -> None:
    gate = asyncio.Event()
    model.script = [stream(b"1", b"2", gate=gate)]
    async with gateway.post(ask("a")) as response:
        assert await response.content.readexactly(1) == b"1"
        config = config_for(model.url) | {"models": {"c": {"url": model.url}}, "routes": {}}
        gateway.config.write_text(yaml.safe_dump(config))
        await until(lambda: gateway.value("config_reloads_total", source="config", result="ok") == 1)
        gate.set()
        assert await response.content.read() == b"2"
    async with gateway.post(ask("a")) as response:
        assert response.status == 404
    async with gateway.post(ask("c")) as response:
        assert response.status == 200
