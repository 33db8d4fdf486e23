import { expect, it } from 'vitest';
import { aggregate, deepest, DEPTH, depthOf, type Level } from './book';

const asks: Level[] = [[1003, 5], [1004, 1], [1011, 2], [1029, 4]];
const bids: Level[] = [[1001, 5], [999, 1], [998, 2], [980, 4]];

it('a ladder sums from the best price outward', () => {
  expect(aggregate(asks, 1, 'asks', 3)).toEqual([{ price: 1003, quantity: 5, total: 5 }, { price: 1004, quantity: 1, total: 6 }, { price: 1011, quantity: 2, total: 8 }]);
});

it('no row promises a better price than its orders have', () => {
  expect(aggregate(asks, 10, 'asks', 9).map(({ price, quantity }) => [price, quantity])).toEqual([[1010, 6], [1020, 2], [1030, 4]]);
  expect(aggregate(bids, 10, 'bids', 9).map(({ price, quantity }) => [price, quantity])).toEqual([[1000, 5], [990, 3], [980, 4]]);
});

it('the last row holds all of its step', () => {
  expect(aggregate(asks, 10, 'asks', 1)).toEqual([{ price: 1010, quantity: 6, total: 6 }]);
});

it('an empty book has a bar to measure by', () => {
  expect(deepest([], [])).toBe(1);
});

it('a depth has its middle in the middle and sums outward to the edges', () => {
  const depth = depthOf([[99, 2], [90, 2]], [[101, 1], [102, 1]]);
  expect(depth && [depth.from, depth.middle, depth.to], 'both sides reach as far as the wider one').toEqual([90, 100, 110]);
  expect(depth?.bids, 'four lots bid fill the height').toBe(`M90 ${DEPTH.height}H90V50H0V0H0V${DEPTH.height}z`);
  expect(depth?.asks, 'two lots offered fill half of it, up to the edge').toBe(`M110 ${DEPTH.height}H110V75H120V50H${DEPTH.width}V${DEPTH.height}z`);
});

it('one side alone has no depth to compare', () => {
  expect(depthOf(bids, [])).toBeNull();
});
