/**
 * Prices, quantities and money, without the surprises of floating point: a price is a whole number of ticks, a quantity of
 * lots, and what a person types becomes one by moving the point in the text.
 */
import { grouped } from '../../format';

/** Why a text is no amount: nothing there, no number, finer than a step, or beyond what can be told exactly. */
export type Fault = 'empty' | 'number' | 'step' | 'large';

export type Parsed = { steps: number; fault: null } | { steps: null; fault: Fault };

const DECIMAL = /^(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?$/;

/** `64,180.5` with two decimals is 6418050. Commas between thousands are taken, signs and exponents are not. */
export function parseSteps(text: string, decimals: number): Parsed {
  const fault = (fault: Fault): Parsed => ({ steps: null, fault });
  const trimmed = text.trim();
  if (trimmed === '') return fault('empty');
  const [, whole, fraction = ''] = DECIMAL.exec(trimmed) ?? [];
  if (whole === undefined || whole + fraction === '') return fault('number');
  const meaningful = fraction.replace(/0+$/, '');
  if (meaningful.length > decimals) return fault('step');
  const steps = Number(whole.replaceAll(',', '') + meaningful.padEnd(decimals, '0'));
  return Number.isSafeInteger(steps) ? { steps, fault: null } : fault('large');
}

/** `6418050` with two decimals is `64,180.50`. */
export function formatSteps(steps: number, decimals: number): string {
  const digits = String(Math.abs(steps)).padStart(decimals + 1, '0');
  const whole = grouped(Number(digits.slice(0, digits.length - decimals)));
  const text = decimals > 0 ? `${whole}.${digits.slice(digits.length - decimals)}` : whole;
  return steps < 0 ? `−${text}` : text;
}

/** A quantity with at least two decimals and no zeros beyond: `0.05`, `1.50`, `0.0301`. */
export function formatQuantity(lots: number, decimals: number): string {
  const text = formatSteps(lots, decimals);
  const point = text.indexOf('.');
  if (point < 0) return text;
  const kept = Math.max(text.replace(/0+$/, '').length, point + 3);
  return text.slice(0, kept);
}

/** As it is typed into a field: without commas, and without zeros that say nothing. */
export function editable(steps: number, decimals: number): string {
  const text = formatSteps(steps, decimals).replaceAll(',', '');
  return decimals > 0 ? text.replace(/\.?0+$/, '') : text;
}

/** US dollars with two decimals: `87,576.38`. */
export function money(dollars: number): string {
  return formatSteps(Math.round(dollars * 100), 2);
}

/** Always with its sign, so that gain and loss do not hang on a colour: `+38.40`, `−12.00`, `0.00`. */
export function signedMoney(dollars: number): string {
  const text = money(dollars);
  return Math.round(dollars * 100) > 0 ? `+${text}` : text;
}

/** One decimal: `12.8 %`. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${formatSteps(Math.round(share * 1000), 1)} %` : '—';
}

/** The exact value of a quantity at a price in millionths of a dollar: one tick times one lot is one of them. */
export function notional(ticks: number, lots: number): bigint {
  return BigInt(ticks) * BigInt(lots);
}

/** Millionths of a dollar as dollars, rounded to cents for people. */
export function dollars(micros: bigint): number {
  return Number(micros) / 1_000_000;
}
