/** The connection test of one instance: what is tried, what each rung showed, and what mends it. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { clockWithSeconds } from '../../lib/format';
import type { LiveSnapshot } from '../../lib/state/live.svelte';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { Diagnosis, Problem, Rung, Scope, Service, ServiceTest, TestProgress, TestStep, Timeout } from '../../lib/wire/types';
import { portSetting } from '../../lib/model/settings';
import type { ScreenId } from '../../lib/state/route.svelte';
import { RUNGS } from './words';

/** More repetitions are not taken. */
const MOST = 10_000;
/** What a rung may be given, in seconds. */
const SHORTEST = 0.001;
const LONGEST = 600;

/** How many runs the history keeps. */
export const KEPT = 20;

/** Where to: where each service is bound, one of this computer's addresses, or what somebody types. */
export type Place = 'bound' | 'other' | `at ${string}`;

/** What is known of the test of one service. */
export type Shown = {
  service: Service;
  /** The rungs so far, or those of the result. */
  steps: TestStep[];
  running: boolean;
  /** Which repetition the rungs are of. */
  attempt: number;
  /** `null` until the test is over. */
  result: ServiceTest | null;
};

/** One run that is over. */
export type Run = { at: number; passed: number; failed: number; where: string; as: Presented; count: number; failures: string[] };

/** The token that is presented. */
export type Presented = Scope | 'none';

/** What a fix needs of the rest of the panel. Each asks first where the other screens do, and says whether it was done. */
export type Hands = {
  start(): Promise<void>;
  stop(): Promise<void>;
  makeCertificate(): Promise<boolean>;
  serveOthers(): Promise<boolean>;
  listen(service: Service, address: string): Promise<boolean>;
  /** Copies what a client program is told, and returns what that is called. */
  copyConfiguration(service: Service): Promise<string>;
  open(screen: ScreenId): void;
};

export class TestState {
  place = $state<Place>('bound');
  /** What somebody types as another host. */
  draft = $state('');
  /** How often each service is tested. */
  count = $state(1);
  /** How long a rung without a time of its own may take, in seconds. */
  timeout = $state<number | null>(5);
  /** The rungs with a time of their own. A field that was emptied has none. */
  timeoutOf = $state<Partial<Record<Rung, number | null>>>({});
  presented = $state<Presented>('trade');
  /** The addresses of this computer, those that lead to others first known when the screen is opened. */
  addresses = $state.raw<string[]>([]);
  shown = $state.raw<Shown[]>([]);
  running = $state(false);
  /** When the last run ended. */
  at = $state<number | null>(null);
  history = $state.raw<Run[]>([]);
  /** Why nothing was tested. */
  problem = $state.raw<Problem | null>(null);
  /** The service whose fix is under way. */
  mending = $state<Service | null>(null);

  readonly failed = $derived(this.shown.filter(({ result }) => result !== null && !result.ok));
  readonly passed = $derived(this.shown.filter(({ result }) => result?.ok === true));
  readonly timeouts = $derived<Timeout[]>([
    { rung: null, seconds: this.timeout ?? NaN },
    ...RUNGS.flatMap((rung) => {
      const seconds = this.timeoutOf[rung];
      return typeof seconds === 'number' ? [{ rung, seconds }] : [];
    }),
  ]);
  /** Something has to be typed first, or typed otherwise. */
  readonly incomplete = $derived((this.place === 'other' && this.draft.trim() === '') || !isCount(this.count) || this.timeouts.some(({ seconds }) => !isTime(seconds)));

  readonly #host: InstanceHost;
  readonly #live: LiveSnapshot;
  readonly #toasts: Toasts;
  readonly #now: () => number;
  #run = 0;

  constructor(host: InstanceHost, live: LiveSnapshot, toasts: Toasts, now: () => number = Date.now) {
    this.#host = host;
    this.#live = live;
    this.#toasts = toasts;
    this.#now = now;
  }

  /** Asks which addresses there are to choose from. */
  async look(): Promise<void> {
    try {
      const { interfaces } = await this.#host.security();
      this.addresses = [...new Set(interfaces.filter(({ kind }) => kind !== 'loopback').map(({ address }) => address))];
    } catch {
      // Without them, an address can still be typed.
      this.addresses = [];
    }
  }

  /** Tests all services, or one again. Another run that is under way ends. */
  async test(only: Service | null = null): Promise<void> {
    const all = this.#live.snapshot?.services.map(({ service }) => service) ?? [];
    const services = only ? [only] : all;
    if (services.length === 0 || this.incomplete) return;
    const run = (this.#run += 1);
    this.running = true;
    this.problem = null;
    const fresh = (service: Service): Shown => ({ service, steps: [], running: true, attempt: 1, result: null });
    const before = this.shown.length === all.length ? this.shown : all.map((service) => ({ ...fresh(service), running: false }));
    this.shown = before.map((one) => (services.includes(one.service) ? fresh(one.service) : one));
    try {
      const { presented, count } = this;
      const scope = presented === 'none' ? null : presented;
      const choice = { services, host: this.#target(), count, scope, timeouts: this.timeouts };
      const results = await this.#host.testConnections(choice, (progress) => {
        if (run === this.#run) this.#hear(progress);
      });
      if (run === this.#run) this.#keep(results, { where: choice.host ?? 'Where bound', as: presented, count });
    } catch (thrown) {
      if (run !== this.#run) return;
      this.problem = asProblem(thrown);
      this.shown = [];
    } finally {
      if (run === this.#run) this.running = false;
    }
  }

  /** Ends the run: nobody looks any more. What was known before stays. */
  cancel(): void {
    if (!this.running) return;
    this.#run += 1;
    this.running = false;
    this.shown = this.shown.filter(({ result }) => result !== null);
    void this.#host.cancelTest().catch(() => {});
  }

  /** Does what the diagnosis of a service asks for, by the ways of the other screens, and tests again. */
  async mend({ service, diagnosis }: ServiceTest, hands: Hands): Promise<void> {
    if (!diagnosis || this.mending) return;
    this.mending = service;
    try {
      if (await this.#do(service, diagnosis, hands)) await this.test(isForAll(diagnosis) ? null : service);
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    } finally {
      this.mending = null;
    }
  }

  /** All of it as text, without a secret. */
  report(): string {
    const head = `CWTS Ultra connection test, instance ${this.#live.snapshot?.instance ?? '?'}, ${this.at === null ? 'not finished' : clockWithSeconds(this.at)}`;
    return [head, ...this.shown.flatMap(({ result }) => (result ? [described(result)] : []))].join('\n\n');
  }

  /** Whether something was changed here, so that a new test would show it. */
  async #do(service: Service, { action }: Diagnosis, hands: Hands): Promise<boolean> {
    switch (action) {
      case 'start_services':
        await hands.start();
        return true;
      case 'restart_services':
        await hands.stop();
        await hands.start();
        return true;
      case 'use_free_port':
        await this.#move(service);
        return true;
      case 'copy_client_configuration':
        this.#toasts.done(`Copied the configuration for ${await hands.copyConfiguration(service)}`);
        return false;
      case 'copy_token':
        await this.#host.revealToken('trade').then((token) => this.#copy(token));
        this.#toasts.done('Copied the trade token');
        return false;
      case 'make_certificate':
        return hands.makeCertificate();
      case 'widen_address':
        return hands.listen(service, this.#target() ?? '0.0.0.0');
      case 'listen_locally':
        return hands.listen(service, '127.0.0.1');
      case 'review_access':
        return hands.serveOthers();
      case 'show_firewall_rules':
        hands.open('firewall');
        return false;
      case 'trust_authority':
      case 'by_hand':
        return false;
    }
  }

  async #move(service: Service): Promise<void> {
    const snapshot = this.#live.snapshot;
    const entry = snapshot?.services.find((one) => one.service === service);
    if (!snapshot || !entry) return;
    const { alternatives } = await this.#host.conflict(service, entry.port.value);
    if (alternatives.best === null) {
      this.#toasts.warn(`No free port was found for ${entry.name}. Widen its range in ports.conf.`);
      return;
    }
    const changes = [portSetting({ service, port: alternatives.best })];
    this.#live.accept(await this.#host.changeSettings({ expected_revision: snapshot.revision, changes, save: 'env-file' }));
    this.#toasts.done(`${entry.name} moved to ${alternatives.best}`);
  }

  #copy: (text: string) => Promise<void> = async () => {};

  /** How text is put on the clipboard. */
  copiesWith(copy: (text: string) => Promise<void>): void {
    this.#copy = copy;
  }

  #target(): string | null {
    if (this.place === 'bound') return null;
    return this.place === 'other' ? this.draft.trim() : this.place.slice('at '.length);
  }

  #hear({ service, attempt, step }: TestProgress): void {
    const added = (one: Shown): TestStep[] => (attempt === one.attempt ? [...one.steps, step] : [step]);
    this.shown = this.shown.map((one) => (one.service === service ? { ...one, attempt, steps: added(one) } : one));
  }

  #keep(results: ServiceTest[], run: Pick<Run, 'where' | 'as' | 'count'>): void {
    const found = (service: Service): ServiceTest | undefined => results.find((one) => one.service === service);
    this.shown = this.shown.map((one) => {
      const result = found(one.service);
      return result ? { ...one, running: false, steps: result.rungs, result } : one;
    });
    this.at = this.#now();
    const passed = results.filter(({ ok }) => ok).length;
    const failures = results.filter(({ ok }) => !ok).map(({ target, diagnosis }) => `${target} ${diagnosis?.code ?? 'failed'}`);
    this.history = [...this.history, { ...run, at: this.at, passed, failed: failures.length, failures }].slice(-KEPT);
  }
}

/** Whether a fix changes other services too. */
function isForAll({ action }: Diagnosis): boolean {
  return action !== 'use_free_port';
}

function described({ target, ok, millis, rungs, diagnosis }: ServiceTest): string {
  const lines = rungs.map((step) => `  ${step.ok ? 'ok    ' : 'failed'} ${step.name} ${step.millis} ms: ${step.detail}`);
  const verdict = ok ? `passed in ${millis.toFixed(1)} ms` : 'failed';
  const cause = diagnosis ? [`  ${diagnosis.code}: ${diagnosis.title}`, ...diagnosis.evidence.split('\n').map((line) => `    ${line}`), `  ${diagnosis.fix}`] : [];
  return [`${target} ${verdict}`, ...lines, ...cause].join('\n');
}

/** What a field for numbers holds may be nothing at all. */
function isCount(value: number | null): boolean {
  return Number.isInteger(value) && value !== null && value >= 1 && value <= MOST;
}

function isTime(seconds: number): boolean {
  return seconds >= SHORTEST && seconds <= LONGEST;
}
