/**
 * The form of the four ports.
 *
 * A draft exists only for a field that somebody changed; every other field follows the picture. Rules that need no look
 * at the system are in validate.ts, the words below a field in hints.ts.
 */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { shadowNote, type ShadowNote } from '../../lib/model/layers';
import { portSetting, type PortChange } from '../../lib/model/settings';
import type { LiveSnapshot } from '../../lib/state/live.svelte';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { Conflict, PortCheck, Problem, SaveTarget, Service, ServiceSnapshot } from '../../lib/wire/types';
import { appliedText, choices, hintFor, type Choice, type Hint } from './hints';
import type { PortRow } from './system-ports.svelte';
import { isLocked, leftBy, parsePort, usedTwice, type Entry } from './validate';

/** Time after the last key before a port is tested, in milliseconds. */
export const CHECK_DELAY = 300;

/** What somebody typed, and the port that stood there when the typing began. */
export type Draft = { text: string; base: number };

export type Row = {
  service: ServiceSnapshot;
  text: string;
  changed: boolean;
  locked: boolean;
  /** Apply has to wait until this is mended. */
  invalid: boolean;
  hint: Hint;
  choices: Choice[];
  /** A free port that is none of the choices. */
  nextFree: number | null;
  /** The port in the field is held by somebody, and this is it. */
  held: number | null;
};

/** A port that somebody holds, with all that is known of it. */
export type Look = { service: ServiceSnapshot; conflict: Conflict };

/** A test of a port: under way, or its verdict. */
export type Check = 'pending' | PortCheck;

type Refusal = { text: string; problem: Problem };

export class PortsState {
  save = $state<SaveTarget>('env-file');
  applying = $state(false);
  /** The held port whose ways out are shown. */
  look = $state.raw<Look | null>(null);
  /** The question whether to discard is open. */
  asking = $state(false);

  readonly rows = $derived.by<Row[]>(() => this.#entries.map((entry) => this.#row(entry)));
  readonly changes = $derived<PortChange[]>(this.rows.filter((row) => row.changed).map(({ service, text }) => ({ service: service.service, port: Number(text) })));
  readonly dirty = $derived(this.changes.length > 0);
  readonly canApply = $derived(this.dirty && !this.applying && this.rows.every((row) => !row.changed || !row.invalid));
  /** `3000 → 5010`, per change. */
  readonly consequences = $derived(this.rows.filter((row) => row.changed && !row.invalid).map((row) => ({ from: row.service.port.value, to: Number(row.text) })));
  /** Changes that would have no effect, because a stronger layer decides. */
  readonly shadowing = $derived.by<ShadowNote[]>(() => {
    const snapshot = this.#live.snapshot;
    if (!snapshot) return [];
    return this.rows.filter((row) => row.changed).flatMap((row) => shadowNote(row.service, this.save, snapshot) ?? []);
  });

  readonly #host: InstanceHost;
  readonly #live: LiveSnapshot;
  readonly #toasts: Toasts;
  #drafts = $state.raw<Partial<Record<Service, Draft>>>({});
  #checks = $state.raw<Record<string, Check>>({});
  #refusals = $state.raw<Partial<Record<Service, Refusal>>>({});
  /** TCP ports that somebody listened on when the table was last read. */
  #taken: Set<number> | null = null;
  #timers = new Map<Service, ReturnType<typeof setTimeout>>();
  readonly #entries = $derived.by<Entry[]>(() =>
    (this.#live.snapshot?.services ?? []).map((service) => ({ service, text: this.#drafts[service.service]?.text ?? String(service.port.value) })),
  );

  constructor(host: InstanceHost, live: LiveSnapshot, toasts: Toasts) {
    this.#host = host;
    this.#live = live;
    this.#toasts = toasts;
  }

  /** A key was pressed in the field: tested after {@link CHECK_DELAY}, or at once when the field is left. */
  edit(service: Service, text: string): void {
    const current = this.#entries.find((entry) => entry.service.service === service)?.service;
    if (!current || isLocked(current)) return;
    const base = this.#drafts[service]?.base ?? current.port.value;
    this.#drafts = { ...this.#drafts, [service]: { text, base } };
    if (this.look?.service.service === service) this.look = null;
    this.#refusals = { ...this.#refusals, [service]: undefined };
    clearTimeout(this.#timers.get(service));
    this.#timers.set(service, setTimeout(() => this.settle(service), CHECK_DELAY));
  }

  /** The field was left: what waits is tested now. */
  settle(service: Service): void {
    if (!this.#timers.has(service)) return;
    clearTimeout(this.#timers.get(service));
    this.#timers.delete(service);
    const entry = this.#entries.find((one) => one.service.service === service);
    const parsed = parsePort(entry?.text ?? '');
    if (parsed.ok) void this.#check(service, parsed.port);
  }

  /** Shows who holds the port in the field and the ways out, or hides them again. */
  async toggleLook(service: Service): Promise<void> {
    const row = this.rows.find((one) => one.service.service === service);
    if (!row || row.held === null || this.look?.service.service === service) {
      this.look = null;
      return;
    }
    const port = row.held;
    try {
      const conflict = await this.#host.conflict(service, port);
      const held = this.rows.find((one) => one.service.service === service)?.held;
      // Somebody typed on meanwhile.
      if (held === port) this.look = { service: { ...row.service, port: { ...row.service.port, value: port }, conflict }, conflict };
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    }
  }

  /** The held port was freed: what the person wanted is tried again. */
  async retry(): Promise<void> {
    this.look = null;
    await this.checkAll();
    await this.apply();
  }

  /** One of the offered ports was chosen. */
  choose(service: Service, port: number): void {
    this.edit(service, String(port));
    this.settle(service);
  }

  /** Tests everything the form shows: the current ports, what was typed, and the alternatives. */
  async checkAll(): Promise<void> {
    const wanted = this.#entries.flatMap(({ service, text }) => {
      if (isLocked(service)) return [];
      const typed = parsePort(text);
      const ports = new Set([...service.alternatives, ...(typed.ok ? [typed.port] : [])]);
      return [...ports].map((port) => this.#check(service.service, port));
    });
    await Promise.all(wanted);
  }

  /** The system's table has changed: ports of the form that were taken or let go are tested again. */
  follow(rows: readonly PortRow[]): void {
    const taken = new Set(rows.filter((row) => row.protocol === 'tcp').map((row) => row.port));
    const before = this.#taken;
    this.#taken = taken;
    if (!before) return;
    for (const key of Object.keys(this.#checks)) {
      const [service, port] = key.split(' ');
      if (before.has(Number(port)) !== taken.has(Number(port))) void this.#check(service as Service, Number(port));
    }
  }

  /** Asks before typed ports are thrown away. */
  askDiscard(): void {
    this.asking = this.dirty;
  }

  discard(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#drafts = {};
    this.#refusals = {};
    this.look = null;
    this.asking = false;
  }

  /** All changes or none. A refused field says why below itself, everything else is a message. */
  async apply(): Promise<void> {
    const snapshot = this.#live.snapshot;
    if (!this.canApply || !snapshot) return;
    const { changes, save } = this;
    this.applying = true;
    try {
      const after = await this.#host.changeSettings({ expected_revision: snapshot.revision, changes: changes.map(portSetting), save });
      this.#live.accept(after);
      this.discard();
      const { text, effective } = appliedText(changes, save, after);
      if (effective) this.#toasts.done(text);
      else this.#toasts.warn(text);
    } catch (thrown) {
      this.#refused(asProblem(thrown));
    } finally {
      this.applying = false;
    }
  }

  #refused(problem: Problem): void {
    const row = this.rows.find((one) => one.service.service === problem.field);
    if (row) this.#refusals = { ...this.#refusals, [row.service.service]: { text: row.text, problem } };
    else this.#toasts.failed(problem);
    if (problem.code === 'revision_conflict') void this.#live.refresh();
  }

  async #check(service: Service, port: number): Promise<void> {
    const key = keyOf(service, port);
    if (!this.#checks[key]) this.#checks = { ...this.#checks, [key]: 'pending' };
    try {
      const verdict = await this.#host.checkPort(service, port);
      this.#checks = { ...this.#checks, [key]: verdict };
    } catch (thrown) {
      const message = `${port} could not be tested: ${asProblem(thrown).message}`;
      this.#checks = { ...this.#checks, [key]: { port, state: 'warning', message, held: false, suggestion: null } };
    }
  }

  #row(entry: Entry): Row {
    const { service, text } = entry;
    const parsed = parsePort(text);
    const draft = this.#drafts[service.service];
    const changed = draft !== undefined && !(parsed.ok && parsed.port === service.port.value);
    const check = parsed.ok ? this.#checks[keyOf(service.service, parsed.port)] : undefined;
    const refusal = this.#refusals[service.service];
    const hint = hintFor({
      service,
      changed,
      draft,
      wrong: parsed.ok ? usedTwice(entry, this.#entries) : parsed.message,
      refusal: refusal?.text === text ? refusal.problem : undefined,
      leaver: leftBy(entry, this.#entries),
      check,
    });
    // A port that another service gives up with the same change can only be tested with the change as a whole.
    const verdicts = (port: number): Check | undefined =>
      leftBy({ service, text: String(port) }, this.#entries) ? undefined : this.#checks[keyOf(service.service, port)];
    const suggestion = check && check !== 'pending' ? check.suggestion : (service.conflict?.alternatives.best ?? null);
    const offered = choices(service, parsed.ok ? parsed.port : null, verdicts);
    return {
      service,
      text,
      changed,
      locked: isLocked(service),
      invalid: hint.tone === 'error',
      hint,
      choices: offered,
      held: check && check !== 'pending' && check.held ? check.port : null,
      nextFree: suggestion !== null && !isLocked(service) && offered.every((choice) => choice.port !== suggestion) ? suggestion : null,
    };
  }
}

function keyOf(service: Service, port: number): string {
  return `${service} ${port}`;
}
