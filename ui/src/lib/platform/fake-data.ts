/** The worlds of the fake host: the same every time, so that screenshots and tests can be compared. */
import { firstSecurity } from './fake-security';
import type { Activity, Finding, ListenerRow, Origin, Problem, ProfileInfo, Sample, Service, ServiceSnapshot, Snapshot } from '../wire/types';

export const SCENARIOS = ['running', 'several', 'stopped', 'conflict', 'damaged', 'exposed', 'refused', 'away', 'elsewhere', 'empty', 'many', 'halted', 'fault', 'replay', 'closing', 'error', 'loading'] as const;

export type Scenario = (typeof SCENARIOS)[number];

export function isScenario(text: string): text is Scenario {
  return SCENARIOS.some((scenario) => scenario === text);
}

/** One instance of a scenario: its name, its ports in the fixed order, and what it does. */
export type Member = { id: string; ports: number[]; scenario: Exclude<Scenario, 'several' | 'error'> };

const DEFAULT_PORTS = [3000, 3001, 9090, 8080];

/** The instances of a scenario: `several` has one for each state, every other one has `default` alone. */
export function fleetOf(scenario: Exclude<Scenario, 'error'>): Member[] {
  if (scenario !== 'several') return [{ id: 'default', ports: DEFAULT_PORTS, scenario }];
  return [
    { id: 'default', ports: DEFAULT_PORTS, scenario: 'running' },
    { id: 'desk', ports: [5010, 5011, 9190, 8180], scenario: 'exposed' },
    { id: 'headless', ports: [10014, 10015, 10016, 10017], scenario: 'elsewhere' },
    { id: 'lab', ports: [10004, 10005, 10006, 10007], scenario: 'stopped' },
    { id: 'nightly', ports: [3000, 3004, 10002, 10003], scenario: 'conflict' },
  ];
}

const SIZES: Record<string, number> = { default: 18_400_000, desk: 4_100_000, nightly: 1_200_000, lab: 640_000 };

/** What lies on the disk of an instance. */
export function profileOf(id: string): ProfileInfo {
  return {
    instance: id,
    data_folder: `/home/you/.local/cwts-ultra/data/${id}`,
    data_bytes: SIZES[id] ?? 0,
    token_made_at: SIZES[id] === undefined ? null : NOW - 3 * 86_400_000,
    starts_with_panel: true,
  };
}

/** The services in their fixed order. */
export const SERVICES: readonly Service[] = ['mcp-websocket', 'mcp-http', 'prometheus', 'health'];

/** The moment at which every scenario begins: 22 November 2026, 14:02:11 here. */
export const NOW = new Date(2026, 10, 22, 14, 2, 11).getTime();

const ENV_FILE = '/home/you/.local/cwts-ultra/config/ports.env';
const TOML_FILE = '/home/you/.local/cwts-ultra/config/production.toml';

const DAMAGE: Problem = {
  code: 'config_invalid',
  message: `${TOML_FILE}:6: mcp.mcp_port is 70000; a port is a whole number from 1 to 65535, without quotes.`,
  field: 'mcp.mcp_port',
  help: `Edit the line or remove it. Or restore the last good copy, ${TOML_FILE}.bak: cwts-ultra config restore.`,
};

const PROFILES = '/home/you/.local/cwts-ultra/config/instances';

export const BUILT_IN: Origin = { layer: 'built-in', file: null, line: null, variable: null };
export const THIS_RUN: Origin = { ...BUILT_IN, layer: 'this-run' };

export function envFileOrigin(variable: string, line = 3): Origin {
  return { layer: 'env-file', file: ENV_FILE, line, variable };
}

export function tomlOrigin(line = 12): Origin {
  return { layer: 'toml', file: TOML_FILE, line, variable: null };
}

type Facts = { service: Service; name: string; scheme: string; path: string; variable: string; alternatives: number[] };

const FACTS: Facts[] = [
  { service: 'mcp-websocket', name: 'MCP WebSocket', scheme: 'ws', path: '/mcp', variable: 'MCP_SERVER_PORT', alternatives: [3000, 5010, 10000] },
  { service: 'mcp-http', name: 'MCP HTTP API', scheme: 'http', path: '/mcp', variable: 'MCP_HTTP_PORT', alternatives: [3001, 5011, 10001] },
  { service: 'prometheus', name: 'Prometheus', scheme: 'http', path: '/metrics', variable: 'PROMETHEUS_PORT', alternatives: [9090, 9190, 10090] },
  { service: 'health', name: 'Health check', scheme: 'http', path: '/health', variable: 'HEALTH_CHECK_PORT', alternatives: [8080, 8180, 10080] },
];

/** The URL a client is given for a service on a port. */
export function urlOf(service: Service, port: number): string {
  const facts = FACTS.find((one) => one.service === service);
  return `${facts?.scheme ?? 'http'}://127.0.0.1:${port}${facts?.path ?? ''}`;
}

function stoppedService(facts: Facts, port: number, address: string): ServiceSnapshot {
  return {
    service: facts.service,
    name: facts.name,
    state: 'stopped',
    port: { value: port, origin: BUILT_IN, shadowed: [] },
    address: { value: address, origin: BUILT_IN, shadowed: [] },
    url: urlOf(facts.service, port),
    variable: facts.variable,
    alternatives: facts.alternatives,
    range: [10_000, 10_100],
    clients: 0,
    rate: 0,
    requests: 0,
    idle_seconds: null,
    problem: null,
    conflict: null,
  };
}

const FINDINGS: Finding[] = [
  {
    level: 'attention',
    title: 'PROMETHEUS_PORT is set in two places',
    detail: 'The environment says 9090 and wins. ports.env says 9190. Cockpit also listens on 9090 by default.',
  },
  {
    level: 'info',
    title: 'No tray host found',
    detail: 'Closing the window would leave no icon, so the app asks first. Install the AppIndicator extension to change that.',
  },
];

/** The picture with which a scenario begins. */
export function firstSnapshot(scenario: Scenario, { id, ports }: Pick<Member, 'id' | 'ports'> = { id: 'default', ports: DEFAULT_PORTS }): Snapshot {
  const services = FACTS.map((facts, index) => stoppedService(facts, ports[index] ?? 0, (scenario === 'exposed' || scenario === 'refused') && facts.service.startsWith('mcp') ? '0.0.0.0' : '127.0.0.1'));
  const snapshot: Snapshot = {
    revision: 7,
    instance: id,
    version: '0.1.0',
    state: 'stopped',
    started_at: null,
    services,
    findings: [],
    security: firstSecurity(scenario),
    market: null,
    trading: null,
    stale_clients: [],
    failed_logins: scenario === 'exposed' ? { count: 14, last_at: NOW - 42_000, last_source: '192.168.1.77' } : { count: 0, last_at: null, last_source: null },
    problem: scenario === 'damaged' ? DAMAGE : null,
    damaged_file: scenario === 'damaged' ? TOML_FILE : null,
    elsewhere: null,
    env_file: id === 'default' ? ENV_FILE : `${PROFILES}/${id}.env`,
    toml_file: id === 'default' ? TOML_FILE : `${PROFILES}/${id}.toml`,
  };
  const prometheus = services[2];
  if (prometheus && scenario !== 'empty' && id === 'default') {
    prometheus.port.origin = { layer: 'environment', file: null, line: null, variable: 'PROMETHEUS_PORT' };
    prometheus.port.shadowed = [{ value: 9190, origin: envFileOrigin('PROMETHEUS_PORT') }];
    snapshot.findings = FINDINGS;
  }
  const health = services[3];
  if (health && scenario !== 'empty') health.port.origin = tomlOrigin();
  return snapshot;
}

function row(port: number, protocol: 'tcp' | 'udp', address: string, process: string | null, pid: number | null, user: string, unit: string | null, description: string | null): ListenerRow {
  const socket = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return { protocol, ours: false, v6only: false, description, holder: { pid, process, user, unit, address: socket } };
}

const FOREIGN: ListenerRow[] = [
  row(22, 'tcp', '0.0.0.0', null, null, 'root', 'ssh.service', 'Secure shell'),
  row(22, 'tcp', '::', null, null, 'root', 'ssh.service', 'Secure shell'),
  row(53, 'udp', '127.0.0.53', 'systemd-resolve', 688, 'systemd-resolve', 'systemd-resolved.service', 'System DNS resolver'),
  row(631, 'tcp', '127.0.0.1', null, null, 'root', 'cups.service', 'Printing'),
  row(1716, 'tcp', '::', 'kdeconnectd', 2417, 'you', null, 'KDE Connect'),
  row(1716, 'udp', '::', 'kdeconnectd', 2417, 'you', null, 'KDE Connect'),
  row(5353, 'udp', '0.0.0.0', null, null, 'avahi', 'avahi-daemon.service', 'Multicast DNS'),
  row(5355, 'udp', '0.0.0.0', 'systemd-resolve', 688, 'systemd-resolve', 'systemd-resolved.service', 'Link-local name resolution (LLMNR)'),
  row(8765, 'tcp', '127.0.0.1', 'python3', 40188, 'you', null, 'Python service, perhaps Jupyter'),
  row(36743, 'tcp', '127.0.0.1', 'language_server', 5210, 'you', null, 'Language server'),
  row(38413, 'tcp', '127.0.0.1', 'windsurf', 5102, 'you', null, 'Windsurf editor'),
  row(46015, 'tcp', '127.0.0.1', 'language_server', 5214, 'you', null, 'Language server'),
  row(64088, 'tcp', '127.0.0.1', 'windsurf', 5102, 'you', null, 'Windsurf editor'),
];

/** Who holds port 3000 in the scenario `conflict`. */
export const INTRUDER: ListenerRow = row(3000, 'tcp', '0.0.0.0', 'node', 48213, 'you', null, null);

export function foreignListeners(scenario: Scenario): ListenerRow[] {
  if (scenario === 'empty') return [];
  if (scenario === 'conflict') return [...FOREIGN, INTRUDER];
  if (scenario !== 'many') return FOREIGN;
  const crowd = Array.from({ length: 10_000 }, (_, index) =>
    row(10_200 + index, index % 7 === 0 ? 'udp' : 'tcp', '127.0.0.1', `worker-${index % 40}`, 50_000 + index, 'you', null, null),
  );
  return [...FOREIGN, ...crowd];
}

export function ourListener(service: ServiceSnapshot, instance: string): ListenerRow {
  const one = row(service.port.value, 'tcp', service.address.value, 'cwts-ultra-panel', 31120, 'you', null, `${service.name}, ${instance}`);
  return { ...one, ours: true };
}

export function firstActivities(scenario: Scenario): Activity[] {
  if (scenario === 'empty') return [];
  const before = (minutes: number): number => NOW - minutes * 60_000;
  if (scenario === 'conflict') return [{ at: before(0), text: 'MCP WebSocket could not start: port 3000 is held by node' }];
  return [
    { at: before(4550), text: 'All four services started' },
    { at: before(21), text: 'Order 8f21 filled: buy 0.05 BTC at 64,182.50' },
    { at: before(7), text: 'Order 8f27 cancelled by you' },
    { at: before(4), text: 'All four ports checked: no conflict' },
    { at: before(1), text: 'Claude Code connected on 3001' },
  ];
}

/** The figures of one second; `index` 0 is {@link NOW}, earlier seconds are negative. */
export function sampleAt(index: number): Sample {
  const wave = (period: number, phase: number): number => Math.sin((index / period) * 2 * Math.PI + phase);
  const rough = (Math.imul(index, 2_654_435_761) >>> 16) % 1000 / 1000;
  const quiet = rough < 0.08;
  return {
    at: NOW + index * 1000,
    requests: Math.max(0, 40 + 14 * wave(700, 1) + 6 * wave(97, 0) + 8 * (rough - 0.5)),
    latency_p50: quiet ? null : 0.4 + 0.1 * wave(300, 2) + 0.05 * rough,
    latency_p99: quiet ? null : 1.7 + 0.7 * wave(820, 0.5) + 0.4 * rough,
    clients: index < -1300 ? 2 : index > -600 && index < -400 ? 4 : 3,
  };
}

/** Half an hour of figures. */
export function firstSamples(scenario: Scenario): Sample[] {
  if (scenario !== 'running' && scenario !== 'exposed' && scenario !== 'many' && scenario !== 'closing') return [];
  return Array.from({ length: 1800 }, (_, index) => sampleAt(index - 1799));
}
