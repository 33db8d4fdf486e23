import { flushSync } from 'svelte';
import { describe, expect, it } from 'vitest';
import { fakeHost, type Scenario } from '../../lib/platform/fake';
import { LiveSnapshot } from '../../lib/state/live.svelte';
import { Toasts } from '../../lib/state/toasts.svelte';
import type { FixAction, ServiceTest } from '../../lib/wire/types';
import { TestState, type Hands } from './test.svelte';
import { notRun } from './words';

async function opened(scenario: Scenario): Promise<{ tests: TestState; live: LiveSnapshot; hands: Hands; done: string[] }> {
  const host = fakeHost(scenario).instance('default');
  const live = new LiveSnapshot(host);
  await live.refresh();
  const done: string[] = [];
  const hands: Hands = {
    start: async () => host.start().then(() => live.refresh()),
    stop: async () => host.stop().then(() => live.refresh()),
    makeCertificate: async () => done.push('make') > 0,
    serveOthers: async () => done.push('serve') > 0,
    listen: async (service, address) => done.push(`${service} on ${address}`) > 0,
    copyConfiguration: async (service) => `${service} of curl, for Terminal`,
    open: (screen) => done.push(screen),
  };
  return { tests: new TestState(host, live, new Toasts(), () => 1000), live, hands, done };
}

describe('the connection test', () => {
  it('passes all services that are well', async () => {
    const { tests } = await opened('running');
    await tests.test();
    flushSync();
    expect(tests.passed.length, 'all four hold').toBe(4);
    expect(tests.history, 'the run is kept').toEqual([{ at: 1000, passed: 4, failed: 0, failures: [], where: 'Where bound', as: 'trade', count: 1 }]);
    expect(tests.report(), 'the report names what was tried').toContain('ws://127.0.0.1:3000/mcp passed');
  });

  it('mends what is stopped, and shows that it holds', async () => {
    const { tests, hands } = await opened('stopped');
    await tests.test();
    const first = tests.failed[0]?.result;
    expect(first?.diagnosis?.action, 'the one thing to do').toBe('start_services');
    await tests.mend(first!, hands);
    expect(tests.passed.length, 'all are tested again after the fix').toBe(4);
  });

  it('moves a service whose port another program holds', async () => {
    const { tests, live, hands } = await opened('conflict');
    await tests.test('mcp-websocket');
    const result = tests.failed.find(({ service }) => service === 'mcp-websocket')?.result;
    expect(result?.diagnosis?.code).toBe('handshake.foreign_program');
    await tests.mend(result!, hands);
    expect(live.snapshot?.services[0]?.port.value, 'a free port').not.toBe(3000);
    expect(tests.failed[0]?.result?.diagnosis?.code, 'and the next thing to do').toBe('tcp.refused_stopped');
  });

  it('leads to the rules of the firewall', async () => {
    const { tests, hands, done } = await opened('running');
    tests.place = 'other';
    tests.draft = '192.168.1.99';
    await tests.test('health');
    await tests.mend(tests.failed[0]!.result!, hands);
    expect(done).toEqual(['firewall']);
  });

  it('tests again after each fix that was done, and not after one that was refused', async () => {
    const { tests, hands, done } = await opened('running');
    const of = (action: FixAction): ServiceTest => ({ ...tests.passed[0]!.result!, diagnosis: { code: '', title: '', cause: '', evidence: '', fix: '', action } });
    await tests.test();
    for (const action of ['make_certificate', 'widen_address', 'listen_locally', 'review_access'] as const) {
      const before = tests.history.length;
      await tests.mend(of(action), hands);
      expect(tests.history.length, action).toBe(before + 1);
    }
    expect(done).toEqual(['make', 'mcp-websocket on 0.0.0.0', 'mcp-websocket on 127.0.0.1', 'serve']);
    const before = tests.history.length;
    await tests.mend(of('make_certificate'), { ...hands, makeCertificate: async () => false });
    expect(tests.history.length, 'nothing was changed').toBe(before);
  });

  it('takes no number that is none', async () => {
    const { tests } = await opened('running');
    for (const count of [0, -1, 1.5, 10_001, null]) {
      tests.count = count as number;
      expect(tests.incomplete, String(count)).toBe(true);
    }
  });

  it('gives each rung its own time, and takes none that is no time', async () => {
    const { tests } = await opened('running');
    tests.timeoutOf.tcp = 0.5;
    tests.timeoutOf.tls = null;
    expect(tests.timeouts, 'an emptied field has no time of its own').toEqual([{ rung: null, seconds: 5 }, { rung: 'tcp', seconds: 0.5 }]);
    for (const seconds of [0, -1, 601, NaN]) {
      tests.timeoutOf.tcp = seconds;
      expect(tests.incomplete, String(seconds)).toBe(true);
    }
    tests.timeoutOf.tcp = 600;
    expect(tests.incomplete).toBe(false);
    tests.timeout = null;
    expect(tests.incomplete, 'the time of all others is missing').toBe(true);
  });

  it('says how an authority is trusted, and leads nowhere else', async () => {
    const { tests, hands, done } = await opened('running');
    tests.place = 'other';
    tests.draft = '192.168.1.98';
    await tests.test('health');
    const result = tests.failed[0]!.result!;
    expect(result.trust.map(({ step }) => step).join('\n'), 'what a person runs').toContain('update-ca-certificates');
    await tests.mend(result, hands);
    expect(done).toEqual([]);
  });

  it('says what is wrong with a host that is none', async () => {
    const { tests } = await opened('running');
    tests.place = 'other';
    expect(tests.incomplete, 'nothing is typed yet').toBe(true);
    tests.draft = 'http://studio.lan';
    await tests.test();
    expect(tests.problem?.field, 'the field is named').toBe('host');
  });

  it('forgets a run that was cancelled', async () => {
    const { tests } = await opened('running');
    const run = tests.test();
    tests.cancel();
    await run;
    expect(tests.shown, 'nothing half-known is shown').toEqual([]);
    expect(tests.history, 'and nothing is kept').toEqual([]);
  });

  it('promises no rung that may not apply', () => {
    expect(notRun(['resolve', 'tcp'])).toEqual(['handshake', 'protocol']);
    expect(notRun([]), 'TLS and the token are known when they are met').toEqual(['resolve', 'tcp', 'handshake', 'protocol']);
  });
});
