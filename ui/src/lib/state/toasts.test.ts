import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TOAST_LIMIT, Toasts } from './toasts.svelte';

const problem = { code: 'save_failed', message: 'ports.env was not saved: the disk is full.', field: null, help: 'Free some space.' } as const;

describe('Toasts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('takes a message away after six seconds', () => {
    const toasts = new Toasts();
    toasts.done('MCP WebSocket moved to 5010.');
    vi.advanceTimersByTime(5_999);
    expect(toasts.items).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(toasts.items).toHaveLength(0);
  });

  it('leaves an error until somebody closes it', () => {
    const toasts = new Toasts();
    toasts.failed(problem);
    vi.advanceTimersByTime(60_000);
    expect(toasts.items[0]?.text, 'the remedy belongs to the message').toBe('ports.env was not saved: the disk is full. Free some space.');
    toasts.close(toasts.items[0]!.id);
    expect(toasts.items).toHaveLength(0);
  });

  it('keeps a message while somebody reads it', () => {
    const toasts = new Toasts();
    toasts.done('Copied');
    toasts.hold(toasts.items[0]!.id);
    vi.advanceTimersByTime(60_000);
    expect(toasts.items).toHaveLength(1);
    toasts.release(toasts.items[0]!.id);
    vi.advanceTimersByTime(6_000);
    expect(toasts.items).toHaveLength(0);
  });

  it('gives up messages before errors when there are too many', () => {
    const toasts = new Toasts();
    toasts.failed(problem);
    for (let index = 0; index < TOAST_LIMIT; index += 1) toasts.done(`Copied ${index}`);
    expect(toasts.items).toHaveLength(TOAST_LIMIT);
    expect(toasts.items[0]?.tone, 'an error must not be pushed out by news').toBe('error');
  });
});
