"""Places an order with the second generation of the Python SDK, in both eras of the protocol, or with FastMCP.

    python sdk_2.py legacy|auto|2026-07-28|fastmcp websocket|http URL TOKEN

Prints one JSON object with what the client saw; the test that started it judges.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage
from pydantic import TypeAdapter
from websockets.asyncio.client import connect

DEADLINE_SECONDS = 30
ORDER = {"symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1}
MESSAGE = TypeAdapter(JSONRPCMessage)


@asynccontextmanager
async def websocket_transport(url, token):
    """The transport that the SDK has left out: one message for each text frame."""
    incoming, read = anyio.create_memory_object_stream(64)
    write, outgoing = anyio.create_memory_object_stream(64)
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, subprotocols=["mcp"], additional_headers=headers) as socket, anyio.create_task_group() as tasks:

        async def receive():
            async with incoming:
                async for text in socket:
                    await incoming.send(SessionMessage(MESSAGE.validate_json(text)))

        async def send():
            async with outgoing:
                async for message in outgoing:
                    await socket.send(message.message.model_dump_json(by_alias=True, exclude_unset=True))

        tasks.start_soon(receive)
        tasks.start_soon(send)
        yield read, write
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def http_transport(url, token):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        async with streamable_http_client(url, http_client=client) as streams:
            yield streams


async def with_sdk(mode, transport, url, token):
    open_transport = websocket_transport if transport == "websocket" else http_transport
    async with Client(open_transport(url, token), mode=mode) as client:
        order = await client.call_tool("place_order", ORDER)
        book = await client.read_resource("trading://order_book/TESTUSD")
        prompt = await client.get_prompt("risk_review")
        return {
            "protocol": client.session.protocol_version,
            "order": order.structured_content,
            "book": json.loads(book.contents[0].text),
            "prompt": prompt.messages[0].content.text,
        }


async def with_fastmcp(url, token):
    from fastmcp import Client as FastClient
    from fastmcp.client.transports import StreamableHttpTransport

    async with FastClient(StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"})) as client:
        order = await client.call_tool("place_order", ORDER)
        book = await client.read_resource("trading://order_book/TESTUSD")
        prompt = await client.get_prompt("risk_review")
        return {
            "order": order.structured_content,
            "book": json.loads(book[0].text),
            "prompt": prompt.messages[0].content.text,
        }


async def main():
    mode, transport, url, token = sys.argv[1:5]
    run = with_fastmcp(url, token) if mode == "fastmcp" else with_sdk(mode, transport, url, token)
    print(json.dumps(await asyncio.wait_for(run, DEADLINE_SECONDS)))


asyncio.run(main())
