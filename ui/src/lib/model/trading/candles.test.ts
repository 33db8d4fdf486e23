import { describe, expect, it } from 'vitest';
import type { Candle } from '../../wire/types';
import { aggregate, merge, scaleOf, shapes } from './candles';

const candle = (minute: number, open: number, high: number, low: number, close: number, volume = 1): Candle => ({ at: minute * 60_000, open, high, low, close, volume });

describe('candles', () => {
  const minutes = [candle(3, 10, 14, 9, 12, 2), candle(4, 12, 13, 8, 9, 3), candle(5, 9, 20, 9, 18, 4)];

  it('of one minute become longer ones on fixed times', () => {
    expect(aggregate(minutes, 5)).toEqual([{ ...candle(0, 10, 14, 8, 9, 5) }, { ...candle(5, 9, 20, 9, 18, 4) }]);
    expect(minutes[0]).toEqual(candle(3, 10, 14, 9, 12, 2));
  });

  it('take in what has changed', () => {
    const changed = merge(minutes, [candle(5, 9, 22, 9, 21, 6), candle(6, 21, 21, 20, 20)]);
    expect(changed.map(({ close }) => close)).toEqual([12, 9, 21, 20]);
    expect(merge(minutes, []), 'nothing new').toEqual(minutes);
  });

  it('have a scale with round prices inside it', () => {
    const scale = scaleOf(minutes, 25)!;
    expect(scale.low).toBeLessThan(8);
    expect(scale.high).toBeGreaterThan(25);
    expect(scale.marks).toEqual([10, 15, 20, 25]);
    expect(scaleOf([], 25)).toBeNull();
  });

  it('are drawn with the newest at the right', () => {
    const { rising, falling } = shapes(minutes, { low: 0, high: 20, marks: [] }, 4);
    expect(rising.match(/M/g)).toHaveLength(6);
    expect(falling.match(/M/g)).toHaveLength(3);
    expect(rising.startsWith('M375 300')).toBe(true);
  });
});
