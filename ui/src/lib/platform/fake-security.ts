/** The gates of one instance in memory: addresses, TLS, tokens, networks. */
import type {
  CertificateInfo, CertificateView, Exposure, InterfaceAddress, Network, PemSource, Problem, ReachEdit, Refused, Scope, Security, SecurityView, SettingChange, Snapshot, Sourced, TrustStep,
} from '../wire/types';
import { isLoopback } from '../format';
import { daysUntil } from '../model/security';
import { BUILT_IN, NOW, tomlOrigin, type Scenario } from './fake-data';

const SCOPES: Scope[] = ['owner', 'trade', 'read', 'metrics'];
const DATA = '/home/you/.local/cwts-ultra/data';
const DAY = 86_400_000;

export const INTERFACES: InterfaceAddress[] = [
  { interface: 'lo', kind: 'loopback', address: '127.0.0.1', prefix: 8 },
  { interface: 'enp5s0', kind: 'wired', address: '192.168.1.20', prefix: 24 },
  { interface: 'wg0', kind: 'vpn', address: '10.8.0.2', prefix: 24 },
  { interface: 'docker0', kind: 'container', address: '172.17.0.1', prefix: 16 },
];

const NETWORKS: Network[] = [
  { id: 'studio', name: 'Studio LAN', interface: 'enp5s0', kind: 'wired', trusted: null, by_person: false, system: null },
  { id: 'vpn', name: '10.8.0.0/24', interface: 'wg0', kind: 'vpn', trusted: null, by_person: false, system: null },
  { id: 'docker', name: '172.17.0.0/16', interface: 'docker0', kind: 'container', trusted: null, by_person: false, system: null },
];

function info(subject: string, issuer: string, names: string[], days: number): CertificateInfo {
  const fingerprint = Array.from({ length: 32 }, (_, index) => ((index * 37 + days) % 256).toString(16).padStart(2, '0').toUpperCase()).join(':');
  return { subject, issuer, names, not_before: NOW - DAY, not_after: NOW + days * DAY + DAY / 2, key: 'ECDSA', fingerprint, is_authority: issuer === subject };
}

/** One that this computer made, with the addresses of all interfaces. */
function ours(names: string[], days = 397): CertificateInfo {
  return info(names[0] ?? 'studio', 'CWTS Ultra default 9c417e02', [...names, 'studio', 'localhost', '127.0.0.1', '::1', '192.168.1.20', '10.8.0.2', '172.17.0.1'], days);
}

function exposureFor(address: string, security: Pick<Security, 'tls' | 'auth'>, armed: boolean): Exposure {
  if (isLoopback(address)) return { state: 'local' };
  const [tls, token] = [security.tls.value === 'on', security.auth.value === 'token'];
  if (!tls || !token) return { state: 'refused', tls, token };
  return { state: armed ? 'armed' : 'read_only' };
}

/** What a scenario begins with. */
export function firstSecurity(scenario: Scenario): Security {
  const exposed = scenario === 'exposed';
  return {
    mcp: exposed ? { state: 'read_only' } : scenario === 'refused' ? { state: 'refused', tls: false, token: true } : { state: 'local' },
    monitoring: { state: 'local' },
    auth: { value: 'token', origin: BUILT_IN, shadowed: [] },
    tls: { value: exposed ? 'on' : 'off', origin: exposed ? tomlOrigin() : BUILT_IN, shadowed: [] },
    allowed_hosts: { value: exposed ? 'studio.lan' : '', origin: exposed ? tomlOrigin() : BUILT_IN, shadowed: [] },
    certificate: exposed ? ours(['studio.lan'], 12) : null,
    mcp_away: scenario === 'away' ? '192.168.7.30' : null,
    monitoring_away: null,
  };
}

/** Takes over the settings that are no ports. */
export function applySetting(snapshot: Snapshot, { key, value }: SettingChange): void {
  const { security } = snapshot;
  const set = <T>(before: Sourced<T>, now: T): Sourced<T> => ({ value: now, origin: tomlOrigin(), shadowed: before.origin.layer === 'toml' ? before.shadowed : [{ value: before.value, origin: before.origin }] });
  if (key === 'security.tls') security.tls = set(security.tls, value === 'on' ? 'on' : 'off');
  if (key === 'security.allowed_hosts') security.allowed_hosts = set(security.allowed_hosts, value ?? '');
  if (key === 'security.auth') security.auth = set(security.auth, value === 'none' ? 'none' : 'token');
  const group = key === 'mcp.bind_addr' ? 'mcp' : key === 'monitoring.bind_addr' ? 'monitoring' : null;
  if (group) for (const service of snapshot.services) if (service.service.startsWith('mcp') === (group === 'mcp')) service.address = set(service.address, value ?? '127.0.0.1');
}

/** What follows from the settings. */
export function judge(snapshot: Snapshot, armed: boolean, certificate: CertificateInfo | null): void {
  const { security, services } = snapshot;
  security.mcp = exposureFor(services[0]?.address.value ?? '127.0.0.1', security, armed);
  security.monitoring = exposureFor(services[2]?.address.value ?? '127.0.0.1', security, true);
  security.certificate = security.tls.value === 'on' ? certificate : null;
}

/** Not a constant: the module of `NOW` reads this one first. */
const refusals = (): Refused[] => [
  { at: NOW - 42_000, source: '192.168.1.77', reason: 'token', count: 14 },
  { at: NOW - 3_840_000, source: '192.168.1.34', reason: 'origin', count: 1 },
];

type Owner = { picture: () => Snapshot; change: (edit: (snapshot: Snapshot) => void, told: string) => Snapshot };

export class FakeSecurity {
  readonly #owner: Owner;
  #certificate: { info: CertificateInfo; imported: boolean } | null;
  #networks = structuredClone(NETWORKS);
  #made: Record<Scope, number> = { owner: NOW - 3 * DAY, trade: NOW - 3 * DAY, read: NOW - 3 * DAY, metrics: NOW - 3 * DAY };
  #turn = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
    const shown = owner.picture().security.certificate;
    this.#certificate = shown && { info: shown, imported: false };
  }

  get certificate(): CertificateInfo | null {
    return this.#certificate?.info ?? null;
  }

  view(): SecurityView {
    const { instance, services, state, security } = this.#owner.picture();
    const exposed = security.mcp.state === 'read_only' || security.mcp.state === 'armed';
    const bound = services.map(({ address }) => address.value).filter((address) => !isLoopback(address) && address !== '0.0.0.0' && address !== '::');
    return {
      at: NOW,
      interfaces: INTERFACES,
      networks: structuredClone(this.#networks),
      tokens: SCOPES.map((scope) => ({
        scope,
        ending: this.reveal(scope).slice(-4),
        made_at: this.#made[scope],
        used_at: state === 'running' && scope === 'trade' ? NOW - 6000 : null,
        used_from: state === 'running' && scope === 'trade' ? '127.0.0.1' : null,
        file: `${DATA}/${instance}/tokens/${scope}`,
      })),
      token_problem: null,
      certificate: this.#certificate && viewOf(this.#certificate, instance, [...new Set(bound)]),
      certificate_problem: null,
      firewall: { active: 'ufw', none: false, incoming: 'denied', remembered: 0 },
      everywhere: '::',
      refused: exposed ? refusals() : [],
    };
  }

  setReach(edit: ReachEdit): Snapshot {
    const before = this.#owner.picture();
    if (edit.expected_revision !== before.revision) throw refused('revision_conflict', 'The settings were changed elsewhere meanwhile.', null, 'Look at them and apply again.');
    if (edit.protect && !this.#certificate) this.#certificate = { info: ours(edit.names), imported: false };
    return this.#owner.change((snapshot) => {
      if (edit.protect) {
        if (snapshot.security.tls.value === 'off') applySetting(snapshot, { key: 'security.tls', value: 'on' });
        if (snapshot.security.auth.value === 'none') applySetting(snapshot, { key: 'security.auth', value: 'token' });
      }
      if (edit.allowed_hosts !== null) applySetting(snapshot, { key: 'security.allowed_hosts', value: edit.allowed_hosts });
      if (edit.mcp) snapshot.security.mcp_away = null;
      if (edit.mcp) applySetting(snapshot, { key: 'mcp.bind_addr', value: edit.mcp });
      if (edit.monitoring) applySetting(snapshot, { key: 'monitoring.bind_addr', value: edit.monitoring });
      judge(snapshot, snapshot.security.mcp.state === 'armed', this.certificate);
    }, edit.mcp ? `MCP moved to ${edit.mcp}` : `Monitoring moved to ${edit.monitoring}`);
  }

  arm(armed: boolean): Snapshot {
    const { state } = this.#owner.picture().security.mcp;
    if (state !== 'read_only' && state !== 'armed') throw refused('wrong_state', 'MCP is not served to other computers, so orders are taken as they are.');
    return this.#owner.change((snapshot) => judge(snapshot, armed, this.certificate), armed ? 'Trading armed' : 'Trading disarmed');
  }

  reveal(scope: Scope): string {
    const digit = (index: number): string => ((index * 7 + scope.length + this.#turn) % 16).toString(16);
    return `cwts_${scope}_${Array.from({ length: 64 }, (_, index) => digit(index)).join('')}`;
  }

  rotate(scopes: Scope[]): void {
    this.#turn += 1;
    for (const scope of scopes) this.#made[scope] = NOW;
    this.#owner.change(() => {}, `Token replaced: ${scopes.join(', ')}. Its old connections ended`);
  }

  make(names: string[], replace: boolean): void {
    if (this.#certificate?.imported && !replace) throw refused('wrong_state', `The certificate of ${this.#certificate.info.subject} was imported.`);
    this.#replace({ info: ours(names), imported: false }, 'made');
  }

  importPem(certificate: PemSource, key: PemSource): void {
    const text = (source: PemSource): string => (source.from === 'text' ? source.text : `BEGIN CERTIFICATE BEGIN PRIVATE KEY ${source.path}`);
    if (!text(certificate).includes('BEGIN CERTIFICATE')) throw refused('invalid_input', 'The pasted certificate holds no certificate.', 'certificate', 'A PEM file has a line -----BEGIN CERTIFICATE-----.');
    if (!text(key).includes('PRIVATE KEY') || text(key).includes('other')) {
      throw refused('invalid_input', 'The key does not belong to the certificate of studio.example.org.', 'key', 'Compare `openssl x509 -pubkey -noout -in CERT` with `openssl pkey -pubout -in KEY`: both must print the same.');
    }
    this.#replace({ info: info('studio.example.org', 'Example CA', ['studio.example.org', '192.168.1.20'], 90), imported: true }, 'imported');
  }

  remove(): void {
    if (this.#owner.picture().security.tls.value === 'on') throw refused('wrong_state', 'TLS is on and needs the certificate.', null, 'Turn TLS off first.');
    this.#replace(null, 'removed');
  }

  trust(id: string, trusted: boolean | null): void {
    this.#networks = this.#networks.map((network) => (network.id === id ? { ...network, trusted, by_person: trusted !== null } : network));
  }

  #replace(certificate: { info: CertificateInfo; imported: boolean } | null, what: string): void {
    this.#certificate = certificate;
    this.#owner.change((snapshot) => judge(snapshot, snapshot.security.mcp.state === 'armed', this.certificate), `Certificate ${what}`);
  }
}

/** What some systems do to trust an authority's file. */
export function trustSteps(file: string, instance: string): TrustStep[] {
  return [
    { place: 'Debian, Ubuntu', step: `sudo cp ${file} /usr/local/share/ca-certificates/cwts-ultra-${instance}.crt && sudo update-ca-certificates`, is_command: true },
    { place: 'Fedora, RHEL', step: `sudo cp ${file} /etc/pki/ca-trust/source/anchors/cwts-ultra-${instance}.pem && sudo update-ca-trust`, is_command: true },
    { place: 'Arch', step: `sudo trust anchor --store ${file}`, is_command: true },
    { place: 'Chromium, Chrome', step: `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n cwts-ultra-${instance} -i ${file}`, is_command: true },
    { place: 'Firefox', step: `Settings, Privacy & Security, View Certificates, Authorities, Import: ${file}`, is_command: false },
  ];
}

function viewOf({ info: shown, imported }: { info: CertificateInfo; imported: boolean }, instance: string, bound: string[]): CertificateView {
  const file = `${DATA}/${instance}/tls/ca.pem`;
  const days_left = daysUntil(shown.not_after, NOW);
  return {
    info: shown,
    days_left,
    warnings: days_left < 30 ? [`The certificate ends in ${days_left} days.`] : [],
    missing: bound.filter((address) => !shown.names.includes(address)),
    file: `${DATA}/${instance}/tls/server.pem`,
    authority: imported
      ? null
      : {
          info: info(shown.issuer, shown.issuer, [], 3650),
          file,
          trust: trustSteps(file, instance),
        },
  };
}

function refused(code: Problem['code'], message: string, field: string | null = null, help: string | null = null): Problem {
  return { code, message, field, help };
}
