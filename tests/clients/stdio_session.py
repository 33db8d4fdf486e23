"""A session of the official MCP SDK with a program that it starts: `cwts-ultra mcp-stdio`.

    python stdio_session.py PROGRAM ARGUMENT...

Prints a JSON line with an order, waits for a line, and prints a JSON line with the positions.
"""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

DEADLINE_SECONDS = 60


async def call(session, tool, **arguments):
    """The structured content of a tool; what failed once because the connection moved is asked for again."""
    result = await session.call_tool(tool, arguments)
    if result.isError:
        raise RuntimeError(f"{tool} {arguments}: {result.content[0].text}")
    return result.structuredContent


async def run():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        hello = await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        order = await call(session, "place_order", symbol="TESTUSD", side="buy", order_type="market", quantity=1)
        print(json.dumps({"server": hello.serverInfo.name, "tools": tools, "order": order}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(await call(session, "get_positions")), flush=True)


asyncio.run(asyncio.wait_for(run(), DEADLINE_SECONDS))
