"""A request's spans in one trace."""

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from serve_app.pipelines.tracing import Tracing

from .support import stage

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def test_all_parts_are_in_the_clients_trace() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with stage(tracing=Tracing(provider)) as on:
        for streamed in (False, True):
            answer = await on.client.chat.completions.create(
                model="docs",
                messages=[{"role": "user", "content": "owls?"}],
                stream=streamed,
                extra_headers={"traceparent": PARENT},
            )
            if streamed:
                async for _ in answer:  # type: ignore[union-attr]
                    pass
    spans = exporter.get_finished_spans()
    assert sorted(span.name for span in spans) == sorted(2 * ["answer", "retrieve", "embed", "search", "generate"])
    assert {f"{_context(span).trace_id:032x}" for span in spans} == {TRACE}
    by_id = {_context(span).span_id: span for span in spans}
    assert {_parent(span, by_id) for span in spans} == {
        ("answer", ""), ("retrieve", "answer"), ("embed", "retrieve"), ("search", "retrieve"), ("generate", "answer")
    }  # fmt: skip
    for headers in (*on.store.headers, *on.gateway.headers, *on.vectors.traces):
        assert headers["traceparent"].split("-")[1] == TRACE
        assert headers["traceparent"] != PARENT


def _context(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def _parent(span: ReadableSpan, spans: dict[int, ReadableSpan]) -> tuple[str, str]:
    parent = spans.get(span.parent.span_id) if span.parent else None
    return span.name, parent.name if parent else ""


async def test_without_an_endpoint_the_context_passes_through() -> None:
    async with stage() as on:
        await on.client.chat.completions.create(
            model="docs", messages=[{"role": "user", "content": "owls?"}], extra_headers={"traceparent": PARENT}
        )
    assert on.gateway.headers[0]["traceparent"] == PARENT


def test_no_settings_make_no_spans() -> None:
    with Tracing.of(None, "docs").span("answer", {"traceparent": PARENT}) as span:
        span.set("pipeline.documents", 1)
        assert span.carrier == {"traceparent": PARENT}
