"""A trading session with the official MCP SDK.

    python ws_session.py websocket|http URL TOKEN

Prints one JSON object with what the client saw; the test that started it judges.
"""

import asyncio
import json
import sys
import warnings

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.client.websocket import websocket_client

DEADLINE_SECONDS = 30


async def call(session, tool, **arguments):
    """The structured content of a tool that must succeed. The SDK checks it against the tool's output schema."""
    result = await session.call_tool(tool, arguments)
    if result.isError:
        raise RuntimeError(f"{tool} {arguments}: {result.content[0].text}")
    return result.structuredContent


async def quoted(session):
    """The market as soon as the simulated makers quote both sides."""
    while True:
        market = await call(session, "get_market_data", symbol="BTCUSD", depth=5, include_trades=True)
        if market["bid"] and market["ask"]:
            return market


async def trade(session, name):
    seen = {}
    hello = await session.initialize()
    seen["server"] = hello.serverInfo.name
    seen["protocol"] = hello.protocolVersion
    seen["tools"] = [tool.model_dump(mode="json") for tool in (await session.list_tools()).tools]
    seen["server_info"] = await call(session, "server_info")
    seen["market"] = market = await quoted(session)
    far = round(market["bid"] * 0.95, 2)
    limit = {"symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.002, "price": far}
    seen["resting"] = await call(session, "place_order", **limit, client_order_id=name)
    seen["again"] = await call(session, "place_order", **limit, client_order_id=name)
    market_order = {"symbol": "BTCUSD", "side": "buy", "order_type": "market", "quantity": 0.01}
    seen["filled"] = await call(session, "place_order", **market_order)
    seen["positions"] = await call(session, "get_positions")
    seen["fills"] = await call(session, "get_fills")
    seen["account"] = await call(session, "get_account")
    seen["open_before"] = await call(session, "list_orders")
    seen["cancelled"] = [
        await call(session, "cancel_order", order_id=order["order_id"]) for order in seen["open_before"]["orders"]
    ]
    seen["open_after"] = await call(session, "list_orders")
    wrong = await session.call_tool("place_order", {**market_order, "quantity": 0})
    seen["wrong"] = {"is_error": wrong.isError, "text": wrong.content[0].text}
    return seen


async def run(transport, url, token):
    if transport == "websocket":
        async with websocket_client(f"{url}?token={token}") as (read, write), ClientSession(read, write) as session:
            return await trade(session, f"far-{transport}")
    headers = {"Authorization": f"Bearer {token}"}
    async with streamablehttp_client(url, headers=headers) as (read, write, _), ClientSession(read, write) as session:
        return await trade(session, f"far-{transport}")


async def main():
    print(json.dumps(await asyncio.wait_for(run(*sys.argv[1:4]), DEADLINE_SECONDS)))


if __name__ == "__main__":
    # The SDK deprecates what this suite is about: standard error stays for faults.
    warnings.simplefilter("ignore", DeprecationWarning)
    asyncio.run(main())
