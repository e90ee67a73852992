"""Spans, and the context that is passed on; and that nothing of it is there where nobody asked for it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serve_app.gateway.observe.tracing import Tracing

from ..support import FakeModel, answer, ask, config_for, running_gateway, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Spans:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider)

    def named(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def spans() -> Spans:
    return Spans()


async def test_a_request_and_its_model_are_spans_of_the_clients_trace(
    model: FakeModel, tmp_path: Path, spans: Spans
) -> None:
    headers = {"traceparent": PARENT, "tracestate": "vendor=1"}
    async with (
        running_gateway(tmp_path, config_for(model.url), tracing=spans.tracing) as gateway,
        gateway.post(ask("chat"), headers=headers) as response,
    ):
        assert response.status == 200
        await until(lambda: len(spans.named()) == 2)
    named = spans.named()
    server, client = named["POST /v1/chat/completions"], named["ask a"]
    assert server.parent is not None
    assert f"{server.parent.span_id:016x}" == "b7ad6b7169203331"
    assert client.parent is not None
    assert client.parent.span_id == server.context.span_id
    sent = model.seen[0].headers["traceparent"].split("-")
    assert sent == ["00", TRACE, f"{client.context.span_id:016x}", "01"]
    assert model.seen[0].headers["tracestate"] == "vendor=1"
    attributes = dict(server.attributes or {})
    assert attributes["gen_ai.request.model"] == "chat"
    assert attributes["gen_ai.response.model"] == "a"
    assert attributes["http.response.status_code"] == 200
    assert attributes["ray_vllm_gateway.key"] == "default"
    assert "hi" not in str(attributes)


async def test_who_has_no_key_makes_no_span(model: FakeModel, tmp_path: Path, spans: Spans) -> None:
    headers = {"traceparent": PARENT, "authorization": "Bearer wrong"}
    async with running_gateway(tmp_path, config_for(model.url), tracing=spans.tracing) as gateway:
        for path in ("/v1/chat/completions", "/" + "x" * 1000):
            async with gateway.post(ask("chat"), path=path, headers=headers) as response:
                assert response.status == 401
        async with gateway.post(ask("chat")) as response:
            assert response.status == 200
        await until(lambda: len(spans.named()) == 2)
    assert set(spans.named()) == {"POST /v1/chat/completions", "ask a"}
    assert len(spans.exporter.get_finished_spans()) == 2


async def test_failures_are_marked(model: FakeModel, tmp_path: Path, spans: Spans) -> None:
    model.script = [answer(307, b"", location="/x")]
    async with running_gateway(tmp_path, config_for(model.url), tracing=spans.tracing) as gateway:
        async with gateway.post(ask()) as response:
            assert response.status == 502
        await until(lambda: len(spans.named()) == 2)
    assert {name: span.status.is_ok for name, span in spans.named().items()} == {
        "POST /v1/chat/completions": False,
        "ask a": False,
    }
    assert spans.named()["ask a"].status.description == "invalid"


async def test_without_tracing_the_clients_context_passes_through(model: FakeModel, tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, config_for(model.url)) as gateway,
        gateway.post(ask(), headers={"traceparent": PARENT}) as response,
    ):
        assert response.status == 200
    assert model.seen[0].headers["traceparent"] == PARENT


async def test_spans_arrive_by_otlp(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[ExportTraceServiceRequest] = []

    async def collect(request: web.Request) -> web.Response:
        received.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "gateway-under-test")
    tracing = Tracing.from_environment()
    assert tracing is not None
    tracing.start("POST", "/v1/completions", {}).attempt("a").end()
    await asyncio.to_thread(tracing.close)
    await runner.cleanup()
    [resource] = received[0].resource_spans
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert attributes["service.name"] == "gateway-under-test"
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["ask a"]


def test_without_an_endpoint_nothing_is_exported() -> None:
    assert Tracing.from_environment({}) is None
    code = "import serve_app.gateway.app, sys; print('opentelemetry.exporter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
