/** What an address means, who would be reached, and what is still to be done, in words. */
import type { Tone } from '../../lib/components/icons';
import { clock, count, date, isLoopback, list } from '../../lib/format';
import { SOON } from '../../lib/model/security';
import type { InterfaceAddress, InterfaceKind, Network, RefusalReason, Security, SecurityView, ServiceSnapshot, Snapshot } from '../../lib/wire/types';

export type Group = 'mcp' | 'monitoring';

/** How far a group listens. */
export type Breadth = 'local' | 'one' | 'all';

export const LOCAL = '127.0.0.1';

export const GROUPS: readonly { group: Group; title: string; variable: string; key: string }[] = [
  { group: 'mcp', title: 'MCP WebSocket and HTTP API', variable: 'MCP_BIND_ADDR', key: 'mcp.bind_addr' },
  { group: 'monitoring', title: 'Prometheus and health check', variable: 'MONITORING_BIND_ADDR', key: 'monitoring.bind_addr' },
];

const KINDS: Record<InterfaceKind, string> = {
  loopback: 'this computer',
  wired: 'wired network',
  wireless: 'wireless network',
  vpn: 'VPN',
  container: 'containers',
  other: 'network',
};

export function servicesOf(group: Group, snapshot: Snapshot): ServiceSnapshot[] {
  return snapshot.services.filter(({ service }) => service.startsWith('mcp') === (group === 'mcp'));
}

export function breadthOf(address: string): Breadth {
  if (isLoopback(address)) return 'local';
  return address === '0.0.0.0' || address === '::' ? 'all' : 'one';
}

/** Every address, as a person knows it. */
export function wideName(address: string): string {
  return address === '::' ? '0.0.0.0 and [::]' : address;
}

const REFUSALS: Record<RefusalReason, string> = {
  rate: 'too many requests',
  remote: 'not served to other computers',
  bad_host: 'no valid Host',
  host: 'Host not allowed',
  origin: 'Origin not allowed',
  token_missing: 'no token',
  token: 'wrong token',
  scope: 'token does not allow it',
};

export function whyRefused(reason: RefusalReason): string {
  return REFUSALS[reason];
}

export function isSameDay(one: number, other: number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** `enp5s0, 192.168.1.20/24, wired network`. */
export function interfaceName({ interface: name, address, prefix, kind }: InterfaceAddress): string {
  return `${name}, ${address}/${prefix}, ${KINDS[kind]}`;
}

/** The networks that an address is reached from. */
export function networksOf(address: string, view: SecurityView): Network[] {
  if (isLoopback(address)) return [];
  if (breadthOf(address) === 'all') return view.networks;
  const found = view.interfaces.find((one) => one.address === address);
  return view.networks.filter((network) => network.interface === found?.interface);
}

/** `Studio LAN (wired network enp5s0)`. */
function networkName({ name, kind, interface: device }: Network): string {
  return `${name} (${KINDS[kind]} ${device})`;
}

/** Who is reached, where it is not plain. */
function caution(networks: readonly Network[]): string {
  const notes = [
    ...(networks.some(({ kind }) => kind === 'vpn') ? ['A VPN reaches whoever is in it, wherever they are.'] : []),
    ...(networks.some(({ kind }) => kind === 'container') ? ['Containers are programs on this computer that may be somebody else’s.'] : []),
  ];
  return notes.join(' ');
}

/** What an address means, or would mean once it is applied. */
export function consequence(group: Group, address: string, view: SecurityView, ready: boolean, changed: boolean): { tone: Tone; text: string } {
  if (isLoopback(address)) return { tone: 'info', text: 'Only programs on this computer connect.' };
  const networks = networksOf(address, view);
  const place = networks.length > 0 ? list(networks.map(networkName)) : address;
  const notes = caution(networks);
  const tail = notes === '' ? '' : ` ${notes}`;
  const missing = 'until a certificate, TLS and a token are there.';
  if (!ready) return { tone: 'warn', text: changed ? `${place} would get 403 ${missing} Apply makes them.${tail}` : `${place}: computers there get 403 ${missing}${tail}` };
  const served = group === 'mcp' ? 'Served over TLS with a token. Trading is read-only until you arm it.' : 'Served over TLS. Metrics need a token; health shows strangers its status only.';
  return { tone: 'exposed', text: `${place}: ${served}${tail}` };
}

export type Fix =
  | { kind: 'firewall' | 'certificate' | 'renew' | 'tls' | 'token'; label: string }
  | { kind: 'trust'; label: string; network: string; trusted: boolean | null };

export type Check = { tone: Tone; title: string; text: string; word: string; done: boolean; fix?: Fix };

/** Whether everything is there for other computers to be served at the addresses. */
export function isReady(security: Security, view: SecurityView): boolean {
  const certificate = view.certificate;
  return security.tls.value === 'on' && security.auth.value === 'token' && certificate !== null && certificate.days_left >= 0;
}

/** What the guide asks for before others connect, as it is now. */
export function checklist(addresses: readonly string[], snapshot: Snapshot, view: SecurityView): Check[] {
  const outside = addresses.some((address) => !isLoopback(address));
  return [firewall(outside, view), tls(outside, snapshot, view), authentication(snapshot), ...trusted(addresses, snapshot, view)];
}

function firewall(outside: boolean, { firewall: { active, none, incoming, remembered } }: SecurityView): Check {
  const title = 'Firewall';
  const fix: Fix = { kind: 'firewall', label: remembered > 0 ? 'Look at the rules' : 'Write rules' };
  const ours = remembered > 0 ? `${count(remembered, 'rule')} of this panel ${remembered === 1 ? 'lets' : 'let'} others in.` : 'No rule of this panel lets others in.';
  if (none) return { title, tone: 'warn', word: 'None', done: false, text: 'No firewall is active: every computer of the network can try to connect.', fix };
  if (active === null) return { title, tone: 'info', word: 'Not known', done: false, text: 'Whether a firewall is active is for root to see; an ordinary user cannot list its rules.', fix };
  if (incoming === 'accepted') return { title, tone: 'warn', word: 'Lets in', done: false, text: `${active} is on, but lets in what no rule names. ${ours}`, fix };
  const denies = incoming === 'denied' ? ' and denies what no rule names' : '';
  return { title, tone: 'run', word: 'Active', done: true, text: `${active} is on${denies}. ${ours}`, fix: outside || remembered > 0 ? fix : undefined };
}

function tls(outside: boolean, { security }: Snapshot, { certificate, certificate_problem: problem }: SecurityView): Check {
  const title = 'TLS';
  const bad: Tone = outside ? 'error' : 'warn';
  if (problem) return { title, tone: 'error', word: 'Unusable', done: false, text: `${problem.message} ${problem.help ?? ''}`.trim(), fix: { kind: 'certificate', label: 'Make a certificate…' } };
  if (!certificate) {
    return { title, tone: bad, word: 'Missing', done: false, text: 'There is no certificate. Computers outside this one are refused.', fix: { kind: 'certificate', label: 'Make a certificate…' } };
  }
  if (security.tls.value === 'off') return { title, tone: bad, word: 'Off', done: false, text: 'There is a certificate, but computers outside this one are refused until TLS is on.', fix: { kind: 'tls', label: 'Turn on' } };
  const renew: Fix = { kind: 'renew', label: certificate.authority ? 'Renew' : 'Import…' };
  const ends = `Certificate ends ${date(certificate.info.not_after)}, in ${count(certificate.days_left, 'day')}.`;
  if (certificate.days_left < 0) return { title, tone: 'error', word: 'Ended', done: false, text: `The certificate ended ${count(-certificate.days_left, 'day')} ago. Clients refuse it.`, fix: renew };
  if (certificate.missing.length > 0) return { title, tone: 'warn', word: 'Wrong name', done: false, text: `The certificate is not valid for ${list(certificate.missing)}. Clients that use it refuse.`, fix: renew };
  if (certificate.days_left < SOON) return { title, tone: 'warn', word: `${count(certificate.days_left, 'day')} left`, done: false, text: `On. ${ends}`, fix: renew };
  return { title, tone: 'run', word: 'On', done: true, text: `On for all four ports. ${ends}` };
}

function authentication({ security: { auth }, failed_logins: { last_at: at, last_source: from } }: Snapshot): Check {
  const title = 'Authentication';
  const latest = at !== null && from !== null ? ` Last wrong token: ${from} at ${clock(at)}.` : '';
  if (auth.value === 'token') return { title, tone: 'run', word: 'On', done: true, text: `Both MCP ports need a token; beyond this computer metrics do too.${latest}` };
  return { title, tone: 'warn', word: 'Off', done: false, text: 'Every program and every user of this computer may trade. Others are refused.', fix: { kind: 'token', label: 'Ask for a token' } };
}

function trusted(addresses: readonly string[], { instance }: Snapshot, view: SecurityView): Check[] {
  // Containers are on this computer; what an address means for them stands beside it.
  const asked = view.networks.filter(({ kind }) => kind !== 'container');
  const networks = asked.filter((network) => addresses.some((address) => networksOf(address, view).includes(network)));
  if (networks.length === 0) {
    const text = addresses.every(isLoopback) ? `Not needed: ${instance} listens on this computer only.` : `Not needed: ${list([...new Set(addresses.filter((address) => !isLoopback(address)))])} leads to no network that others are in.`;
    return [{ title: 'Trusted network', tone: 'skipped', word: 'Not needed', done: true, text }];
  }
  return networks.map((network): Check => {
    const title = networks.length === 1 ? 'Trusted network' : `Trusted network: ${network.interface}`;
    const said = network.system ? ` The system says ${network.system}.` : '';
    const named = `“${network.name}” on ${network.interface}, ${KINDS[network.kind]},`;
    const trust: Fix = { kind: 'trust', label: 'Trust this network', network: network.id, trusted: true };
    if (network.trusted) {
      const fix: Fix | undefined = network.by_person ? { kind: 'trust', label: 'Withdraw', network: network.id, trusted: null } : undefined;
      return { title, tone: 'run', word: 'Trusted', done: true, text: `${named} is trusted${network.by_person ? ' by your word' : ''}.${said}`, fix };
    }
    return { title, tone: 'warn', word: network.trusted === false ? 'Not trusted' : 'Unknown', done: false, text: `${named} is not marked as trusted.${said}`, fix: trust };
  });
}
