import { describe, expect, it } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { Toasts } from '../../lib/state/toasts.svelte';
import type { LogLine } from '../../lib/wire/types';
import { LINE_LIMIT, LogsState } from './logs.svelte';

async function open(scenario: 'running' | 'many' | 'empty' = 'running', change: Partial<InstanceHost> = {}) {
  const host: InstanceHost = { ...fakeHost(scenario).instance('default'), ...change };
  const toasts = new Toasts();
  const logs = new LogsState(host, toasts);
  await logs.read();
  return { logs, host, toasts };
}

const texts = (lines: LogLine[]): string[] => lines.map(({ text }) => text.split(' ')[0]!);

describe('LogsState', () => {
  it('shows the chosen level and what is worse, by words or by an expression', async () => {
    const { logs } = await open();
    expect(logs.shown.length, 'debug lines are not asked for').toBe(6);
    logs.level = 'warn';
    expect(texts(logs.shown)).toEqual(['the', 'metrics']);
    expect([logs.warnings, logs.errors]).toEqual([1, 1]);
    logs.level = 'debug';
    logs.filter = 'claude 3001';
    expect(texts(logs.shown), 'every word counts').toEqual(['Claude']);
    logs.filter = '/order \\d+ buy/';
    expect(texts(logs.shown)).toEqual(['Filled:']);
    logs.filter = '/(/';
    expect([logs.shown.length, logs.wrong], 'what is no expression is said').toEqual([0, true]);
    logs.clearFilter();
    logs.source = 'net';
    expect(texts(logs.shown)).toEqual(['connection']);
  });

  it('adds what came since, and counts it while somebody reads further up', async () => {
    const { logs, host } = await open();
    logs.pause();
    await host.stop();
    await host.start();
    await logs.read();
    expect([logs.fresh, logs.lines?.at(-1)?.text]).toEqual([2, 'All four services started']);
    await logs.read();
    expect(logs.fresh, 'nothing comes twice').toBe(2);
    logs.follow();
    expect(logs.fresh).toBe(0);
  });

  it('keeps ten thousand lines and no more', async () => {
    const { logs, host } = await open('many');
    expect(logs.lines?.length).toBe(LINE_LIMIT);
    await host.stop();
    await logs.read();
    expect([logs.lines?.length, logs.lines?.at(-1)?.text]).toEqual([LINE_LIMIT, 'All four services stopped']);
  });

  it('begins anew with a program that has started again', async () => {
    let next = 50;
    const line = (sequence: number): LogLine => ({ sequence, at: 0, level: 'info', source: 'activity', text: `line ${sequence}` });
    const { logs } = await open('running', { logs: async (after) => ({ lines: after < next ? [line(next - 1)] : [line(0)], next, file: '', level: 'info', problem: null }) });
    next = 1;
    await logs.read();
    expect(texts(logs.lines!)).toEqual(['line']);
  });

  it('copies lines as the file has them, and says where the diagnostics are', async () => {
    const { logs, toasts } = await open();
    logs.filter = 'metrics';
    expect(logs.text()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z ERROR server: metrics cannot be encoded$/);
    await logs.saveDiagnostics();
    expect(toasts.items[0]?.text).toContain('.tar.gz');
  });

  it('keeps a failure with the way on', async () => {
    const refused = { code: 'internal' as const, message: 'The log is gone.', field: null, help: null };
    const { logs } = await open('running', { logs: async () => Promise.reject(refused) });
    expect([logs.problem, logs.lines]).toEqual([refused, null]);
  });
});
