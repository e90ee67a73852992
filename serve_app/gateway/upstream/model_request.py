"""What a client asks, before it is known which model will answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from yarl import URL

from serve_app.gateway.api.errors import Header, Headers, Shape
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.http.body import Body
from serve_app.gateway.upstream.attempt import UpstreamRequest
from serve_app.gateway.upstream.headers import passed_on, passed_outside


@dataclass(slots=True)
class ModelRequest:
    """A request, apart from who sent it."""

    method: str
    path: str
    query: str
    """Passed on where the path has an id in it."""
    headers: Headers
    body: Body
    changes: Mapping[str, object]
    """Top-level fields of the body with values of the gateway's own, see `Body.encode`."""
    shape: Shape
    """How the client expects errors."""

    def to(
        self,
        target: Target,
        request_id: bytes,
        key: str,
        connect_seconds: float,
        context: Sequence[Header] = (),
    ) -> UpstreamRequest:
        """The request as a model gets it.

        Args:
            target: The model.
            request_id: What it is to know the request by.
            key: What it wants to be shown; empty for a model of the stack, which gets more of the client's headers.
            connect_seconds: How long a connection may take.
            context: The trace context, in place of the client's.

        Raises:
            ApiError: 400, the body cannot be rewritten.
        """
        changes = self.changes
        if target.upstream_model != self.body.envelope.model:
            changes = {"model": target.upstream_model, **changes}
        pick = partial(passed_outside, key=key) if key else passed_on
        return UpstreamRequest(
            method=self.method,
            url=target.urls.get(self.path) or self._url(target),
            headers=pick(self.headers, request_id, context),
            body=self.body.encode(changes),
            shape=self.shape,
            request_id=request_id.decode(),
            connect_seconds=connect_seconds,
        )

    def _url(self, target: Target) -> URL:
        url = target.entry.url + self.path
        return URL(f"{url}?{self.query}" if self.query else url, encoded=True)
