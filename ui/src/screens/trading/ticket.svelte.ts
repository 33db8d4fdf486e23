/** An order by hand: from what is typed to what was placed. */
import { canPostOnly, EMPTY, hasPrice, judge, lastings, type Draft, type Faults, type Field, type Judged, type OrderKind } from '../../lib/model/trading/ticket';
import { editable, notional } from '../../lib/model/trading/decimal';
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { DeskOrder, OrderTicket, Problem, TicketPreview } from '../../lib/wire/types';
import type { TradingState } from './trading.svelte';
import { placed } from './words';

/** As long as a person pauses between two keys. */
const TYPING_MILLIS = 300;
/** The market moves all the time: what it means for the order is asked so often, and never twice at once. */
const REFRESH_MILLIS = 500;
/** An answer that takes longer is said to be missing. */
const LATE_MILLIS = 2_000;
/** Orders of more US dollars than this are asked about. */
export const ASK_ABOVE = 10_000;

export class TicketState {
  draft = $state<Draft>({ ...EMPTY });
  /** What the exchange says of the order as it stands; `null` until it has. */
  preview = $state.raw<TicketPreview | null>(null);
  /** The preview is old: the exchange was asked again and has not answered. */
  stale = $state(false);
  /** Why the last try failed. Gone with the next change. */
  refusal = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** A large order is asked about. */
  asking = $state(false);
  /** Whether empty fields are said to be missing. */
  tried = $state(false);

  readonly judged = $derived.by<Judged>(() => {
    const { instrument, market, account } = this.#trading;
    if (!instrument) return { faults: {}, missing: [], order: null };
    return judge(this.draft, { instrument, last: market?.last ?? null, account });
  });
  /** What stands below each field. */
  readonly faults = $derived.by<Faults>(() => {
    const faults: Faults = { ...this.judged.faults };
    if (this.tried) for (const field of this.judged.missing) faults[field] ??= 'Needed.';
    const said = this.refusal ?? this.preview?.problem;
    if (said && isField(said.field)) faults[said.field] ??= said.message;
    return faults;
  });
  /** What is wrong with the order and with none of its fields. */
  readonly objection = $derived.by<Problem | null>(() => {
    const said = this.refusal ?? this.preview?.problem ?? null;
    return said && !isField(said.field) ? said : null;
  });
  /** Value in US dollars; `null` while it cannot be told. */
  readonly value = $derived.by<number | null>(() => {
    const { order } = this.judged;
    if (this.preview) return this.preview.value;
    const price = order?.limit ?? order?.stop ?? this.#trading.market?.last;
    return order && price ? Number(notional(price, order.quantity)) / 1_000_000 : null;
  });

  readonly #host: InstanceHost;
  readonly #trading: TradingState;
  readonly #toasts: Toasts;
  /** One for each order that was filled in: sent again, it is the same order. */
  #name = newName();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the orders that were asked about: an answer about an earlier one is none. */
  #draft = 0;
  #looking = false;

  constructor(host: InstanceHost, trading: TradingState, toasts: Toasts) {
    this.#host = host;
    this.#trading = trading;
    this.#toasts = toasts;
  }

  /** Changes the form. What was said of it is about another order from now on. */
  set(change: Partial<Draft>): void {
    Object.assign(this.draft, change);
    this.#renew();
  }

  setKind(kind: OrderKind): void {
    const lasts = lastings(kind).includes(this.draft.lasts) ? this.draft.lasts : lastings(kind)[0]!;
    this.set({ kind, lasts });
  }

  /** A price of the ladder: a limit order at it. */
  takePrice(ticks: number): void {
    const { instrument } = this.#trading;
    if (!instrument) return;
    if (!hasPrice(this.draft.kind)) this.setKind('limit');
    this.set({ price: editable(ticks, instrument.price_decimals) });
  }

  /** Another market has other prices. */
  forget(): void {
    this.set({ price: '', stop: '', takeProfit: '', stopLoss: '' });
    this.tried = false;
  }

  /** Sends the order, after a question where it is large. */
  async submit(): Promise<void> {
    this.tried = true;
    if (!this.judged.order || this.busy) return;
    if ((this.value ?? 0) > ASK_ABOVE) this.asking = true;
    else await this.place();
  }

  async place(): Promise<void> {
    const { order } = this.judged;
    this.asking = false;
    if (!order || this.busy) return;
    this.busy = true;
    try {
      this.#say(await this.#host.placeOrder(this.#ticket(order)));
      this.tried = false;
      // The next press means another order.
      this.set({ quantity: '' });
    } catch (thrown) {
      const problem = asProblem(thrown);
      this.refusal = problem;
    } finally {
      this.busy = false;
    }
  }

  /** The market or the account has moved: asks soon what the order would do now. However often this is called, one question is under way. */
  refresh(): void {
    if (!this.judged.order) this.#forgetPreview();
    else if (this.#timer === undefined && !this.#looking) this.#lookIn(REFRESH_MILLIS);
  }

  #lookIn(millis: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, millis);
  }

  async #look(): Promise<void> {
    const { order } = this.judged;
    if (!order) return;
    const draft = this.#draft;
    this.#looking = true;
    const late = setTimeout(() => (this.stale = draft === this.#draft), LATE_MILLIS);
    const answer = await this.#host.previewOrder(this.#ticket(order)).catch((thrown: unknown): TicketPreview => ({ ...NOTHING, problem: asProblem(thrown) }));
    clearTimeout(late);
    if (draft !== this.#draft) return;
    this.#looking = false;
    this.preview = answer;
    this.stale = false;
  }

  #forgetPreview(): void {
    this.#draft += 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#looking = false;
    this.preview = null;
    this.stale = false;
  }

  #ticket(order: Omit<OrderTicket, 'client_order_id'>): OrderTicket {
    return { ...order, client_order_id: this.#name };
  }

  #renew(): void {
    this.#name = newName();
    this.refusal = null;
    this.#forgetPreview();
    if (!canPostOnly(this.draft)) this.draft.postOnly = false;
    if (this.judged.order) this.#lookIn(TYPING_MILLIS);
  }

  #say(order: DeskOrder): void {
    const instrument = this.#trading.of(order.symbol);
    if (!instrument) return;
    const { tone, text } = placed(order, instrument);
    if (tone === 'warn') this.#toasts.warn(text);
    else this.#toasts.done(text);
  }
}

const NOTHING: TicketPreview = { problem: null, filled: 0, average_price: null, waits: 0, value: 0, fees: 0, margin_after: 0 };

const FIELDS: readonly string[] = ['quantity', 'price', 'stop_price', 'take_profit_price', 'stop_loss_price'] satisfies Field[];

function isField(field: string | null | undefined): field is Field {
  return field !== null && field !== undefined && FIELDS.includes(field);
}

/** The prefix tells orders by hand from those of clients. */
export const BY_HAND = 'panel-';

function newName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return BY_HAND + [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
