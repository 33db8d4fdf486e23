import { expect, it } from 'vitest';
import type { AccountLimits } from '../../wire/types';
import { draftOf, judgeLimits } from './limits';

const limits: AccountLimits = { leverage: 1, max_order_value: 5_000.1, max_position_value: 1_000_000, price_band_percent: 10, max_orders_per_second: 100_000, max_daily_loss: 20_000 };

it('limits survive the form', () => {
  expect(judgeLimits(draftOf(limits))).toEqual({ limits, faults: {} });
  expect(draftOf(limits).max_order_value).toBe('5000.1');
});

it('what is wrong is said with what is allowed', () => {
  const { limits: none, faults } = judgeLimits({ ...draftOf(limits), leverage: '101', price_band_percent: '2.5', max_daily_loss: '', max_order_value: '1.001' });
  expect(none).toBeNull();
  expect(faults).toEqual({ leverage: 'Use 1 to 100.', price_band_percent: 'Use a whole number.', max_daily_loss: 'Use 0.01 to 1,000,000,000.00.', max_order_value: 'Use at most two decimals.' });
});
