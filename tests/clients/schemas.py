"""Calls every tool with right and wrong arguments through the official SDK and holds its answers against its schemas.

    python schemas.py URL TOKEN < CASES

Reads `[[tool, arguments, "ok" | "error"], ...]` and prints, by tool, how often each came. Ends with 1 and a line for each fault.
"""

import asyncio
import json
import sys
import warnings

from jsonschema import Draft202012Validator
from mcp import ClientSession
from mcp.client.websocket import websocket_client

DEADLINE_SECONDS = 60
# Words of schemars for whole numbers that TypeScript clients warn about, and that no number of JSON needs.
FOREIGN_FORMATS = {"int64", "uint64", "int32", "uint32", "uint16", "uint", "int"}


def formats(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("format"), str):
            yield schema["format"]
        for part in schema.values():
            yield from formats(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from formats(part)


def faults_of(tool, arguments, wanted, result):
    """What is wrong with an answer."""
    got = "error" if result.isError else "ok"
    at = f"{tool.name} {json.dumps(arguments)}"
    if got != wanted:
        yield f"{at}: {wanted} was expected: {result.content}"
    if result.isError:
        code = (result.meta or {}).get("cwts-ultra/error", {}).get("code")
        if not code or not result.content[0].text or result.structuredContent is not None:
            yield f"{at}: an error has a text and a code, and nothing else: {result}"
        return
    if json.loads(result.content[0].text) != result.structuredContent:
        yield f"{at}: the text is not the structured content: {result.content[0].text}"
    for fault in Draft202012Validator(tool.outputSchema).iter_errors(result.structuredContent):
        yield f"{at}: {fault.json_path} {fault.message}"


async def run():
    cases = json.load(sys.stdin)
    seen, faults = {}, []
    async with websocket_client(f"{sys.argv[1]}?token={sys.argv[2]}") as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        for tool in tools.values():
            for schema in (tool.inputSchema, tool.outputSchema):
                Draft202012Validator.check_schema(schema)
                faults += [f"{tool.name}: format {name}" for name in formats(schema) if name in FOREIGN_FORMATS]
        faults += [f"{name} has no case" for name in tools.keys() ^ {name for name, _, _ in cases}]
        for name, arguments, wanted in cases:
            result = await session.call_tool(name, arguments)
            faults += faults_of(tools[name], arguments, wanted, result)
            seen.setdefault(name, {"ok": 0, "error": 0})["error" if result.isError else "ok"] += 1
    print(json.dumps(seen))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


warnings.simplefilter("ignore", DeprecationWarning)
sys.exit(asyncio.run(asyncio.wait_for(run(), DEADLINE_SECONDS)))
