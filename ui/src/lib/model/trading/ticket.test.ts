import { describe, expect, it } from 'vitest';
import type { DeskAccount, DeskInstrument } from '../../wire/types';
import { EMPTY, judge, type Draft } from './ticket';

const instrument: DeskInstrument = { symbol: 'BTCUSD', description: '', price_decimals: 2, quantity_decimals: 4, max_quantity: 10_000_000, max_price: 1_000_000_000 };

function account(held = 0): DeskAccount {
  const position = { symbol: 'BTCUSD', quantity: held, entry_price: 64_000, mark: 6_400_000, value: 0, unrealized: 0, realized: 0 };
  return {
    cash: 100_000, equity: 100_000, unrealized: 0, realized: 0, today: 0, fees: 0, exposure: 0, margin_used: 0, margin_available: 100_000, maker_ppm: 200, taker_ppm: 500, open_orders: 0,
    limits: { leverage: 1, max_order_value: 1_000_000, max_position_value: 1_000_000, price_band_percent: 10, max_orders_per_second: 100, max_daily_loss: 20_000 },
    positions: held === 0 ? [] : [position],
  };
}

const check = (draft: Partial<Draft>, held = 0) => judge({ ...EMPTY, ...draft }, { instrument, last: 6_400_000, account: account(held) });

describe('an order by hand', () => {
  it('becomes ticks and lots', () => {
    const { order, faults } = check({ quantity: '0.05', price: '64,180.00' });
    expect(faults).toEqual({});
    expect(order).toMatchObject({ symbol: 'BTCUSD', side: 'buy', quantity: 500, limit: 6_418_000, stop: null, time_in_force: 'GTC' });
  });

  it('is told what is allowed', () => {
    expect(check({ quantity: '0.00005', price: '64000' }).faults.quantity).toBe('Finer than 0.0001, the lot of BTCUSD.');
    expect(check({ quantity: '0', price: '64000' }).faults.quantity).toBe('Use 0.0001 to 1,000.0000.');
    expect(check({ quantity: '1', price: '64000.001' }).faults.price).toBe('Finer than 0.01, the tick of BTCUSD.');
    expect(check({ quantity: '1', price: '80000' }).faults.price).toBe('Use 57,600.00 to 70,400.00, within 10 % of the last price.');
    expect(check({ quantity: '20', price: '64000' }).faults.quantity).toBe('Worth 1,280,000.00 USD. One order may be worth 1,000,000.00 USD.');
  });

  it('measures a stop limit from its stop', () => {
    expect(check({ kind: 'stop_limit', quantity: '1', price: '80000', stop: '79000' }).faults).toEqual({});
  });

  it('is not faulty while fields are empty', () => {
    expect(check({})).toEqual({ faults: {}, missing: ['quantity', 'price'], order: null });
  });

  it('reduces what is held and no more', () => {
    const draft = { side: 'sell', kind: 'market', lasts: 'IOC', reduceOnly: true } as const;
    expect(check({ ...draft, quantity: '0.05' }).faults.quantity).toBe('There is no long position in BTCUSD to reduce.');
    expect(check({ ...draft, quantity: '0.05' }, 400).faults.quantity).toBe('Reduce by at most 0.04.');
    expect(check({ ...draft, quantity: '0.04' }, 400).order?.reduce_only).toBe(true);
  });

  it('has exits on the right sides', () => {
    const exits = { quantity: '0.1', price: '64000', bracket: true };
    expect(check({ ...exits, takeProfit: '63000', stopLoss: '65000' }).faults).toEqual({ take_profit_price: 'Use a price above 64,000.00.', stop_loss_price: 'Use a price below 64,000.00.' });
    expect(check({ ...exits, stopLoss: '63000' }).order).toMatchObject({ take_profit: null, stop_loss: 6_300_000 });
    expect(check(exits).missing).toEqual(['take_profit_price', 'stop_loss_price']);
  });
});
