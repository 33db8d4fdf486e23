/** Candles of one minute, put together to longer ones and drawn. */
import type { Candle } from '../../wire/types';

export const INTERVALS = [1, 5, 15, 60] as const;
export type Interval = (typeof INTERVALS)[number];

const MINUTE_MILLIS = 60_000;
/** More than the widest chart shows at its longest interval. */
const KEPT = 2_160;

/** Takes in candles that are new or have changed. One that begins before the oldest of them stays as it is. */
export function merge(candles: readonly Candle[], changed: readonly Candle[]): Candle[] {
  const [first] = changed;
  if (!first) return [...candles];
  return [...candles.filter(({ at }) => at < first.at), ...changed].slice(-KEPT);
}

/** Sums candles of one minute up; minutes without a trade leave no candle. */
export function aggregate(candles: readonly Candle[], minutes: Interval): Candle[] {
  if (minutes === 1) return [...candles];
  const width = minutes * MINUTE_MILLIS;
  const found: Candle[] = [];
  for (const candle of candles) {
    const at = Math.floor(candle.at / width) * width;
    const last = found.at(-1);
    if (last?.at === at) {
      Object.assign(last, { high: Math.max(last.high, candle.high), low: Math.min(last.low, candle.low), close: candle.close, volume: last.volume + candle.volume });
    } else found.push({ ...candle, at });
  }
  return found;
}

/** Lowest and highest price with a little room, and round prices between them. */
export type Scale = { low: number; high: number; marks: number[] };

/** `null` without candles. */
export function scaleOf(candles: readonly Candle[], last: number | null): Scale | null {
  if (candles.length === 0) return null;
  const prices = last === null ? [] : [last];
  const low = Math.min(...candles.map((candle) => candle.low), ...prices);
  const high = Math.max(...candles.map((candle) => candle.high), ...prices);
  const room = Math.max(1, (high - low) * 0.06);
  const [from, to] = [low - room, high + room];
  const step = niceStep((to - from) / 5);
  const marks: number[] = [];
  for (let mark = Math.ceil(from / step) * step; mark <= to; mark += step) marks.push(mark);
  return { low: from, high: to, marks };
}

/** 1, 2 or 5 times a power of ten, not below `least` nor below one tick. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

export const PLOT = { width: 1000, height: 1000, volume: 100 };

export type Shapes = { rising: string; falling: string; line: string; volume: string };

/** SVG paths for the candles, which share the width evenly in `slots` places, the newest at the right. */
export function shapes(candles: readonly Candle[], scale: Scale, slots: number): Shapes {
  const slot = PLOT.width / slots;
  const body = slot * 0.64;
  const y = (price: number): number => round(PLOT.height * (1 - (price - scale.low) / (scale.high - scale.low)));
  const most = Math.max(1, ...candles.map(({ volume }) => volume));
  const shapes: Shapes = { rising: '', falling: '', line: '', volume: '' };
  candles.forEach((candle, index) => {
    const middle = round((slots - candles.length + index + 0.5) * slot);
    const left = round(middle - body / 2);
    const [top, bottom] = [y(Math.max(candle.open, candle.close)), y(Math.min(candle.open, candle.close))];
    const drawn = `M${middle} ${y(candle.high)}V${top}M${middle} ${bottom}V${y(candle.low)}M${left} ${top}h${round(body)}V${bottom}h${round(-body)}z`;
    if (candle.close >= candle.open) shapes.rising += drawn;
    else shapes.falling += drawn;
    shapes.line += `${index === 0 ? 'M' : 'L'}${middle} ${y(candle.close)}`;
    shapes.volume += `M${left} ${PLOT.volume}V${round(PLOT.volume * (1 - candle.volume / most))}h${round(body)}V${PLOT.volume}z`;
  });
  return shapes;
}

const round = (value: number): number => Math.round(value * 10) / 10;
