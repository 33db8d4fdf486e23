import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { Toasts } from '../../lib/state/toasts.svelte';
import type { TicketPreview } from '../../lib/wire/types';
import { TicketState } from './ticket.svelte';
import { TradingState } from './trading.svelte';

const ANSWER: TicketPreview = { problem: null, filled: 0, average_price: null, waits: 500, value: 3_209, fees: 0, margin_after: 3_209 };

/** A ticket that is filled in, on a desk that has told its first news. */
async function open(previewOrder: InstanceHost['previewOrder']) {
  const host = { ...fakeHost('running').instance('default'), previewOrder };
  const trading = new TradingState(host, new Toasts());
  host.watchDesk('BTCUSD', (message) => trading.apply(message));
  await vi.advanceTimersByTimeAsync(0);
  const ticket = new TicketState(host, trading, new Toasts());
  ticket.set({ quantity: '0.05', price: '64180' });
  return { trading, ticket };
}

describe('TicketState', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says what the order would do although the market never stands still', async () => {
    const asked = vi.fn(async () => ANSWER);
    const { ticket } = await open(asked);
    for (let move = 0; move < 400; move += 1) {
      ticket.refresh();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(ticket.preview, 'news that come faster than a person types must not put the answer off').toEqual(ANSWER);
    expect(asked.mock.calls.length, 'four seconds of news ask again').toBeGreaterThan(4);
    expect(asked.mock.calls.length, 'but no more than twice a second').toBeLessThanOrEqual(9);
  });

  it('keeps the old figures, and says that they are old, while the exchange does not answer', async () => {
    let answer: ((preview: TicketPreview) => void) | null = null;
    const asked = vi.fn(async () => ANSWER);
    const { ticket } = await open(asked);
    await vi.advanceTimersByTimeAsync(300);
    expect(ticket.preview).toEqual(ANSWER);
    asked.mockImplementation(() => new Promise((done) => (answer = done)));
    ticket.refresh();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(ticket.stale, 'an answer is two seconds late').toBe(true);
    expect(ticket.preview, 'what was known stays').toEqual(ANSWER);
    for (let move = 0; move < 100; move += 1) {
      ticket.refresh();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked, 'one question waits, not one for each move').toHaveBeenCalledTimes(2);
    answer!({ ...ANSWER, value: 3_210 });
    await vi.advanceTimersByTimeAsync(0);
    expect([ticket.stale, ticket.preview?.value]).toEqual([false, 3_210]);
  });

  it('takes no answer about an order that has been changed since', async () => {
    const answers: Array<(preview: TicketPreview) => void> = [];
    const { ticket } = await open(() => new Promise((done) => answers.push(done)));
    await vi.advanceTimersByTimeAsync(300);
    ticket.set({ quantity: '0.06' });
    answers[0]!(ANSWER);
    await vi.advanceTimersByTimeAsync(300);
    expect(ticket.preview, 'it was about 0.05').toBeNull();
    answers[1]!({ ...ANSWER, value: 3_850 });
    await vi.advanceTimersByTimeAsync(0);
    expect(ticket.preview?.value).toBe(3_850);
  });
});
