/** From the levels of a book to the rows of a ladder. */

export type Level = readonly [price: number, quantity: number];

export type Row = {
  /** In ticks. */
  price: number;
  /** In lots, at this price. */
  quantity: number;
  /** In lots, from the best price to this one. */
  total: number;
};

/** Sums levels, best first, into steps of the price: bids are rounded down and asks up, so that no row promises too much. */
export function aggregate(levels: readonly Level[], step: number, side: 'bids' | 'asks', rows: number): Row[] {
  const found: Row[] = [];
  let total = 0;
  for (const [at, quantity] of levels) {
    const price = (side === 'bids' ? Math.floor(at / step) : Math.ceil(at / step)) * step;
    const last = found.at(-1);
    total += quantity;
    if (last?.price === price) {
      last.quantity += quantity;
      last.total = total;
    } else if (found.length === rows) break;
    else found.push({ price, quantity, total });
  }
  return found;
}

/** The steps that a person may choose, in ticks: one tick, ten, a hundred. */
export const STEPS = [1, 10, 100] as const;

/** The larger total of both sides: what a full bar stands for. */
export function deepest(...sides: readonly Row[][]): number {
  return Math.max(1, ...sides.map((rows) => rows.at(-1)?.total ?? 0));
}
