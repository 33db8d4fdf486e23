import { describe, expect, it } from 'vitest';
import { columns, niceTop, paths, spanOf } from './charts';
import { firstSamples, NOW, sampleAt } from './platform/fake-data';

const span = { from: 0, to: 10_000 };

describe('charts', () => {
  it('leaves a gap where there is no figure', () => {
    const points = [1, 2, null, 3, 4].map((value, index) => ({ at: index * 2500, value }));
    const { line } = paths({ points }, span, 4);
    expect(line.match(/M/g), 'two runs are two strokes: a line across the gap would be invented').toHaveLength(2);
  });

  it('draws a lonely figure as a dot', () => {
    const points = [null, 2, null].map((value, index) => ({ at: index * 5000, value }));
    expect(paths({ points }, span, 4).line).toBe('M150 50h0.01');
  });

  it('closes the area of every run at the ground', () => {
    const points = [1, 2].map((value, index) => ({ at: index * 5000, value }));
    expect(paths({ points, filled: true }, span, 4).area).toBe('M0 75L150 50V100H0Z');
  });

  it.each([[0, 2, 2], [3, 2, 4], [4, 2, 6], [57, 2, 60], [0.13, 0.2, 0.2], [101, 2, 200]])('finds the top for %d', (highest, least, top) => {
    expect(niceTop(highest, least)).toBeCloseTo(top);
  });

  it('shows the shortest span that holds the history', () => {
    expect(spanOf([sampleAt(0), sampleAt(60)])).toEqual({ from: NOW + 60_000 - 120_000, to: NOW + 60_000 });
    const half = spanOf(firstSamples('running'));
    expect(half.to - half.from).toBe(1_800_000);
  });

  it('keeps the peak of a column for the slowest orders', () => {
    const samples = [1, 9, 2].map((value, index) => ({ ...sampleAt(index), at: 60_000 + index * 1000, latency_p99: value }));
    const points = columns(samples, { from: 60_000, to: 60_000 + 1_800_000 }, (sample) => sample.latency_p99, 'highest');
    expect(points[0]?.value, 'a mean would hide the order that was late').toBe(9);
    expect(points[1]?.value).toBeNull();
  });
});
