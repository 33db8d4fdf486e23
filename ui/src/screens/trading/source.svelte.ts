/** Where the prices come from, as a person changes it: a file is looked at before it is played. */
import { parseSteps } from '../../lib/model/trading/decimal';
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { MarketFile, MarketRequest, Problem, SimulatorView } from '../../lib/wire/types';
import type { TradingState } from './trading.svelte';

export type SimulatorDraft = Record<keyof SimulatorView, string>;
export const FACTORS = ['spread', 'depth', 'volatility'] as const;
export type Speed = number | 'max';

/** The symbol that the name of the file says. */
export const BY_NAME = '';

export class SourceState {
  file = $state.raw('');
  symbol = $state.raw(BY_NAME);
  speed = $state.raw<Speed>(1);
  /** What the file is; `null` until it was looked at as it is named now. */
  found = $state.raw<MarketFile | null>(null);
  /** What was typed; `null` follows what holds. */
  draft = $state.raw<SimulatorDraft | null>(null);
  /** The moment under the thumb while it is dragged, in milliseconds. */
  dragged = $state.raw<number | null>(null);
  busy = $state(false);
  refusal = $state.raw<Problem | null>(null);

  readonly simulator = $derived.by<SimulatorDraft | null>(() => {
    const held = this.#trading.source?.simulator;
    return this.draft ?? (held ? { seed: String(held.seed), spread: String(held.spread), depth: String(held.depth), volatility: String(held.volatility) } : null);
  });

  readonly #host: InstanceHost;
  readonly #trading: TradingState;
  readonly #toasts: Toasts;

  constructor(host: InstanceHost, trading: TradingState, toasts: Toasts) {
    this.#host = host;
    this.#trading = trading;
    this.#toasts = toasts;
  }

  /** Another file, or another symbol for it: what was found is about the one before. */
  name(change: { file?: string; symbol?: string }): void {
    this.file = change.file ?? this.file;
    this.symbol = change.symbol ?? this.symbol;
    this.found = null;
    this.refusal = null;
  }

  /** Lets the person choose a file, and looks at it. */
  choose(): Promise<void> {
    return this.#do(async () => {
      const file = await this.#host.chooseMarketFile();
      if (file === null) return;
      this.name({ file });
      await this.#look();
    });
  }

  /** Says what the file is, and at the second time plays it. */
  submit(): Promise<void> {
    return this.#do(async () => {
      const { found } = this;
      if (!found) return this.#look();
      await this.#tell({ type: 'replay', data: { file: found.file, symbol: found.symbol, speed: this.speed, loop: false } }, `Playing ${found.file}.`);
      this.name({ file: '', symbol: BY_NAME });
    });
  }

  ask(request: MarketRequest): Promise<void> {
    return this.#do(() => this.#tell(request));
  }

  async seek(moment: number): Promise<void> {
    await this.ask({ type: 'seek', data: moment });
    this.dragged = null;
  }

  simulate(): Promise<void> {
    return this.#do(async () => {
      const { simulator } = this;
      if (!simulator) return;
      const seed = seedOf(simulator.seed);
      const [spread, depth, volatility] = FACTORS.map((key) => factorOf(simulator[key]));
      if (seed === null || spread == null || depth == null || volatility == null) return;
      await this.#tell({ type: 'simulate', data: { seed, spread, depth, volatility } }, 'All prices are simulated.');
      this.draft = null;
    });
  }

  async #look(): Promise<void> {
    this.found = await this.#host.lookAtMarketFile(this.file.trim(), this.symbol === BY_NAME ? null : this.symbol);
  }

  async #tell(request: MarketRequest, said?: string): Promise<void> {
    this.#trading.source = await this.#host.askMarket(request);
    if (said) this.#toasts.done(said);
  }

  async #do(act: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.refusal = null;
    try {
      await act();
    } catch (thrown) {
      this.refusal = asProblem(thrown);
    } finally {
      this.busy = false;
    }
  }
}

export const seedOf = (text: string): number | null => parseSteps(text, 0).steps;

/** 0.1 to 10 times the usual. */
export function factorOf(text: string): number | null {
  const { steps } = parseSteps(text, 3);
  return steps !== null && steps >= 100 && steps <= 10_000 ? steps / 1000 : null;
}
