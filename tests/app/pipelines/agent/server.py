"""A real MCP server, as its users write one. usage: server.py PORT"""

import asyncio
import sys

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """Says what the weather is like."""
    if city == "Atlantis":
        raise ToolError("Atlantis is under water")
    return f"rainy in {city}"


@server.tool()
async def wait(seconds: float) -> str:
    """Waits."""
    print("waiting", flush=True)
    try:
        await asyncio.sleep(seconds)
    finally:
        print("ended", flush=True)
    return "done"


server.run("streamable-http", port=int(sys.argv[1]))
