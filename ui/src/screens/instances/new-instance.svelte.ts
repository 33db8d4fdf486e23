/** The form of a new instance. A name, an original, and four ports: a free set, or each chosen by hand. */
import { asProblem, type Host } from '../../lib/platform/host';
import type { NewInstance, PortCheck, PortSet, Problem, Service } from '../../lib/wire/types';
import { parsePort } from '../ports/validate';

/** Time after the last key before a port is tested, in milliseconds. */
const CHECK_DELAY = 300;
const ORDER: readonly Service[] = ['mcp-websocket', 'mcp-http', 'prometheus', 'health'];

type Hint = { tone: 'info' | 'run' | 'warn' | 'error'; text: string };

export class NewInstanceForm {
  id = $state('');
  /** `null` starts with the built-in settings. */
  from = $state<string | null>(null);
  /** Whether a clone gets the data of its original too. */
  withData = $state(false);
  /** The index of a set, or `own`. */
  choice = $state<number | 'own'>(0);
  own = $state<string[]>(['', '', '', '']);
  /** `null` until they were tested. */
  sets = $state.raw<PortSet[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly idHint = $derived.by<Hint>(() => this.#idHint());
  readonly ownHints = $derived.by<Hint[]>(() => this.own.map((text, index) => this.#ownHint(text, index)));
  readonly ports = $derived.by<PortSet['ports'] | null>(() => {
    if (this.choice !== 'own') return this.sets?.[this.choice]?.ports ?? null;
    const [one, two, three, four] = this.own.map((text) => parsePort(text)).map((parsed) => (parsed.ok ? parsed.port : undefined));
    return one && two && three && four ? [one, two, three, four] : null;
  });
  readonly ready = $derived(
    this.id !== '' && this.idHint.tone !== 'error' && this.ports !== null && (this.choice !== 'own' || this.ownHints.every((hint) => hint.tone !== 'error')),
  );
  /** Why the last attempt was refused, by the field it was about. */
  #refusal = $state.raw<{ problem: Problem; id: string; own: string } | null>(null);
  #checks = $state.raw<Record<string, PortCheck>>({});
  #timers: (ReturnType<typeof setTimeout> | undefined)[] = [];

  readonly #host: Host;
  readonly #taken: () => string[];

  constructor(host: Host, taken: () => string[], from: string | null) {
    this.#host = host;
    this.#taken = taken;
    this.from = from;
    void this.readSets();
  }

  get wanted(): NewInstance {
    return { id: this.id, ports: this.ports, from: this.from, with_data: this.from !== null && this.withData };
  }

  /** Tests the sets anew: another original may bind other addresses. */
  async readSets(): Promise<void> {
    try {
      this.sets = await this.#host.freePortSets(this.from);
      this.problem = null;
      if (this.sets.length === 0) this.choice = 'own';
    } catch (thrown) {
      this.sets = [];
      this.problem = asProblem(thrown);
    }
  }

  edit(index: number, text: string): void {
    this.own = this.own.map((old, at) => (at === index ? text : old));
    clearTimeout(this.#timers[index]);
    const parsed = parsePort(text);
    if (parsed.ok) this.#timers[index] = setTimeout(() => void this.#check(index, parsed.port), CHECK_DELAY);
  }

  /** Takes a refusal to the field that it is about. False when it is about none. */
  refuse(problem: Problem): boolean {
    const known = problem.field === 'instance' || ORDER.some((service) => service === problem.field);
    if (known && problem.field !== 'instance' && this.choice !== 'own') return false;
    this.#refusal = known ? { problem, id: this.id, own: this.own.join() } : null;
    return known;
  }

  async #check(index: number, port: number): Promise<void> {
    const service = ORDER[index]!;
    try {
      const check = await this.#host.checkNewPort(this.from, service, port);
      this.#checks = { ...this.#checks, [`${service} ${port}`]: check };
    } catch (thrown) {
      const message = `${port} could not be tested: ${asProblem(thrown).message}`;
      this.#checks = { ...this.#checks, [`${service} ${port}`]: { port, state: 'warning', message, suggestion: null, held: false } };
    }
  }

  #idHint(): Hint {
    const refusal = this.#refusal;
    if (refusal?.problem.field === 'instance' && refusal.id === this.id) return { tone: 'error', text: `${refusal.problem.message} ${refusal.problem.help ?? ''}` };
    if (this.#taken().includes(this.id)) return { tone: 'error', text: `${this.id} exists already.` };
    if (this.id === '' || /^[A-Za-z0-9_-]{1,32}$/.test(this.id)) return { tone: 'info', text: 'Letters, digits and hyphens. Also CWTS_INSTANCE_ID.' };
    return { tone: 'error', text: 'Use 1 to 32 letters, digits, hyphens or underscores.' };
  }

  #ownHint(text: string, index: number): Hint {
    const service = ORDER[index]!;
    const refusal = this.#refusal;
    if (refusal?.problem.field === service && refusal.own === this.own.join()) return { tone: 'error', text: refusal.problem.message };
    if (text === '') return { tone: 'info', text: '1024 to 65535.' };
    const parsed = parsePort(text);
    if (!parsed.ok) return { tone: 'error', text: parsed.message };
    if (this.own.some((other, at) => at !== index && other === text)) return { tone: 'error', text: `${text} is used twice here.` };
    const check = this.#checks[`${service} ${parsed.port}`];
    if (!check) return { tone: 'info', text: 'Testing…' };
    const tone = { free: 'run', ours: 'error', refused: 'error', warning: 'warn' } as const;
    return { tone: tone[check.state], text: check.message };
  }
}
