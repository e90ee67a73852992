"""OpenTelemetry: a span for each request and one for each model that it was sent to, W3C context in and out.

All of it is set by OpenTelemetry's own environment variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`,
`OTEL_TRACES_SAMPLER`, ...: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). Without
an endpoint nothing is loaded, and a client's `traceparent` passes through like any header. Attributes are those of the
semantic conventions for HTTP and for generative AI; they hold no text of what was asked or answered.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

    from serve_app.gateway.api.errors import Header
    from serve_app.gateway.exchange.record import RequestRecord

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_CONTEXT = (b"traceparent", b"tracestate")


class ClientSpan:
    """The span of a request to one model."""

    __slots__ = ("_span", "headers")

    def __init__(self, span: "Span", headers: list["Header"]) -> None:
        self._span = span
        self.headers = headers

    def end(self, failure: str = "") -> None:
        """Ends with the first byte of the answer, or with what kept it from coming."""
        from opentelemetry.trace import StatusCode

        if failure:
            self._span.set_status(StatusCode.ERROR, failure)
        self._span.end()


class ServerSpan:
    """The span of a client's request."""

    __slots__ = ("_span", "_tracing")

    def __init__(self, tracing: "Tracing", span: "Span") -> None:
        self._tracing = tracing
        self._span = span

    def attempt(self, model: str) -> ClientSpan:
        """Begins the span of a request to a model."""
        return self._tracing.start_attempt(self._span, model)

    def end(self, record: "RequestRecord") -> None:
        """Ends it, with what is known of the request."""
        from opentelemetry.trace import StatusCode

        span = self._span
        span.set_attribute("http.response.status_code", record.status)
        span.set_attribute("ray_vllm_gateway.request_id", record.request_id.decode())
        span.set_attribute("ray_vllm_gateway.key", record.caller.key)
        span.set_attribute("ray_vllm_gateway.team", record.caller.team)
        span.set_attribute("ray_vllm_gateway.queue_seconds", record.queued_seconds)
        span.set_attribute("ray_vllm_gateway.retries", record.retries)
        if record.plan and record.target:
            span.set_attribute("gen_ai.request.model", record.plan.name)
            span.set_attribute("gen_ai.response.model", record.target.model)
        if record.first_byte_at:
            span.set_attribute("gen_ai.response.time_to_first_chunk", record.seconds_to_first_byte)
        if record.usage:
            span.set_attribute("gen_ai.usage.input_tokens", record.usage.prompt + record.usage.cached)
            span.set_attribute("gen_ai.usage.output_tokens", record.usage.completion)
        if record.status >= 500 or not record.complete:  # server errors
            span.set_status(StatusCode.ERROR, record.outcome)
        span.end()


class Tracing:
    """Makes spans."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("serve_app.gateway")
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Tracing | None":
        """The tracing that the environment asks for; None without an endpoint."""
        if not any(environment.get(name) for name in _ENDPOINTS):
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    def start(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> ServerSpan:
        """Begins a request's span, as a child of the client's if it named one.

        Args:
            method: The request's method.
            path: Its path, one of a fixed set.
            headers: Lower-case names -> values.
        """
        from opentelemetry.trace import SpanKind

        carrier = {name.decode(): headers[name].decode("latin-1") for name in _CONTEXT if name in headers}
        span = self._tracer.start_span(
            f"{method} {path}",
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": path},
        )
        return ServerSpan(self, span)

    def start_attempt(self, parent: "Span", model: str) -> ClientSpan:
        """Begins the span of a request to a model."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        span = self._tracer.start_span(
            f"ask {model}",
            context=set_span_in_context(parent),
            kind=SpanKind.CLIENT,
            attributes={"gen_ai.request.model": model},
        )
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span))
        return ClientSpan(span, [(name.encode(), value.encode()) for name, value in carrier.items()])

    def close(self) -> None:
        """Exports what is left."""
        self._provider.shutdown()
