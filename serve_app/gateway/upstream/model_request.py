"""What a client asks for, before it is known which model will answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from serve_app.gateway.api.errors import Header, Headers, Shape
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.exchange.usage import NO_REQUEST, UsageRequest
from serve_app.gateway.http.body import Body
from serve_app.gateway.upstream.attempt import UpstreamRequest
from serve_app.gateway.upstream.headers import BEHIND_OTHERS, to_provider, to_stack


@dataclass(slots=True)
class ModelRequest:
    """A request, apart from who sent it."""

    method: str
    path: str
    query: str
    """Passed on where the path has an id in it."""
    headers: Headers
    body: Body
    shape: Shape
    """How the client expects errors."""
    usage: UsageRequest = NO_REQUEST
    """What the model is asked to report of its tokens."""
    background: bool = False
    """Whether nobody waits for the answer."""

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
            request_id: The id by which it is to know the request.
            key: API key to send; empty for none.
            connect_seconds: How long a connection may take.
            context: The trace context, in place of the client's.

        Raises:
            ApiError: 400, the body cannot be written with the fields that the model wants.
        """
        entry = target.entry
        headers_for = to_provider if entry.external else to_stack
        headers = headers_for(self.headers, request_id, context, entry=entry, key=key)
        if self.background and not entry.external:
            headers.append(BEHIND_OTHERS)
        return UpstreamRequest(
            method=self.method,
            endpoint=target.endpoints.at(self.path, self.query),
            headers=headers,
            body=self.body.pieces(target.upstream_model, self.usage.changes(entry.external), entry.fields),
            shape=self.shape,
            request_id=request_id.decode(),
            connect_seconds=connect_seconds,
        )
