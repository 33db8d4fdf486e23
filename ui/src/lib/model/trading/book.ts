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

export const DEPTH = { width: 200, height: 100 };

/** `from` and `to`: the prices at the edges, as far from the middle on either side. */
export type Depth = { bids: string; asks: string; from: number; middle: number; to: number };

/** SVG areas of what is bid and offered up to each price, best levels first. `null` where one side is empty. */
export function depthOf(bids: readonly Level[], asks: readonly Level[]): Depth | null {
  const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]];
  if (bid === undefined || ask === undefined) return null;
  const middle = (bid + ask) / 2;
  const reach = Math.max(middle - bids.at(-1)![0], asks.at(-1)![0] - middle);
  const most = Math.max(...[bids, asks].map((levels) => levels.reduce((sum, [, quantity]) => sum + quantity, 0)));
  const x = (price: number): number => round(DEPTH.width * (0.5 + (price - middle) / (2 * reach)));
  function area(levels: readonly Level[], edge: number): string {
    let total = 0;
    const steps = levels.map(([price, quantity]) => `H${x(price)}V${round(DEPTH.height * (1 - (total += quantity) / most))}`);
    return `M${x(levels[0]![0])} ${DEPTH.height}${steps.join('')}H${edge}V${DEPTH.height}z`;
  }
  return { bids: area(bids, 0), asks: area(asks, DEPTH.width), from: middle - reach, middle, to: middle + reach };
}

const round = (value: number): number => Math.round(value * 10) / 10;
