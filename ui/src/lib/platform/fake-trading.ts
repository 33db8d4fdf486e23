/** The desk in memory: the same prices every time, moving when the host ticks, and orders that fill as they would. */
import { NOW, type Member } from './fake-data';
import type {
  Candle, DeskAccount, DeskFill, DeskInstrument, AccountLimits, DeskMarket, DeskMessage, DeskNews, DeskOrder, DeskPosition, DeskTrading, OrderChange, OrderTicket, Problem, TicketPreview, TradingState, MarketFile, MarketRequest, RiskFigures, MarketStatus, ReplayStatus, TradingSummary,
} from '../wire/types';

const INSTRUMENTS: DeskInstrument[] = [
  ['BTCUSD', 'Bitcoin against US dollars, simulated'], ['ETHUSD', 'Ether against US dollars, simulated'], ['TESTUSD', 'Test symbol: always 1,000 bid at 99.99 and 1,000 offered at 100.01'],
].map(([symbol = '', description = '']) => ({ symbol, description, price_decimals: 2, quantity_decimals: 4, max_quantity: 10_000_000, max_price: 1_000_000_000 }));

const STARTS: Record<string, number> = { BTCUSD: 6_418_250, ETHUSD: 312_440, TESTUSD: 10_001 };
const MAKER_PPM = 200;
const TAKER_PPM = 500;

/** The file that a person chooses. */
export const MARKET_FILE = '/home/you/data/BTCPERP-1m-2022-01.csv';

const REPLAY: ReplayStatus = {
  file: MARKET_FILE, format: 'klines', symbol: 'BTCUSD', from: '2022-01-01T00:00:00.000Z', to: '2022-01-31T23:59:00.000Z', position: '2022-01-09T06:12:00.000Z', progress: 0.27, steps: 44_640, played: 12_012, speed: 60, loop: false, rounds: 0, cancelled_orders: 0, problem: null,
};

type Told = { symbol: string; listener: (message: DeskMessage) => void };

function problem(code: Problem['code'], message: string, field: string | null = null): Problem {
  return { code, message, field, help: null };
}

/** Between 0 and 1, the same for the same number. */
const rough = (seed: number): number => ((Math.imul(seed ^ 0x9e37, 2_654_435_761) >>> 8) % 10_000) / 10_000;

function firstCandles(symbol: string): Candle[] {
  if (symbol === 'TESTUSD') return [];
  const end = STARTS[symbol] ?? 0;
  const size = end / 6_400;
  let price = end;
  const candles: Candle[] = [];
  for (let minute = 0; minute < 300; minute += 1) {
    const close = price;
    const open = Math.round(close + (rough(minute * 7 + end) - 0.49) * size * 2);
    const [high, low] = [Math.max(open, close) + Math.round(rough(minute * 3) * size), Math.min(open, close) - Math.round(rough(minute * 5) * size)];
    candles.unshift({ at: Math.floor(NOW / 60_000) * 60_000 - minute * 60_000, open, high, low, close, volume: Math.round(20_000 + rough(minute * 11) * 100_000) });
    price = open;
  }
  return candles;
}

export class FakeTrading {
  #state: TradingState = 'active';
  #fault: string | null = null;
  #last: Record<string, number> = { ...STARTS };
  #candles: Record<string, Candle[]>;
  #orders: DeskOrder[] = [];
  #fills: DeskFill[] = [];
  #held: Record<string, { quantity: number; entry: number }> = {};
  #cash = 100_000;
  #realized = 0;
  #source: MarketStatus = { state: 'running', replay: null, simulator: { seed: 42, spread: 1, depth: 1, volatility: 1 } };
  #limits: AccountLimits = { leverage: 1, max_order_value: 1_000_000, max_position_value: 1_000_000, price_band_percent: 10, max_orders_per_second: 100_000, max_daily_loss: 20_000 };
  #next = 41;
  #second = 0;
  #told: Told | null = null;
  #names = new Map<string, string>();
  readonly #loading: boolean;
  readonly #onstate: () => void;

  /** `onstate`: the trading state has changed, which every screen shows. */
  constructor({ scenario, id }: Member, onstate: () => void) {
    this.#onstate = onstate;
    this.#loading = scenario === 'loading';
    this.#candles = Object.fromEntries(INSTRUMENTS.map(({ symbol }) => [symbol, firstCandles(symbol)]));
    if (scenario === 'empty' || id !== 'default') return;
    if (scenario === 'replay') this.#source = { ...this.#source, state: 'paused', replay: REPLAY };
    if (scenario === 'halted') this.#state = 'halted';
    if (scenario === 'fault') this.#fault = 'The journal /home/you/.local/cwts-ultra/data/default/journal.db cannot be written: no space left on device. Free some space, then resume trading.';
    this.#held = { BTCUSD: { quantity: 1_900, entry: 64_152.1 }, ETHUSD: { quantity: -8_000, entry: 3_140.25 } };
    this.#cash = 90_323.84;
    this.#realized = 374.48;
    this.#orders = [
      { ...blank('43', 'BTCUSD', 'buy', 1_000), limit: 6_417_850, filled: 400, average_price: 64_178.5, status: 'partially_filled', client_order_id: 'claude-17', accepted_at: NOW - 19_000 },
      { ...blank('42', 'ETHUSD', 'sell', 15_000), limit: 311_500, stop: 311_800, client_order_id: 'freqtrade-1', accepted_at: NOW - 171_000 },
      { ...blank('39', 'BTCUSD', 'sell', 500), limit: 6_442_000, time_in_force: 'DAY', client_order_id: 'panel-0a', accepted_at: NOW - 1_084_000 },
    ];
    if (scenario === 'many') this.#orders.push(...Array.from({ length: 480 }, (_, index) => ({ ...blank(String(600 - index), 'BTCUSD', index % 2 ? 'sell' as const : 'buy' as const, 100 + index), limit: 6_300_000 + index * 500, client_order_id: `grid-${index}`, accepted_at: NOW - 2_000_000 - index * 1000 })));
    this.#fills = Array.from({ length: 41 }, (_, index) => ({
      sequence: 9_000 - index * 7, order_id: String(40 - Math.floor(index / 3)), symbol: index % 4 === 3 ? 'ETHUSD' : 'BTCUSD', side: index % 3 ? ('buy' as const) : ('sell' as const),
      price: (index % 4 === 3 ? 312_000 : 6_415_000) + index * 40, quantity: 100 + index * 25, fee: 1.6 + index / 20, maker: index % 2 === 0, at: NOW - 60_000 - index * 47_000,
    }));
    this.#ended = [
      { ...blank('41', 'BTCUSD', 'buy', 500), limit: 6_418_250, filled: 500, average_price: 64_182.5, status: 'filled', client_order_id: 'claude-16', updated_at: NOW - 62_000 },
      { ...blank('40', 'BTCUSD', 'sell', 800), limit: 6_450_000, status: 'cancelled', reason: 'requested', client_order_id: 'panel-09', updated_at: NOW - 420_000 },
    ];
  }

  #ended: DeskOrder[] = [];

  watch(symbol: string, listener: Told['listener']): () => void {
    if (this.#loading) return () => {};
    const told = { symbol, listener };
    this.#told = told;
    queueMicrotask(() => this.#tell(true));
    return () => {
      if (this.#told === told) this.#told = null;
    };
  }

  /** A second goes by. */
  tick(): void {
    this.#second += 1;
    for (const [symbol, last] of Object.entries(this.#last)) {
      if (symbol === 'TESTUSD') continue;
      const next = Math.round(last + (rough(this.#second * 13 + last) - 0.5) * (last / 40_000)) ;
      this.#last[symbol] = next;
      this.#trade(symbol, next);
    }
    this.#tell(false);
  }

  setLimits(limits: AccountLimits): void {
    if (limits.leverage < 1 || limits.leverage > 100) throw problem('invalid_input', 'Use 1 to 100.', 'leverage');
    this.#limits = limits;
    this.#tell(false);
  }

  reset(): void {
    [this.#orders, this.#ended, this.#fills, this.#held] = [[], [], [], {}];
    [this.#cash, this.#realized] = [100_000, 0];
    this.#tell(false);
    this.#onstate();
  }

  ask(request: MarketRequest): MarketStatus {
    const source = { ...this.#source };
    if (request.type === 'pause') source.state = 'paused';
    else if (request.type === 'resume') source.state = 'running';
    else if (request.type === 'simulate') Object.assign(source, { replay: null, simulator: request.data, state: 'running' });
    else if (request.type === 'replay') {
      const { file, symbol } = this.look(request.data.file, request.data.symbol);
      Object.assign(source, { replay: { ...REPLAY, ...request.data, file, symbol, position: REPLAY.from, progress: 0, played: 0 }, state: 'running' });
    } else if (source.replay) {
      if (request.type === 'speed') source.replay = { ...source.replay, speed: request.data };
      if (request.type === 'loop') source.replay = { ...source.replay, loop: request.data };
      if (request.type === 'seek') {
        const [from, to] = [Date.parse(source.replay.from), Date.parse(source.replay.to)];
        source.replay = { ...source.replay, position: new Date(request.data).toISOString(), progress: (request.data - from) / (to - from) };
      }
    }
    this.#source = source;
    this.#tell(false);
    return source;
  }

  risk(): RiskFigures {
    const known = this.#fills.length > 0;
    const tail = (confidence_percent: number, times: number): RiskFigures['value_at_risk'][number] => ({
      confidence_percent, horizon_minutes: 1_440, historical_var: known ? 512.4 * times : null, historical_cvar: known ? 644.9 * times : null, parametric_var: known ? 498.7 * times : null, parametric_cvar: known ? 625.4 * times : null,
    });
    return {
      value_at_risk: [tail(95, 1), tail(99, 1.41)],
      volatility: { minute_percent: known ? 0.008 : null, annualized_percent: known ? 5.82 : null, ewma_annualized_percent: known ? 6.11 : null },
      drawdown: { max_percent: known ? 0.84 : 0, max_amount: known ? 842.1 : 0, peak_at: known ? '2026-11-19T11:20:00Z' : null, trough_at: known ? '2026-11-19T12:07:00Z' : null, current_percent: known ? 0.12 : 0, current_amount: known ? 120.3 : 0 },
      samples: { returns: known ? 300 : 3, interval_seconds: 60, from: known ? '2026-11-19T09:02:00Z' : null, to: known ? '2026-11-19T14:02:00Z' : null },
      note: known ? null : 'Not enough samples: 3 of at most 1440 minutes of the market are known; historical figures at 95 % take 20, volatility take 30. They come with time; a file that is replayed fast brings them sooner.',
    };
  }

  look(file: string, symbol: string | null): MarketFile {
    if (!file.startsWith('/')) throw problem('invalid_input', `${file} is no absolute path; the server has no folder to look it up in.`, 'file');
    if (!symbol && !/BTC|ETH/.test(file)) throw { ...problem('invalid_input', `The name of ${file} says no symbol.`, 'symbol'), help: 'Name one of BTCUSD, ETHUSD.' };
    const { format, from, to, steps } = REPLAY;
    return { file, format, symbol: symbol ?? (file.includes('ETH') ? 'ETHUSD' : 'BTCUSD'), bytes: 3_482_112, from, to, steps, low: 32_917.5, high: 47_990 };
  }

  summary(): TradingSummary {
    const { equity, unrealized, today, open_orders } = this.#account();
    return { state: this.#fault ? 'halted' : this.#state, problem: this.#fault, equity, unrealized, today, open_orders };
  }

  preview(ticket: OrderTicket): TicketPreview {
    const refused = this.#refusal(ticket);
    const last = this.#last[ticket.symbol] ?? 0;
    const price = ticket.limit ?? ticket.stop ?? last;
    const value = (price * ticket.quantity) / 1_000_000;
    const filled = this.#trades(ticket) ? ticket.quantity : 0;
    return {
      problem: refused, filled, average_price: filled ? last / 100 : null, waits: ticket.quantity - filled, value, fees: filled ? (value * TAKER_PPM) / 1_000_000 : 0,
      margin_after: this.#account().margin_used + value,
    };
  }

  place(ticket: OrderTicket): DeskOrder {
    const known = [...this.#orders, ...this.#ended].find(({ id }) => id === this.#names.get(ticket.client_order_id));
    if (known) return known;
    const refused = this.#refusal(ticket);
    if (refused) throw refused;
    this.#next += 3;
    const order: DeskOrder = {
      ...blank(String(this.#next), ticket.symbol, ticket.side, ticket.quantity), limit: ticket.limit, stop: ticket.stop, time_in_force: ticket.time_in_force, post_only: ticket.post_only,
      reduce_only: ticket.reduce_only, client_order_id: ticket.client_order_id, accepted_at: NOW + this.#second * 1000, updated_at: NOW + this.#second * 1000,
    };
    this.#names.set(ticket.client_order_id, order.id);
    if (this.#trades(ticket)) this.#fill(order);
    else this.#orders.unshift(order);
    this.#tell(false);
    return order;
  }

  change({ order_id, quantity, limit, stop }: OrderChange): DeskOrder {
    const order = this.#find(order_id);
    if (this.#state === 'halted') throw problem('wrong_state', 'Trading is halted: orders can only be cancelled; a person can resume trading.');
    Object.assign(order, { quantity: quantity ?? order.quantity, limit: limit ?? order.limit, stop: stop ?? order.stop });
    this.#orders = this.#orders.map((one) => (one === order ? { ...order } : one));
    this.#tell(false);
    return order;
  }

  cancel(id: string): DeskOrder {
    const order = this.#find(id);
    this.#orders = this.#orders.filter((one) => one !== order);
    const ended: DeskOrder = { ...order, status: 'cancelled', reason: 'requested', updated_at: NOW + this.#second * 1000 };
    this.#ended.unshift(ended);
    this.#tell(false);
    return ended;
  }

  cancelAll(): number {
    const open = [...this.#orders];
    for (const { id } of open) this.cancel(id);
    return open.length;
  }

  close(symbol: string): DeskOrder {
    const held = this.#held[symbol]?.quantity ?? 0;
    if (held === 0) throw problem('wrong_state', `Nothing is held of ${symbol}.`);
    return this.place({ symbol, side: held > 0 ? 'sell' : 'buy', quantity: Math.abs(held), limit: null, stop: null, time_in_force: 'IOC', post_only: false, reduce_only: true, take_profit: null, stop_loss: null, client_order_id: `close-${this.#next}` });
  }

  set(state: TradingState): void {
    this.#state = state;
    this.#fault = null;
    this.#tell(false);
    this.#onstate();
  }

  #find(id: string): DeskOrder {
    const order = this.#orders.find((one) => one.id === id);
    if (!order) throw problem('wrong_state', `Order ${id} is already filled.`);
    return order;
  }

  #refusal(ticket: OrderTicket): Problem | null {
    if (this.#fault) return problem('save_failed', 'Trading is halted: the journal cannot be written.');
    if (this.#state === 'halted') return problem('wrong_state', 'Trading is halted: orders can only be cancelled; a person can resume trading.');
    const value = ((ticket.limit ?? ticket.stop ?? this.#last[ticket.symbol] ?? 0) * ticket.quantity) / 1_000_000;
    const { margin_available } = this.#account();
    if (!ticket.reduce_only && value > margin_available) return problem('invalid_input', `${value.toFixed(2)} USD needed, ${margin_available.toFixed(2)} USD available.`, 'quantity');
    if (ticket.post_only && this.#trades(ticket)) return problem('invalid_input', 'Post only: it would trade at once.', 'price');
    return null;
  }

  #trades({ symbol, side, limit, stop }: OrderTicket): boolean {
    const last = this.#last[symbol] ?? 0;
    if (stop !== null) return false;
    return limit === null || (side === 'buy' ? limit > last : limit < last);
  }

  #fill(order: DeskOrder): void {
    const price = this.#last[order.symbol] ?? 0;
    const value = (price * order.quantity) / 1_000_000;
    const fee = (value * TAKER_PPM) / 1_000_000;
    const sign = order.side === 'buy' ? 1 : -1;
    const held = this.#held[order.symbol] ?? { quantity: 0, entry: price / 100 };
    const quantity = held.quantity + sign * order.quantity;
    if (Math.sign(held.quantity) === -sign) this.#realized += ((price / 100 - held.entry) * Math.sign(held.quantity) * Math.min(order.quantity, Math.abs(held.quantity))) / 10_000;
    this.#held[order.symbol] = { quantity, entry: Math.sign(quantity) === Math.sign(held.quantity) ? held.entry : price / 100 };
    this.#cash -= sign * value + fee;
    this.#realized -= fee;
    Object.assign(order, { status: 'filled', filled: order.quantity, average_price: price / 100 });
    this.#ended.unshift(order);
    this.#fills.unshift({ sequence: 9_100 + this.#next, order_id: order.id, symbol: order.symbol, side: order.side, price, quantity: order.quantity, fee, maker: false, at: order.accepted_at });
    this.#trade(order.symbol, price);
  }

  #trade(symbol: string, price: number): void {
    const at = Math.floor((NOW + this.#second * 1000) / 60_000) * 60_000;
    const candles = (this.#candles[symbol] ??= []);
    const last = candles.at(-1);
    if (last?.at === at) candles[candles.length - 1] = { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price, volume: last.volume + 900 };
    else candles.push({ at, open: price, high: price, low: price, close: price, volume: 900 });
  }

  #account(): DeskAccount {
    const positions = INSTRUMENTS.flatMap(({ symbol }): DeskPosition[] => {
      const held = this.#held[symbol];
      const mark = this.#last[symbol] ?? 0;
      if (!held || held.quantity === 0) return [];
      return [{ symbol, quantity: held.quantity, entry_price: held.entry, mark, value: (mark * held.quantity) / 1_000_000, unrealized: ((mark / 100 - held.entry) * held.quantity) / 10_000, realized: symbol === 'BTCUSD' ? this.#realized : 0 }];
    });
    const sum = (pick: (position: DeskPosition) => number): number => positions.reduce((total, position) => total + pick(position), 0);
    const equity = this.#cash + sum(({ value }) => value);
    const exposure = sum(({ value }) => Math.abs(value)) + this.#orders.reduce((total, order) => total + ((order.limit ?? order.stop ?? 0) * (order.quantity - order.filled)) / 1_000_000, 0);
    return {
      cash: this.#cash, equity, unrealized: sum(({ unrealized }) => unrealized), realized: this.#realized, today: this.#realized, fees: 61.2, exposure, margin_used: exposure, margin_available: Math.max(0, equity - exposure), maker_ppm: MAKER_PPM, taker_ppm: TAKER_PPM,
      open_orders: this.#orders.length, positions,
      limits: this.#limits,
    };
  }

  #market(symbol: string): DeskMarket {
    const last = this.#last[symbol] ?? 0;
    const candles = this.#candles[symbol] ?? [];
    if (symbol === 'TESTUSD') return { symbol, last: candles.at(-1)?.close ?? null, mark: 10_000, high: null, low: null, bids: [[9_999, 10_000_000]], asks: [[10_001, 10_000_000]] };
    const level = (side: number) => Array.from({ length: 24 }, (_, index): [number, number] => [last + side * (50 + index * 50 + Math.round(rough(index + this.#second) * 20)), Math.round(900 + rough(index * 17 + this.#second + side) * 9_000)]);
    return { symbol, last, mark: last, high: Math.max(...candles.map(({ high }) => high)), low: Math.min(...candles.map(({ low }) => low)), bids: level(-1), asks: level(1) };
  }

  #tell(all: boolean): void {
    const told = this.#told;
    if (!told) return;
    const trading: DeskTrading = { state: this.#state, problem: this.#fault };
    const candles = this.#candles[told.symbol] ?? [];
    const data: DeskNews = {
      instruments: all ? INSTRUMENTS : null, trading, account: this.#account(), market: this.#market(told.symbol), source: this.#source, candles: all ? candles : candles.slice(-1),
      open: [...this.#orders], ended: [...this.#ended], fills: [...this.#fills],
    };
    told.listener({ type: 'news', data });
  }
}

function blank(id: string, symbol: string, side: DeskOrder['side'], quantity: number): DeskOrder {
  return {
    id, client_order_id: null, symbol, side, quantity, filled: 0, average_price: null, limit: null, stop: null, triggered: false, time_in_force: 'GTC', post_only: false, reduce_only: false, status: 'open', reason: null, parent: null, accepted_at: NOW, updated_at: NOW,
  };
}
