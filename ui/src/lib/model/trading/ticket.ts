/** Is an order by hand sound? What can be told here is told at once; the exchange has the last word. */
import type { DeskAccount, DeskInstrument, OrderTicket, Side, TimeInForce } from '../../wire/types';
import { dollars, formatQuantity, formatSteps, money, notional, parseSteps } from './decimal';

export type OrderKind = 'market' | 'limit' | 'stop' | 'stop_limit';

/** What stands in the form, as typed. */
export type Draft = {
  side: Side;
  kind: OrderKind;
  lasts: TimeInForce;
  quantity: string;
  price: string;
  stop: string;
  postOnly: boolean;
  reduceOnly: boolean;
  bracket: boolean;
  takeProfit: string;
  stopLoss: string;
};

export type Field = 'quantity' | 'price' | 'stop_price' | 'take_profit_price' | 'stop_loss_price';

export type Faults = Partial<Record<Field, string>>;

/** What the form is judged by. */
export type Surroundings = {
  instrument: DeskInstrument;
  /** The last price in ticks; `null` before the first trade. */
  last: number | null;
  account: DeskAccount | null;
};

/** `missing`: a field that is needed is empty, which is no fault while a person still types. */
export type Judged = { faults: Faults; missing: Field[]; order: Omit<OrderTicket, 'client_order_id'> | null };

export const EMPTY: Draft = {
  side: 'buy', kind: 'limit', lasts: 'GTC', quantity: '', price: '', stop: '', postOnly: false, reduceOnly: false, bracket: false, takeProfit: '', stopLoss: '',
};

export const hasPrice = (kind: OrderKind): boolean => kind === 'limit' || kind === 'stop_limit';
export const hasStop = (kind: OrderKind): boolean => kind === 'stop' || kind === 'stop_limit';
/** A market order never waits; a stop order waits until its trigger. */
export const lastings = (kind: OrderKind): TimeInForce[] => (kind === 'market' ? ['IOC', 'FOK'] : ['GTC', 'DAY', 'IOC', 'FOK']);
export const canPostOnly = (draft: Draft): boolean => hasPrice(draft.kind) && (draft.lasts === 'GTC' || draft.lasts === 'DAY');

export function judge(draft: Draft, { instrument, last, account }: Surroundings): Judged {
  const faults: Faults = {};
  const missing: Field[] = [];

  function amount(field: Field, text: string, needed: boolean): number | null {
    if (!needed) return null;
    const ofQuantity = field === 'quantity';
    const decimals = ofQuantity ? instrument.quantity_decimals : instrument.price_decimals;
    const most = ofQuantity ? instrument.max_quantity : instrument.max_price;
    const { steps, fault } = parseSteps(text, decimals);
    const range = `${formatSteps(1, decimals)} to ${formatSteps(most, decimals)}`;
    if (fault === 'empty') missing.push(field);
    else if (fault === 'number') faults[field] = `Not a number. Use ${range}.`;
    else if (fault === 'step') faults[field] = `Finer than ${formatSteps(1, decimals)}, the ${ofQuantity ? 'lot' : 'tick'} of ${instrument.symbol}.`;
    else if (fault === 'large' || steps === null || steps < 1 || steps > most) faults[field] = `Use ${range}.`;
    else return steps;
    return null;
  }

  const quantity = amount('quantity', draft.quantity, true);
  const limit = amount('price', draft.price, hasPrice(draft.kind));
  const stop = amount('stop_price', draft.stop, hasStop(draft.kind));
  // Either exit may be left out, but not both.
  const both = draft.takeProfit.trim() === '' && draft.stopLoss.trim() === '';
  const takeProfit = amount('take_profit_price', draft.takeProfit, draft.bracket && (both || draft.takeProfit.trim() !== ''));
  const stopLoss = amount('stop_loss_price', draft.stopLoss, draft.bracket && (both || draft.stopLoss.trim() !== ''));

  if (account) {
    const band = limit === null ? null : bandFault(limit, stop, last, account.limits.price_band_percent, instrument.price_decimals);
    if (band) faults.price = band;
    const held = account.positions.find(({ symbol }) => symbol === instrument.symbol)?.quantity ?? 0;
    const reducible = Math.max(0, draft.side === 'sell' ? held : -held);
    if (quantity !== null) {
      const fault = draft.reduceOnly && quantity > reducible ? reduceFault(reducible, draft.side, instrument) : valueFault(quantity, limit ?? stop ?? last, reducible, account);
      if (fault) faults.quantity = fault;
    }
  }
  exitFaults(draft.side, limit ?? stop ?? last, takeProfit, stopLoss, faults, (ticks) => formatSteps(ticks, instrument.price_decimals));

  const sound = missing.length === 0 && Object.keys(faults).length === 0 && quantity !== null;
  const order = sound
    ? {
        symbol: instrument.symbol, side: draft.side, quantity, limit, stop, time_in_force: draft.lasts,
        post_only: draft.postOnly && canPostOnly(draft), reduce_only: draft.reduceOnly && !draft.bracket, take_profit: takeProfit, stop_loss: stopLoss,
      }
    : null;
  return { faults, missing, order };
}

function bandFault(limit: number, stop: number | null, last: number | null, percent: number, decimals: number): string | null {
  const anchor = stop ?? last;
  if (anchor === null) return null;
  const most = Math.floor((anchor * percent) / 100);
  if (Math.abs(limit - anchor) <= most) return null;
  return `Use ${formatSteps(anchor - most, decimals)} to ${formatSteps(anchor + most, decimals)}, within ${percent} % of the ${stop === null ? 'last' : 'stop'} price.`;
}

function reduceFault(reducible: number, side: Side, { symbol, quantity_decimals }: DeskInstrument): string {
  if (reducible === 0) return `There is no ${side === 'sell' ? 'long' : 'short'} position in ${symbol} to reduce.`;
  return `Reduce by at most ${formatQuantity(reducible, quantity_decimals)}.`;
}

/** An order that can only make a position smaller may be worth anything. */
function valueFault(quantity: number, price: number | null, reducible: number, { limits }: DeskAccount): string | null {
  if (price === null || quantity <= reducible) return null;
  const value = notional(price, quantity);
  if (value <= BigInt(Math.round(limits.max_order_value * 1_000_000))) return null;
  return `Worth ${money(dollars(value))} USD. One order may be worth ${money(limits.max_order_value)} USD.`;
}

function exitFaults(side: Side, entry: number | null, takeProfit: number | null, stopLoss: number | null, faults: Faults, format: (ticks: number) => string): void {
  if (entry === null) return;
  const sign = side === 'buy' ? 1 : -1;
  const [gain, loss] = side === 'buy' ? ['above', 'below'] : ['below', 'above'];
  if (takeProfit !== null && (takeProfit - entry) * sign <= 0) faults.take_profit_price = `Use a price ${gain} ${format(entry)}.`;
  if (stopLoss !== null && (stopLoss - entry) * sign >= 0) faults.stop_loss_price = `Use a price ${loss} ${format(entry)}.`;
}
