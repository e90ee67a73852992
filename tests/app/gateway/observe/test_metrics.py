from prometheus_client import generate_latest

from serve_app import __version__
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.observe.metrics import Metrics

from ..support import FakeModel, Gateway, ask


async def test_series_of_configured_models_begin_at_zero(gateway: Gateway) -> None:
    for outcome in Outcome:
        labels = {"model": "a", "route": "chat", "api": "chat_completions", "status": outcome.value}
        assert gateway.value("requests_total", **labels) == 0
    assert gateway.value("retries_total", model="b", reason="unavailable") == 0
    assert gateway.value("upstream_errors_total", model="b", reason="idle_timeout") == 0
    assert gateway.value("requests_in_flight", model="b") == 0
    assert gateway.value("time_to_first_byte_seconds_count", model="a", route="") == 0


async def test_labels_come_from_the_configuration_only(gateway: Gateway, model: FakeModel) -> None:
    for name in ("made", "up"):
        async with gateway.post(ask(name)) as response:
            assert response.status == 404
        async with gateway.get(f"/{name}") as response:
            assert response.status == 404
    text = generate_latest(gateway.metrics.registry).decode()
    assert 'model="made"' not in text
    assert "/up" not in text


def test_the_exposition_names_the_version_and_the_process() -> None:
    text = generate_latest(Metrics().registry).decode()
    assert f'ray_vllm_gateway_build_info{{version="{__version__}"}} 1.0' in text
    assert "process_resident_memory_bytes" in text
