/**
 * One market and the paper account, as they are now, and what a person does with orders that are there.
 *
 * News may come faster than the page paints: they are put together, and taken over once a frame.
 */
import { count } from '../../lib/format';
import { merge } from '../../lib/model/trading/candles';
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import type { Toasts } from '../../lib/state/toasts.svelte';
import { whileVisible } from '../../lib/visible';
import type {
  Candle, DeskAccount, DeskFill, DeskInstrument, DeskMarket, DeskMessage, DeskNews, DeskOrder, DeskPosition, DeskTrading, MarketRequest, MarketStatus, Problem, TradingState as State,
} from '../../lib/wire/types';

/** What is asked before it is done. */
export type Asking = { what: 'resume' | 'cancel-all' | 'reset' } | { what: 'close'; position: DeskPosition } | { what: 'change'; order: DeskOrder };

const FIRST_SYMBOL = 'BTCUSD';

/** Calls back when the next frame is painted. A page that paints none, as in tests, goes on at once. */
const onFrame = (work: () => void): void => {
  if (typeof requestAnimationFrame === 'function') requestAnimationFrame(work);
  else queueMicrotask(work);
};

export class TradingState {
  symbol = $state.raw(FIRST_SYMBOL);
  instruments = $state.raw<DeskInstrument[]>([]);
  trading = $state.raw<DeskTrading | null>(null);
  account = $state.raw<DeskAccount | null>(null);
  /** Of the symbol; `null` until its first news. */
  market = $state.raw<DeskMarket | null>(null);
  candles = $state.raw<Candle[]>([]);
  /** Where the prices come from. */
  source = $state.raw<MarketStatus | null>(null);
  /** Newest first. */
  open = $state.raw<DeskOrder[] | null>(null);
  ended = $state.raw<DeskOrder[] | null>(null);
  fills = $state.raw<DeskFill[] | null>(null);
  /** Why there is nothing new. */
  problem = $state.raw<Problem | null>(null);
  asking = $state.raw<Asking | null>(null);
  /** Ids of orders and symbols of positions that something is being done with, and `halt`, `resume`, `cancel-all`. */
  pending = $state.raw<ReadonlySet<string>>(new Set());

  readonly instrument = $derived<DeskInstrument | null>(this.instruments.find(({ symbol }) => symbol === this.symbol) ?? null);
  readonly halted = $derived(this.trading !== null && (this.trading.state === 'halted' || this.trading.problem !== null));

  readonly #host: InstanceHost;
  readonly #toasts: Toasts;
  #news: DeskNews | null = null;
  /** The next news hold all candles. */
  #anew = true;
  #rewatch: (() => void) | null = null;

  constructor(host: InstanceHost, toasts: Toasts) {
    this.#host = host;
    this.#toasts = toasts;
  }

  /** Follows the exchange while somebody can see it, until the returned function is called. */
  watch(): () => void {
    const end = whileVisible(() => {
      let unwatch = this.#follow();
      this.#rewatch = () => {
        unwatch();
        unwatch = this.#follow();
      };
      return () => {
        this.#rewatch = null;
        unwatch();
      };
    });
    return end;
  }

  /** Shows another market. */
  choose(symbol: string): void {
    if (symbol === this.symbol) return;
    this.symbol = symbol;
    this.market = null;
    this.candles = [];
    this.#news = null;
    this.#rewatch?.();
  }

  /** Asks anew after a problem. */
  retry(): void {
    this.problem = null;
    this.#rewatch?.();
  }

  of(symbol: string): DeskInstrument | undefined {
    return this.instruments.find((instrument) => instrument.symbol === symbol);
  }

  /** Halts at once: stopping must not wait for an answer. */
  halt(): Promise<void> {
    return this.#set('halted', 'Trading is halted. Open orders stay open.');
  }

  reduce(): Promise<void> {
    return this.#set('reducing', 'Only orders that make a position smaller are taken.');
  }

  async resume(): Promise<void> {
    this.asking = null;
    await this.#set('active', 'Trading is active.');
  }

  async cancelAll(): Promise<void> {
    this.asking = null;
    await this.#do('cancel-all', async () => {
      const cancelled = await this.#host.cancelAllOrders();
      this.#toasts.done(`${count(cancelled, 'order is', 'orders are')} cancelled.`);
    });
  }

  /** Pauses the market or lets it go on. */
  ask(request: MarketRequest): Promise<void> {
    return this.#do('market', async () => {
      this.source = await this.#host.askMarket(request);
    });
  }

  async reset(): Promise<void> {
    this.asking = null;
    await this.#do('reset', async () => {
      await this.#host.resetAccount();
      this.#toasts.done('The paper account begins anew.');
    });
  }

  cancel(order: DeskOrder): Promise<void> {
    return this.#do(order.id, async () => {
      await this.#host.cancelOrder(order.id);
      this.#toasts.done(`Order ${order.id} is cancelled.`);
    });
  }

  async close({ symbol }: DeskPosition): Promise<void> {
    this.asking = null;
    await this.#do(symbol, async () => {
      const order = await this.#host.closePosition(symbol);
      const rest = order.quantity - order.filled;
      if (rest > 0) this.#toasts.warn(`${symbol} is not wholly closed: the book was too thin. Close the rest, or place a limit order.`);
      else this.#toasts.done(`The position in ${symbol} is closed.`);
    });
  }

  apply(message: DeskMessage): void {
    if (message.type === 'problem') {
      this.problem = message.data;
      return;
    }
    if (!this.#news) onFrame(() => this.#take());
    this.#news = together(this.#news, message.data);
  }

  /** Until the returned function is called. */
  #follow(): () => void {
    // Everything comes anew: what has not been taken over is older.
    this.#news = null;
    this.#anew = true;
    return this.#host.watchDesk(this.symbol, (message) => this.apply(message));
  }

  #take(): void {
    const news = this.#news;
    this.#news = null;
    if (!news) return;
    this.problem = null;
    this.instruments = news.instruments ?? this.instruments;
    this.trading = news.trading ?? this.trading;
    this.account = news.account ?? this.account;
    if (news.market?.symbol === this.symbol) this.market = news.market;
    this.source = news.source ?? this.source;
    if (news.candles) this.candles = merge(this.#anew ? [] : this.candles, news.candles);
    this.#anew = false;
    this.open = news.open ?? this.open;
    this.ended = news.ended ?? this.ended;
    this.fills = news.fills ?? this.fills;
  }

  async #set(state: State, said: string): Promise<void> {
    await this.#do(state, async () => {
      await this.#host.setTradingState(state);
      this.#toasts.done(said);
    });
  }

  async #do(what: string, act: () => Promise<void>): Promise<void> {
    if (this.pending.has(what)) return;
    this.pending = new Set([...this.pending, what]);
    try {
      await act();
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    } finally {
      this.pending = new Set([...this.pending].filter((one) => one !== what));
    }
  }
}

/** Both news as one: the later words count, and no candle is lost. */
function together(before: DeskNews | null, now: DeskNews): DeskNews {
  if (!before) return now;
  const known = Object.fromEntries(Object.entries(now).filter(([, value]) => value !== null)) as Partial<DeskNews>;
  return { ...before, ...known, candles: now.candles && before.candles ? merge(before.candles, now.candles) : (now.candles ?? before.candles) };
}
