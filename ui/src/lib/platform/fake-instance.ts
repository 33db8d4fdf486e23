/** One instance in memory. */
import type { Activity, Alternatives, Conflict, InstanceEvent, ListenerRow, PortCheck, Problem, Release, Released, Sample, Service, ServiceSnapshot, SettingChange, SettingsEdit, Snapshot } from '../wire/types';
import {
  THIS_RUN, INTRUDER, NOW, envFileOrigin, firstActivities, firstSamples, firstSnapshot, foreignListeners, ourListener, sampleAt, tomlOrigin, urlOf,
  type Member,
} from './fake-data';
import { serviceOf, type PortChange } from '../model/settings';
import { conflictWith, holderName } from './fake-conflict';
import { FakeClients } from './fake-clients';
import { FakeFirewall } from './fake-firewall';
import { FakeLogs } from './fake-logs';
import { applySetting, FakeSecurity, judge } from './fake-security';
import { FakeTrading } from './fake-trading';
import type { History } from './host';

const BROWSERS_REFUSE = new Set([10080]);

export function problem(code: Problem['code'], message: string, field: string | null = null, help: string | null = null): Problem {
  return { code, message, field, help };
}

export class FakeInstance {
  readonly id: string;
  readonly clients: FakeClients;
  readonly firewall: FakeFirewall;
  readonly logs: FakeLogs;
  readonly security: FakeSecurity;
  readonly trading: FakeTrading;
  readonly #send: (event: InstanceEvent) => void;
  #snapshot: Snapshot;
  #samples: Sample[];
  #activities: Activity[];
  #foreign: ListenerRow[];
  #second = 0;

  constructor(member: Member, send: (event: InstanceEvent) => void) {
    const { id, scenario } = member;
    this.id = id;
    this.#send = send;
    this.logs = new FakeLogs(member);
    this.trading = new FakeTrading(member, () => {
      if (this.#snapshot.state !== 'running') return;
      this.#snapshot.trading = this.trading.summary();
      this.#changed();
    });
    this.firewall = new FakeFirewall(() => this.picture());
    this.#snapshot = firstSnapshot(scenario, member);
    this.security = new FakeSecurity({
      picture: () => this.picture(),
      change: (edit, told) => {
        edit(this.#snapshot);
        this.#changed();
        this.#tell(told);
        return this.picture();
      },
    });
    this.clients = new FakeClients(member, () => this.picture(), (stale) => {
      if (JSON.stringify(stale) === JSON.stringify(this.#snapshot.stale_clients)) return;
      this.#snapshot.stale_clients = stale;
      this.#changed();
    });
    this.#samples = firstSamples(scenario);
    this.#activities = firstActivities(scenario);
    this.#foreign = foreignListeners(scenario);
    if (scenario === 'conflict') this.#block('mcp-websocket');
    if (scenario === 'elsewhere') this.#snapshot.elsewhere = { pid: 40922, process: 'cwts-ultra', others: [], attached: false, problem: null };
    if (!['stopped', 'conflict', 'damaged', 'elsewhere', 'loading'].includes(scenario)) this.#run(scenario === 'empty');
  }

  picture(): Snapshot {
    return structuredClone(this.#snapshot);
  }

  history(): History {
    return { samples: [...this.#samples], activities: [...this.#activities], connected: this.clients.connected() };
  }

  /** Tells of itself, as a new instance does. */
  announce(): void {
    this.#send({ type: 'snapshot', data: this.picture() });
  }

  ports(): number[] {
    return this.#services().map((service) => service.port.value);
  }

  attach(): void {
    const { elsewhere } = this.#snapshot;
    if (!elsewhere) throw problem('wrong_state', `No other process runs instance ${this.id}.`);
    this.#run(true);
    this.#snapshot.elsewhere = { ...elsewhere, attached: true };
    this.#changed();
  }

  endElsewhere(): void {
    this.#snapshot.elsewhere = null;
    this.stop();
  }

  start(): void {
    if (this.#snapshot.damaged_file && this.#snapshot.problem) throw this.#snapshot.problem;
    const taken = this.#services().find((service) => this.#holderOf(service.port.value));
    if (taken) {
      this.#block(taken.service);
      this.#changed();
      throw taken.problem ?? problem('port_taken', `Port ${taken.port.value} is taken.`, taken.service);
    }
    this.#run(false);
    this.#changed();
    this.#tell('All four services started');
  }

  stop(): void {
    this.#snapshot.state = 'stopped';
    this.#snapshot.started_at = null;
    this.#snapshot.trading = null;
    for (const service of this.#services()) Object.assign(service, { state: 'stopped', clients: 0, rate: 0 });
    this.#changed();
    this.#tell('All four services stopped');
  }

  changeSettings(edit: SettingsEdit): Snapshot {
    if (edit.expected_revision !== this.#snapshot.revision) {
      throw problem('revision_conflict', 'The settings were changed elsewhere meanwhile.', null, 'Look at them and apply again.');
    }
    for (const { service, port } of edit.changes.flatMap(asPort)) {
      const check = this.checkPort(service, port);
      if (check.state === 'refused') throw problem('port_taken', check.message, service, check.suggestion ? `Use ${check.suggestion}.` : null);
    }
    for (const change of edit.changes) {
      const [port] = asPort(change);
      if (port) this.#move(port.service, port.port, edit.save);
      else this.#tell(`${change.key} set to ${change.value ?? 'its default'}`);
      applySetting(this.#snapshot, change);
    }
    judge(this.#snapshot, this.#snapshot.security.mcp.state === 'armed', this.security.certificate);
    this.#changed();
    this.clients.judge();
    return this.picture();
  }

  restoreSettings(): Snapshot {
    if (!this.#snapshot.damaged_file) throw problem('wrong_state', 'No damaged file has a copy that would help.');
    Object.assign(this.#snapshot, { damaged_file: null, problem: null });
    this.#changed();
    return this.picture();
  }

  checkPort(id: Service, port: number): PortCheck {
    const service = this.#services().find((one) => one.service === id);
    const suggestion = this.#nextFree(id);
    if (service?.port.value === port && service.state === 'running') return { port, state: 'ours', message: 'In use by this instance.', held: false, suggestion: null };
    const other = this.#services().find((one) => one.service !== id && one.port.value === port);
    if (other) return { port, state: 'refused', message: `${port} is ${other.name} here.`, held: false, suggestion };
    const holder = this.#holderOf(port);
    if (holder) return { port, state: 'refused', message: `${port} is held by ${holderName(holder.holder)}.`, held: true, suggestion };
    if (port < 1024) return { port, state: 'refused', message: `${port} needs root. Use 1024 to 65535.`, held: false, suggestion };
    if (BROWSERS_REFUSE.has(port)) return { port, state: 'warning', message: `${port} is refused by browsers, though not by curl.`, held: false, suggestion };
    return { port, state: 'free', message: 'Free on 127.0.0.1 and ::1.', held: false, suggestion: null };
  }

  conflict(id: Service, port: number): Conflict {
    const service = this.#services().find((one) => one.service === id);
    const holder = this.#holderOf(port) ?? INTRUDER;
    if (!service) throw problem('invalid_input', `There is no service ${id}.`);
    return conflictWith(holder, this.#alternatives({ ...service, port: { ...service.port, value: port } }));
  }

  freePort(_: Service, port: number, release: Release): Released {
    this.#foreign = this.#foreign.filter((row) => row !== this.#holderOf(port));
    this.#tell(`Freed port ${port}: ${release.kind === 'unit' ? release.name : 'its holder'} was ended`);
    return 'ended';
  }

  systemPorts(): ListenerRow[] {
    const ours = this.#services().filter((service) => service.state === 'running');
    return [...this.#foreign, ...ours.map((service) => ourListener(service, this.id))];
  }

  tick(): void {
    if (this.#snapshot.state !== 'running') return;
    this.#second += 1;
    this.trading.tick();
    const sample = sampleAt(this.#second);
    this.#samples.push(sample);
    for (const service of this.#services()) if (service.idle_seconds !== null) service.idle_seconds = (service.idle_seconds + 1) % 15;
    const services = this.#services().map(({ service, clients, rate, requests, idle_seconds }) => ({ service, clients, rate, requests, idle_seconds }));
    this.#send({ type: 'sample', data: { sample, services, market: this.#snapshot.market, trading: this.trading.summary(), failed_logins: this.#snapshot.failed_logins, connected: this.clients.connected() } });
  }

  #services(): ServiceSnapshot[] {
    return this.#snapshot.services;
  }

  #holderOf(port: number): ListenerRow | undefined {
    return this.#foreign.find((row) => row.protocol === 'tcp' && row.holder.address.endsWith(`:${port}`));
  }

  #alternatives({ service, alternatives, port, range: [first, last] }: ServiceSnapshot): Alternatives {
    const listed = alternatives.filter((one) => one !== port.value).map((one) => ({ ...this.checkPort(service, one), suggestion: null }));
    const next = this.#nextFree(service);
    const best = listed.find((check) => check.state === 'free')?.port ?? next;
    return { listed, range: { first, last, tested: 101, free: 99, next }, best };
  }

  #nextFree(id: Service): number {
    const taken = new Set(this.#services().map((service) => service.port.value));
    const first = 10_002 + Math.max(0, this.#services().findIndex((service) => service.service === id));
    for (let port = first; port <= 10_100; port += 1) if (!taken.has(port) && !this.#holderOf(port) && !BROWSERS_REFUSE.has(port)) return port;
    return 10_100;
  }

  #run(quiet: boolean): void {
    const figures: Array<[number, number, number, number | null]> = [[2, 31, 41_022, 0], [1, 14, 9_120, 1], [0, 0.07, 640, 6], [0, 0.5, 3_204, 2]];
    this.#snapshot.state = 'running';
    this.#snapshot.started_at = quiet ? NOW : NOW - (3 * 24 + 4) * 3_600_000;
    this.#snapshot.problem = null;
    this.#services().forEach((service, index) => {
      const [clients, rate, requests, idle_seconds] = (quiet ? undefined : figures[index]) ?? [0, 0, 0, null];
      Object.assign(service, { state: 'running', clients, rate, requests, idle_seconds, problem: null, conflict: null });
    });
    this.#snapshot.trading = this.trading.summary();
    this.#snapshot.market = { symbol: 'BTCUSD', bid: 64_182.4, ask: 64_182.6, last: 64_182.5 };
  }

  #block(id: Service): void {
    const service = this.#services().find((one) => one.service === id);
    if (!service) return;
    const port = service.port.value;
    service.state = 'blocked';
    service.problem = problem('port_taken', `Port ${port} is held by node, pid 48213.`, id, 'Use 5010.');
    service.conflict = this.conflict(id, port);
    this.#snapshot.problem = service.problem;
  }

  #move(id: Service, port: number, save: SettingsEdit['save']): void {
    const service = this.#services().find((one) => one.service === id);
    if (!service) return;
    const before = service.port;
    const origin = save === 'env-file' ? envFileOrigin(service.variable) : save === 'toml' ? tomlOrigin() : THIS_RUN;
    const shadowed = before.origin.layer === 'built-in' || before.origin.layer === origin.layer ? before.shadowed : [{ value: before.value, origin: before.origin }, ...before.shadowed];
    this.#tell(`${service.name} moved from ${before.value} to ${port}`);
    Object.assign(service, { port: { value: port, origin, shadowed }, url: urlOf(id, port), problem: null, conflict: null });
    if (service.state === 'blocked') {
      service.state = 'stopped';
      this.#snapshot.problem = null;
    }
  }

  #changed(): void {
    this.#snapshot.revision += 1;
    this.#send({ type: 'snapshot', data: this.picture() });
  }

  #tell(text: string): void {
    const activity = { at: NOW + this.#second * 1000, text };
    this.#activities.push(activity);
    this.logs.add(text);
    this.#send({ type: 'activity', data: activity });
  }
}

function asPort({ key, value }: SettingChange): PortChange[] {
  const service = serviceOf(key);
  return service && value !== null ? [{ service, port: Number(value) }] : [];
}
