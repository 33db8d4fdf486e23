/** What client programs are told, and who is connected, in memory. */
import type { ClientInfo, ClientProgram, Connected, Place, Problem, ProgramInfo, QrCode, Snapshot, Snippet, StaleSnippet, Transport, Trial } from '../wire/types';
import { isLoopback } from '../format';
import { NOW, type Member } from './fake-data';

const PROGRAMS: [ClientProgram, string, Transport[]][] = [
  ['claude-desktop', 'Claude Desktop', ['stdio']],
  ['claude-code', 'Claude Code', ['http', 'stdio']],
  ['cursor', 'Cursor', ['http', 'stdio']],
  ['vscode', 'VS Code', ['http', 'stdio']],
  ['python', 'Python SDK', ['websocket', 'http']],
  ['typescript', 'TypeScript SDK', ['websocket', 'http']],
  ['freqtrade', 'FreqTrade', ['http']],
  ['prometheus', 'Prometheus', ['scrape']],
  ['curl', 'curl', ['rest']],
];

const TOKEN = 'cwts_trade_7ade51f0c1d94b0e8f5c6f0f4f9c';
const HIDDEN = 'cwts_trade_••••••••4f9c';
const CA = '/home/you/.local/cwts-ultra/data/default/tls/ca.pem';

export const PROGRAM_INFOS: ProgramInfo[] = PROGRAMS.map(([client, name, transports]) => ({
  client,
  name,
  transports,
  tried: transports.filter((transport) => transport === 'stdio' || client === 'python' || client === 'curl'),
}));

export class FakeClients {
  readonly #picture: () => Snapshot;
  readonly #tell: (stale: StaleSnippet[]) => void;
  /** What was given out, with the address in it. */
  #issued = new Map<string, { snippet: Snippet; address: string }>();
  #connected: ClientInfo[];

  constructor(member: Member, picture: () => Snapshot, tell: (stale: StaleSnippet[]) => void) {
    this.#picture = picture;
    this.#tell = tell;
    this.#connected = ['empty', 'conflict'].includes(member.scenario) ? [] : firstClients(member.scenario === 'exposed');
  }

  connected(): Connected {
    return { clients: this.#picture().state === 'running' ? [...this.#connected] : [], more: 0 };
  }

  disconnect(id: string): ClientInfo {
    const found = this.#connected.find((client) => client.id === id);
    if (!found) throw refusal('invalid_input', `No client ${id} is connected.`, 'It may have gone by itself. Look at the list again.');
    this.#connected = this.#connected.filter((client) => client !== found);
    return found;
  }

  snippet(client: ClientProgram, wanted: Transport | null, place: Place | null, whole: boolean): Snippet {
    const info = PROGRAM_INFOS.find((program) => program.client === client)!;
    const transport = info.transports.find((one) => one === wanted) ?? info.transports[0]!;
    const exposed = this.#picture().services.some(({ address }) => !isLoopback(address.value));
    const places: Place[] = exposed && transport !== 'stdio' ? ['here', 'network'] : ['here'];
    const here = places.find((one) => one === place) ?? places.at(-1)!;
    const made = this.#make(info, transport, here, whole ? TOKEN : HIDDEN);
    const snippet: Snippet = { client, name: info.name, transport, place: here, places, address: this.#code(transport, here), ...made };
    if (whole) {
      this.#issued.set(`${client} ${transport} ${here}`, { snippet, address: this.#address(transport) });
      this.judge();
    }
    return snippet;
  }

  forget(client: ClientProgram, transport: Transport, place: Place): void {
    this.#issued.delete(`${client} ${transport} ${place}`);
    this.judge();
  }

  try({ client, transport }: { client: ClientProgram; transport: Transport | null }): Trial {
    if (client === 'python') throw refusal('wrong_state', "python3 of this computer has no MCP SDK: `python3 -c 'import mcp'` fails.", 'Install it with pip, in the environment that the panel starts in.');
    const said = transport === 'stdio' || client === 'claude-desktop' ? 'The session opened; 18 tools are offered.' : '{"revision":7,"instance":"default","state":"running"}';
    return { ok: true, said, millis: 24 };
  }

  /** Says what no longer fits. */
  judge(): void {
    const stale = [...this.#issued.values()].flatMap(({ snippet, address }) => {
      const { client, name, transport, place } = snippet;
      const now = this.#address(transport);
      return address === now ? [] : [{ client, name, transport, place, reason: `It has ${address}; now it is ${now}.` }];
    });
    this.#tell(stale);
  }

  #address(transport: Transport): string {
    const service = transport === 'websocket' ? 'mcp-websocket' : transport === 'scrape' ? 'prometheus' : 'mcp-http';
    return transport === 'stdio' ? '' : (this.#picture().services.find((one) => one.service === service)?.url ?? '');
  }

  /** The three corners of a code stand for the whole. */
  #code(transport: Transport, place: Place): QrCode | null {
    if (place === 'here') return null;
    const text = this.#address(transport).replace(/^(ws|http):\/\/[^:]+/, '$1s://192.168.1.20');
    const corner = (x: number, y: number) => `M${x} ${y}h7v7h-7zm1 1v5h5v-5zm1 1h3v3h-3z`;
    return { text, side: 29, path: [corner(0, 0), corner(22, 0), corner(0, 22)].join('') };
  }

  #make({ client }: ProgramInfo, transport: Transport, place: Place, token: string): Pick<Snippet, 'file' | 'text' | 'marks' | 'notes'> {
    const tls = place === 'network';
    const url = this.#address(transport).replace(/^(ws|http):\/\/[^:]+/, tls ? '$1s://192.168.1.20' : '$&');
    const host = url.replace(/^\w+:\/\//, '').replace(/\/.*$/, '');
    const note = (text: string) => ({ attention: false, text });
    const trust = tls ? [{ attention: true, text: `Start it with NODE_EXTRA_CA_CERTS=${CA}, or it stops at TLS.` }] : [];
    if (transport === 'stdio') {
      const text = `{\n  "mcpServers": {\n    "cwts-ultra": {\n      "command": "/home/you/.local/cwts-ultra/bin/cwts-ultra",\n      "args": ["--home", "/home/you/.local/cwts-ultra", "mcp-stdio"]\n    }\n  }\n}`;
      return { file: '~/.config/Claude/claude_desktop_config.json', text, marks: [], notes: [note('The program is started by the client and connects to the running instance, so no address and no token grows old here.')] };
    }
    if (client === 'prometheus') return { file: '/etc/prometheus/prometheus.yml', text: `scrape_configs:\n  - job_name: cwts-ultra\n    static_configs:\n      - targets: ["${host}"]`, marks: [host], notes: [note('Where the file has scrape_configs already, add only the job.')] };
    if (client === 'curl') return { file: 'Terminal', text: `curl --fail-with-body \\\n  -H "Authorization: Bearer ${token}" \\\n  ${url.replace('/mcp', '/api/v1/status')}`, marks: [host, token], notes: [note('The token stays in the history of the shell.')] };
    if (transport === 'websocket') return { file: 'client.ts', text: `const url = new URL("${url}?token=${token}");\nconst client = new Client({ name: "my-agent", version: "1.0.0" });\nawait client.connect(new WebSocketClientTransport(url));`, marks: [host, token], notes: [...trust, note('Keep the file at mode 0600: it holds the token.')] };
    return { file: '.cursor/mcp.json', text: `{\n  "mcpServers": {\n    "cwts-ultra": {\n      "url": "${url}",\n      "headers": {\n        "Authorization": "Bearer ${token}"\n      }\n    }\n  }\n}`, marks: [host, token], notes: trust };
  }
}

function refusal(code: Problem['code'], message: string, help: string): Problem {
  return { code, message, field: null, help };
}

function firstClients(exposed: boolean): ClientInfo[] {
  const base = { version: '1.0.0', service: 'mcp-websocket', link: 'websocket', scope: 'trade', last_error: null } as const;
  const agent: ClientInfo = { ...base, id: '1', name: 'my-agent', address: exposed ? '192.168.1.34' : '127.0.0.1', since: NOW - 7_860_000, rate: 6.2, requests: 48_120 };
  const code: ClientInfo = { ...base, id: '3', name: 'Claude Code', version: '2.0.1', service: 'mcp-http', link: 'session', address: '127.0.0.1', since: NOW - 840_000, rate: 0.43, requests: 118, last_error: { at: NOW - 60_000, text: 'place_order: quantity must be at least 0.0001, not 0' } };
  const prometheus: ClientInfo = { ...base, id: '2', name: 'Prometheus', version: '3.1.0', service: 'prometheus', link: 'connection', scope: exposed ? 'metrics' : null, address: exposed ? '192.168.1.40' : '127.0.0.1', since: NOW - 8_280_000, rate: 0.1, requests: 560 };
  return [agent, prometheus, code];
}
