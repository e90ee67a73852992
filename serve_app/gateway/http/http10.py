"""Answers to HTTP/1.0 clients: without chunks, which RFC 9112 (section 6.1) forbids there, up to its end."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


def until_closed(app: ASGIApp, cycle: RequestResponseCycle) -> ASGIApp:
    """The application for one request by HTTP/1.0.

    Args:
        app: The application.
        cycle: uvicorn's state of the request.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        whole = False

        async def write(message: Message) -> None:
            nonlocal whole
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                whole = scope["method"] == "HEAD" or any(name == b"content-length" for name, _ in headers)
            if whole:
                await send(message)
                return
            if cycle.flow.write_paused and not cycle.disconnected:
                await cycle.flow.drain()
            if cycle.disconnected:
                return
            if message["type"] == "http.response.start":
                _start(cycle, message)
                return
            cycle.transport.write(message.get("body", b""))
            if not message.get("more_body", False):
                cycle.response_complete = True
                cycle.message_event.set()
                cycle.transport.close()
                cycle.on_response()

        await app(scope, receive, write)

    return answer


def _start(cycle: RequestResponseCycle, message: Message) -> None:
    cycle.response_started = True
    cycle.waiting_for_100_continue = False
    kept = [header for header in message.get("headers", ()) if header[0] not in (b"connection", b"transfer-encoding")]
    lines = b"".join(b"%s: %s\r\n" % header for header in [*cycle.default_headers, *kept])
    cycle.transport.write(STATUS_LINE[message["status"]] + lines + b"connection: close\r\n\r\n")
