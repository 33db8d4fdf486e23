/** How orders, positions and fills are said. */
import { fileName } from '../../lib/format';
import { formatQuantity, formatSteps } from '../../lib/model/trading/decimal';
import type { Draft, OrderKind } from '../../lib/model/trading/ticket';
import type { StateLook } from '../../lib/states';
import type { CancelReason, DeskInstrument, DeskOrder, DeskTrading, MarketStatus, OrderStatus, Side } from '../../lib/wire/types';

export const SIDES: Record<Side, string> = { buy: 'Buy', sell: 'Sell' };

export const KINDS: Record<OrderKind, string> = { limit: 'Limit', market: 'Market', stop: 'Stop', stop_limit: 'Stop limit' };

export const STATUSES: Record<OrderStatus, string> = { held: 'Held', open: 'Open', partially_filled: 'Partly filled', filled: 'Filled', cancelled: 'Cancelled' };

export const REASONS: Record<CancelReason, string> = {
  requested: 'on request', unfilled: 'no counterparty', self_trade_prevention: 'would trade with itself', expired: 'day is over', linked: 'with the order that it came with', reduce_only: 'nothing left to reduce', post_only: 'would trade at once', reset: 'account reset',
};

export function kindOf({ limit, stop }: Pick<DeskOrder, 'limit' | 'stop'>): OrderKind {
  if (stop !== null) return limit !== null ? 'stop_limit' : 'stop';
  return limit !== null ? 'limit' : 'market';
}

/** `Limit, GTC`, `Stop, GTC, reduce-only`. */
export function termsOf(order: DeskOrder): string {
  return [KINDS[kindOf(order)], order.time_in_force, order.post_only ? 'post-only' : '', order.reduce_only ? 'reduce-only' : ''].filter(Boolean).join(', ');
}

/** `64,178.50`, `stop 3,118.00`, `3,110.00, stop 3,118.00`, `market`. */
export function priceOf(order: DeskOrder, { price_decimals }: DeskInstrument): string {
  const at = (ticks: number): string => formatSteps(ticks, price_decimals);
  const parts = [order.limit === null ? '' : at(order.limit), order.stop === null ? '' : `stop ${at(order.stop)}`].filter(Boolean);
  return parts.join(', ') || 'market';
}

/** `BTC` of `BTCUSD`. */
export function baseOf(symbol: string): string {
  return symbol.replace(/USD$/, '');
}

/** `Buy 0.05 BTC at 64,180.00`: what the button will do. */
export function intention(draft: Draft, quantity: number | null, limit: number | null, stop: number | null, instrument: DeskInstrument): string {
  const price = (ticks: number): string => formatSteps(ticks, instrument.price_decimals);
  const amount = quantity === null ? '' : ` ${formatQuantity(quantity, instrument.quantity_decimals)}`;
  const where = [limit === null ? '' : ` at ${price(limit)}`, stop === null ? '' : ` from ${price(stop)} on`].join('') || (draft.kind === 'market' ? ' at the market' : '');
  return `${SIDES[draft.side]}${amount} ${baseOf(instrument.symbol)}${quantity === null ? '' : where}`;
}

/** What became of an order that was placed. */
export function placed(order: DeskOrder, instrument: DeskInstrument): { tone: 'run' | 'warn'; text: string } {
  const amount = (lots: number): string => `${formatQuantity(lots, instrument.quantity_decimals)} ${baseOf(order.symbol)}`;
  const average = order.average_price === null ? '' : ` at ${formatSteps(Math.round(order.average_price * 10 ** instrument.price_decimals), instrument.price_decimals)}`;
  const verb = order.side === 'buy' ? 'Bought' : 'Sold';
  const rest = order.quantity - order.filled;
  switch (order.status) {
    case 'filled':
      return { tone: 'run', text: `${verb} ${amount(order.filled)}${average}.` };
    case 'cancelled':
      if (order.filled === 0) return { tone: 'warn', text: `Order ${order.id} found no counterparty and is cancelled.` };
      return { tone: 'warn', text: `${verb} ${amount(order.filled)}${average}; ${amount(rest)} found no counterparty.` };
    case 'partially_filled':
      return { tone: 'run', text: `${verb} ${amount(order.filled)}${average}; ${amount(rest)} waits as order ${order.id}.` };
    default:
      return { tone: 'run', text: `Order ${order.id} waits: ${amount(rest)}, ${priceOf(order, instrument)}.` };
  }
}

export function lookOfTrading(trading: DeskTrading | null): StateLook {
  if (!trading) return { tone: 'busy', word: 'Reading' };
  if (trading.problem) return { tone: 'error', word: 'Halted' };
  if (trading.state === 'halted') return { tone: 'halted', word: 'Halted' };
  return trading.state === 'reducing' ? { tone: 'warn', word: 'Reducing' } : { tone: 'run', word: 'Active' };
}

/** `Simulator, seed 42`, `BTCPERP-1m-2022-01.csv as BTCUSD, 60×, paused`. */
export function sourceOf({ state, replay, simulator }: MarketStatus): string {
  const halted = state === 'running' ? '' : `, ${state}`;
  if (!replay) return `Simulator, seed ${simulator.seed}${halted}`;
  return `${fileName(replay.file)} as ${replay.symbol}, ${speedOf(replay.speed).toLowerCase()}${halted}`;
}

/** What a file holds. */
export const FORMATS: Record<string, string> = { trades: 'Trades', book_ticker: 'Book ticker', klines: '1-minute klines' };

export const SPEEDS: readonly (number | 'max')[] = [0.5, 1, 10, 60, 600, 3600, 'max'];

export const speedOf = (speed: number | 'max'): string => (speed === 'max' ? 'Full speed' : `${speed}×`);

/** `2022-01-09 06:12:00 UTC`: files tell the time of their exchange. */
export const moment = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
