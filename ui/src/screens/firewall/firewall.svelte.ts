/** The rules for one instance: what is chosen, the lines for it, and what was made of them. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { count } from '../../lib/format';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { FirewallChoice, FirewallResult, FirewallTask, FirewallView, Problem, Service, Tool } from '../../lib/wire/types';

/** A question that is open: apply what is shown, or take back what was added. */
export type Asking = 'apply' | 'undo' | null;

export class FirewallState {
  /** `null` until the first answer. */
  view = $state.raw<FirewallView | null>(null);
  problem = $state.raw<Problem | null>(null);
  reading = $state(false);
  /** What root is doing, or asked for. */
  running = $state<FirewallTask | null>(null);
  asking = $state<Asking>(null);
  /** What somebody types as a further source, and what is wrong with it. */
  draft = $state('');
  refusal = $state.raw<Problem | null>(null);
  /** What the last look found, line by line. */
  verified = $state.raw<{ at: number; results: FirewallResult[] } | null>(null);

  /** Lines that were not applied yet. */
  readonly pending = $derived<string[]>(this.view ? this.view.commands.filter((line) => !this.view?.remembered.includes(line)) : []);
  readonly canApply = $derived(this.view?.needed === true && this.pending.length > 0 && this.running === null);

  readonly #host: InstanceHost;
  readonly #toasts: Toasts;
  readonly #now: () => number;
  #choice: FirewallChoice = { tool: null, services: null, sources: null, restrict: false };
  #asked = 0;

  constructor(host: InstanceHost, toasts: Toasts, now: () => number = Date.now) {
    this.#host = host;
    this.#toasts = toasts;
    this.#now = now;
  }

  get restrict(): boolean {
    return this.#choice.restrict;
  }

  /** Looks again, with the same choice. */
  async read(): Promise<void> {
    const failed = await this.#ask(this.#choice);
    if (!failed) return;
    this.view = null;
    this.problem = failed;
  }

  chooseTool(tool: Tool): Promise<void> {
    return this.#change({ tool });
  }

  toggle(service: Service): Promise<void> {
    const chosen = this.view?.services.filter((one) => (one.service === service ? !one.chosen : one.chosen)) ?? [];
    return this.#change({ services: chosen.map((one) => one.service) });
  }

  deny(restrict: boolean): Promise<void> {
    return this.#change({ restrict });
  }

  /** Takes over what was typed, or the text; a refusal stands below the field. */
  async addSource(text: string = this.draft): Promise<void> {
    const source = text.trim();
    if (source === '') return;
    const failed = await this.#ask({ ...this.#choice, sources: [...(this.view?.sources ?? []), source] });
    this.refusal = failed;
    if (!failed) this.draft = '';
  }

  removeSource(source: string): Promise<void> {
    return this.#change({ sources: this.view?.sources.filter((one) => one !== source) ?? [] });
  }

  /** Runs exactly the lines that are shown. */
  async run(task: FirewallTask): Promise<void> {
    const { view } = this;
    if (!view || this.running) return;
    this.running = task;
    try {
      const shown = task === 'undo' ? view.remembered_undo : view.commands;
      const results = await this.#host.runFirewall(task, this.#choice, shown);
      this.verified = task === 'check' ? { at: this.#now(), results } : null;
      this.#say(task, results);
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    } finally {
      this.running = null;
      this.asking = null;
    }
    if (task !== 'check') await this.read();
  }

  async saveScript(): Promise<void> {
    try {
      this.#toasts.done(`Saved to ${await this.#host.saveFirewallScript(this.#choice)}`);
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    }
  }

  async #change(part: Partial<FirewallChoice>): Promise<void> {
    const failed = await this.#ask({ ...this.#choice, ...part });
    if (failed) this.#toasts.failed(failed);
  }

  /** The lines for a choice, which becomes the one in force. Of two questions the later one counts. */
  async #ask(choice: FirewallChoice): Promise<Problem | null> {
    const asked = ++this.#asked;
    this.reading = true;
    try {
      const view = await this.#host.firewall(choice);
      if (asked !== this.#asked) return null;
      this.view = view;
      this.problem = null;
      this.#choice = choice;
      return null;
    } catch (thrown) {
      return asked === this.#asked ? asProblem(thrown) : null;
    } finally {
      if (asked === this.#asked) this.reading = false;
    }
  }

  #say(task: FirewallTask, results: FirewallResult[]): void {
    const done = results.filter((result) => result.outcome === 'done').length;
    const missing = results.filter((result) => result.outcome === 'missing').length;
    if (task === 'apply') this.#toasts.done(`${count(done, 'rule')} added`, { label: 'Undo', run: () => (this.asking = 'undo') });
    else if (task === 'undo') this.#toasts.done(`${count(done, 'rule')} taken back${missing > 0 ? `, ${missing} gone before` : ''}`);
    else if (missing > 0) this.#toasts.warn(`${count(missing, 'rule is', 'rules are')} missing: someone removed or changed them.`);
  }
}
