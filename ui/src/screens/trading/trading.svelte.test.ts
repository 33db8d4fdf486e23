import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { Toasts } from '../../lib/state/toasts.svelte';
import type { DeskMessage, DeskNews } from '../../lib/wire/types';
import { TradingState } from './trading.svelte';

const NOTHING: DeskNews = { instruments: null, trading: null, account: null, market: null, source: null, candles: null, open: null, ended: null, fills: null };

/** Until everything that follows from a change has been done. */
const settled = (): Promise<void> => new Promise((done) => void setTimeout(done));

/** A desk whose news and frames come when the test says so. */
function open() {
  const frames: Array<() => void> = [];
  vi.stubGlobal('requestAnimationFrame', (work: () => void) => frames.push(work));
  vi.stubGlobal('document', { hidden: false, addEventListener: () => {}, removeEventListener: () => {} });
  let tell: (message: DeskMessage) => void = () => {};
  const watchDesk: InstanceHost['watchDesk'] = (_, listener) => {
    tell = listener;
    return () => {};
  };
  const trading = new TradingState({ ...fakeHost('running').instance('default'), watchDesk }, new Toasts());
  trading.watch();
  const news = (change: Partial<DeskNews>): void => tell({ type: 'news', data: { ...NOTHING, ...change } });
  const price = (last: number): void => news({ market: { symbol: 'BTCUSD', last, mark: last, high: last, low: last, bids: [[last - 1, 1]], asks: [[last + 1, 1]] }, candles: [{ at: last, open: 1, high: 1, low: 1, close: 1, volume: 1 }] });
  return { trading, frames, news, price };
}

describe('TradingState', () => {
  beforeEach(() => void vi.unstubAllGlobals());
  afterEach(() => void vi.unstubAllGlobals());

  it('draws once a frame, however many news come in it', async () => {
    const { trading, frames, price } = open();
    let drawn = 0;
    const end = $effect.root(() => {
      $effect(() => {
        void [trading.market, trading.candles];
        drawn += 1;
      });
    });
    await settled();
    for (let frame = 0; frame < 10; frame += 1) {
      drawn = 0;
      for (let event = 1; event <= 200; event += 1) price(frame * 200 + event);
      await settled();
      expect(drawn, 'nothing is drawn between frames').toBe(0);
      expect(frames, 'two hundred news ask for one frame').toHaveLength(1);
      frames.splice(0).forEach((work) => work());
      await settled();
      expect(drawn, 'a frame draws once').toBe(1);
    }
    expect(trading.market?.last, 'the last word counts').toBe(2_000);
    expect(trading.candles, 'no candle is lost between frames').toHaveLength(2_000);
    end();
  });

  it('leaves what the news do not name as it is', () => {
    const { trading, frames, news, price } = open();
    price(7);
    news({ trading: { state: 'halted', problem: null } });
    frames.splice(0).forEach((work) => work());
    expect(trading.market?.last, 'news of the state do not take the price away').toBe(7);
    expect(trading.halted).toBe(true);
  });
});
