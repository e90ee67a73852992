"""An MCP server with two tools, for a pod of the serve image. usage: mcp_server.py [PORT]

`POST /mode` says how it behaves: a word to answer with, `fails` or `waits`. `GET /calls` tells how many calls have
begun and ended.
"""

import asyncio
import sys

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

server = MCPServer("weather")
state = {"mode": "rainy"}
calls = {"begun": 0, "ended": 0}


@server.tool()
async def get_weather(city: str) -> str:
    """Says what the weather is like in a city."""
    calls["begun"] += 1
    try:
        if state["mode"] == "fails":
            raise ToolError(f"no station in {city} answers")
        if state["mode"] == "waits":
            await asyncio.sleep(600)
        return state["mode"]
    finally:
        calls["ended"] += 1


@server.tool()
def get_time(city: str) -> str:
    """Says what time it is in a city."""
    return "noon"


@server.custom_route("/mode", methods=["POST"])  # type: ignore[untyped-decorator]
async def mode(request: Request) -> Response:
    """Changes how the tool behaves."""
    state["mode"] = (await request.body()).decode()
    return Response()


@server.custom_route("/calls", methods=["GET"])  # type: ignore[untyped-decorator]
async def counted(_: Request) -> Response:
    """How many calls there were."""
    return JSONResponse(calls)


if __name__ == "__main__":
    server.run("streamable-http", host="0.0.0.0", port=int(sys.argv[1]) if sys.argv[1:] else 8000)
