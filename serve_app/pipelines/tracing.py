"""OpenTelemetry spans of a pipeline's parts, in the trace of the request: W3C context in and out.

The context travels as a carrier, `{"traceparent": ..., "tracestate": ...}`: in the headers of the gateway's request, in
the calls between parts, and in the headers of what they ask. Where no endpoint is set nothing is loaded, and
a carrier passes through.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from serve_app.settings.pipeline import Tracing as Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Carrier = Mapping[str, str]
_CONTEXT = ("traceparent", "tracestate")


def carrier_of(headers: Mapping[str, str]) -> Carrier:
    """The context in a request's headers."""
    return {name: headers[name] for name in _CONTEXT if name in headers}


class Span:
    """A part's work in a trace."""

    def __init__(self, carrier: Carrier, span: Any = None) -> None:  # noqa: ANN401 - OpenTelemetry's, where it is loaded
        self.carrier = carrier
        """The context for what this work asks of others."""
        self._span = span

    def set(self, name: str, value: str | float) -> None:
        """Notes an attribute. No text of a question or a document belongs there."""
        if self._span is not None:
            self._span.set_attribute(name, value)


class Tracing:
    """Makes spans."""

    def __init__(self, provider: "TracerProvider | None") -> None:
        """Begins.

        Args:
            provider: OpenTelemetry's; None where nothing is traced.
        """
        self._provider = provider

    @classmethod
    def of(cls, settings: Settings | None, name: str) -> "Tracing":
        """The tracing of a pipeline's process.

        Args:
            settings: Where spans go; None: nowhere.
            name: The pipeline's, as the service's name.
        """
        if settings is None:
            return cls(None)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

        provider = TracerProvider(
            resource=Resource.create({"service.name": name}), sampler=ParentBasedTraceIdRatio(settings.sample)
        )
        exporter = OTLPSpanExporter(endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider)

    @contextmanager
    def span(self, name: str, parent: Carrier) -> Iterator[Span]:
        """A span around a block; an exception ends it as failed.

        Args:
            name: What is done, one of a few.
            parent: The context that it belongs to.
        """
        if self._provider is None:
            yield Span(parent)
            return
        from opentelemetry.trace import StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator = TraceContextTextMapPropagator()
        tracer = self._provider.get_tracer("serve_app.pipelines")
        # Not the current span: a stream is read in another task than it was begun in, where that could not be undone.
        span = tracer.start_span(name, context=propagator.extract(parent))
        carrier: dict[str, str] = {}
        propagator.inject(carrier, set_span_in_context(span))
        try:
            yield Span(carrier, span)
        except BaseException as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            span.end()
