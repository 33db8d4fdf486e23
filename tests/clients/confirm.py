"""Orders that a person confirms, over Streamable HTTP with the official MCP SDK.

    python confirm.py URL TOKEN

Prints a JSON list: for each answer of the person what was asked and what became of the order.
"""

import asyncio
import json
import sys

from mcp import ClientSession, types
from mcp.client.streamable_http import streamablehttp_client

DEADLINE_SECONDS = 60
ORDER = {"symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 10}
ANSWERS = [
    types.ElicitResult(action="accept", content={"confirm": True}),
    types.ElicitResult(action="accept", content={"confirm": False}),
    types.ElicitResult(action="decline"),
    types.ElicitResult(action="cancel"),
]


async def run():
    seen, asked = [], []
    answers = iter(ANSWERS)

    async def person(_context, params):
        asked.append(params.message)
        return next(answers)

    headers = {"Authorization": f"Bearer {sys.argv[2]}"}
    async with streamablehttp_client(sys.argv[1], headers=headers) as (read, write, _):
        async with ClientSession(read, write, elicitation_callback=person) as session:
            await session.initialize()
            for _ in ANSWERS:
                result = await session.call_tool("place_order", ORDER)
                seen.append({"asked": asked[-1], "is_error": result.isError, "meta": result.meta})
            positions = await session.call_tool("get_positions", {})
    print(json.dumps({"seen": seen, "positions": positions.structuredContent["positions"]}))


asyncio.run(asyncio.wait_for(run(), DEADLINE_SECONDS))
