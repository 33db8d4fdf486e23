/** Limits as a person types them. */
import type { AccountLimits } from '../../wire/types';
import { editable, formatSteps, parseSteps } from './decimal';

export type LimitField = { key: keyof AccountLimits; name: string; unit: string; decimals: number; most: number; detail: string };

/** In the sequence in which an order is asked about them. */
export const LIMIT_FIELDS: readonly LimitField[] = [
  { key: 'price_band_percent', name: 'Price band', unit: '%', decimals: 0, most: 100, detail: 'Largest distance of a limit price from the last price.' },
  { key: 'max_orders_per_second', name: 'Orders per second', unit: '/s', decimals: 0, most: 1_000_000, detail: 'Of all clients together.' },
  { key: 'max_order_value', name: 'Value of one order', unit: 'USD', decimals: 2, most: 1e11, detail: 'Quantity times price.' },
  { key: 'max_position_value', name: 'Value of a position', unit: 'USD', decimals: 2, most: 1e11, detail: 'In one instrument, with the orders that wait.' },
  { key: 'max_daily_loss', name: 'Loss of a day', unit: 'USD', decimals: 2, most: 1e11, detail: 'From it on, until 00:00 UTC, orders can only reduce.' },
  { key: 'leverage', name: 'Leverage', unit: '×', decimals: 0, most: 100, detail: 'Largest exposure as a multiple of equity.' },
];

export type LimitDraft = Record<keyof AccountLimits, string>;

export function draftOf(limits: AccountLimits): LimitDraft {
  return Object.fromEntries(LIMIT_FIELDS.map(({ key, decimals }) => [key, editable(Math.round(limits[key] * 10 ** decimals), decimals)])) as LimitDraft;
}

/** `limits` is `null` while something is wrong; `faults` says what and where. */
export function judgeLimits(draft: LimitDraft): { limits: AccountLimits | null; faults: Partial<LimitDraft> } {
  const faults: Partial<LimitDraft> = {};
  const limits: Partial<AccountLimits> = {};
  for (const { key, decimals, most } of LIMIT_FIELDS) {
    const { steps, fault } = parseSteps(draft[key], decimals);
    if (fault === 'step') faults[key] = decimals === 0 ? 'Use a whole number.' : 'Use at most two decimals.';
    else if (steps === null || steps < 1 || steps > most) faults[key] = `Use ${formatSteps(1, decimals)} to ${formatSteps(most, decimals)}.`;
    else limits[key] = steps / 10 ** decimals;
  }
  return { limits: Object.keys(faults).length === 0 ? (limits as AccountLimits) : null, faults };
}
