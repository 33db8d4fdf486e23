import { describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { Toasts } from '../../lib/state/toasts.svelte';
import { SourceState } from './source.svelte';
import { TradingState } from './trading.svelte';

function open(change: Partial<InstanceHost> = {}) {
  const fake = fakeHost('running').instance('default');
  const askMarket = vi.fn(fake.askMarket);
  const host = { ...fake, askMarket, ...change };
  const trading = new TradingState(host, new Toasts());
  return { trading, askMarket, source: new SourceState(host, trading, new Toasts()) };
}

describe('SourceState', () => {
  it('says what a file is before it plays it', async () => {
    const { source, askMarket, trading } = open();
    source.name({ file: ' /data/ETHUSDT-trades.csv\n' });
    source.speed = 60;
    await source.submit();
    expect(source.found?.symbol, 'a pasted path ends where it ends').toBe('ETHUSD');
    expect(askMarket, 'nothing was changed by looking').not.toHaveBeenCalled();
    await source.submit();
    expect(askMarket).toHaveBeenCalledWith({ type: 'replay', data: { file: '/data/ETHUSDT-trades.csv', symbol: 'ETHUSD', speed: 60, loop: false } });
    expect(trading.source?.replay?.symbol).toBe('ETHUSD');
    expect(source.file, 'the form is ready for another').toBe('');
  });

  it('plays no file that was named after the look', async () => {
    const { source, askMarket } = open();
    source.name({ file: '/data/BTCUSDT-trades.csv' });
    await source.submit();
    source.name({ file: '/data/BTCUSDT-klines.csv' });
    await source.submit();
    expect(askMarket, 'the second press looks at the other file').not.toHaveBeenCalled();
    expect(source.found?.file).toBe('/data/BTCUSDT-klines.csv');
  });

  it('tells at the field why a file cannot be played, and takes a symbol for one that names none', async () => {
    const { source } = open();
    source.name({ file: 'dump.csv' });
    await source.submit();
    expect(source.refusal?.field).toBe('file');
    source.name({ file: '/data/dump.csv' });
    await source.submit();
    expect([source.refusal?.field, source.found]).toEqual(['symbol', null]);
    source.name({ symbol: 'BTCUSD' });
    await source.submit();
    expect([source.refusal, source.found?.symbol]).toEqual([null, 'BTCUSD']);
  });

  it('leaves the form as it is when no file is chosen', async () => {
    const { source } = open({ chooseMarketFile: async () => null });
    source.name({ file: '/data/BTCUSDT-trades.csv' });
    await source.choose();
    expect([source.file, source.found]).toEqual(['/data/BTCUSDT-trades.csv', null]);
  });
});
