// Places an order with the official TypeScript SDK: the first generation, or the client of the second one in either era.
//
//     node sdk.mjs 1|2-legacy|2-auto websocket|http URL TOKEN
//
// Prints one JSON object with what the client saw; the test that started it judges.

const [generation, transportName, url, token] = process.argv.slice(2);
const SDK = "@modelcontextprotocol/sdk/client";
const ORDER = { symbol: "TESTUSD", side: "buy", order_type: "market", quantity: 1 };

// The transport that the second generation has left out: one message for each text frame.
class WebSocketTransport {
  async start() {
    this.socket = new WebSocket(`${url}?token=${token}`, "mcp");
    this.socket.onmessage = (event) => this.onmessage?.(JSON.parse(event.data));
    this.socket.onclose = () => this.onclose?.();
    await new Promise((opened, failed) => Object.assign(this.socket, { onopen: opened, onerror: failed }));
  }
  async send(message) {
    this.socket.send(JSON.stringify(message));
  }
  async close() {
    this.socket.close();
  }
}

const first = generation === "1";
const { Client, StreamableHTTPClientTransport } = first
  ? { ...(await import(`${SDK}/index.js`)), ...(await import(`${SDK}/streamableHttp.js`)) }
  : await import("@modelcontextprotocol/client");
const headers = { Authorization: `Bearer ${token}` };
const open = {
  http: () => new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  websocket: async () =>
    first
      ? new (await import(`${SDK}/websocket.js`)).WebSocketClientTransport(new URL(`${url}?token=${token}`))
      : new WebSocketTransport(),
};
const options = first ? {} : { versionNegotiation: { mode: generation.slice(2) } };
const client = new Client({ name: "cwts-tests", version: "1" }, options);
await client.connect(await open[transportName]());
const order = await client.callTool({ name: "place_order", arguments: ORDER });
const book = await client.readResource({ uri: "trading://order_book/TESTUSD" });
const prompt = await client.getPrompt({ name: "risk_review" });
await client.close();
console.log(
  JSON.stringify({
    order: order.structuredContent,
    book: JSON.parse(book.contents[0].text),
    prompt: prompt.messages[0].content.text,
  }),
);
