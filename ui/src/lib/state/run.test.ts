import { describe, expect, it, vi } from 'vitest';
import { fakeHost, type Scenario } from '../platform/fake';
import type { InstanceHost } from '../platform/host';
import { LiveSnapshot } from './live.svelte';
import { Route } from './route.svelte';
import { RunControl } from './run.svelte';
import { Toasts } from './toasts.svelte';

async function open(scenario: Scenario, change: Partial<InstanceHost> = {}) {
  const fake = fakeHost(scenario);
  const host: InstanceHost = { ...fake.instance('default'), ...change };
  const live = new LiveSnapshot(host);
  fake.subscribe(({ event }) => live.apply(event));
  await live.refresh();
  const toasts = new Toasts();
  const route = new Route(false);
  const go = vi.spyOn(route, 'go').mockImplementation(() => {});
  return { live, toasts, go, run: new RunControl(host, live, toasts, route) };
}

describe('RunControl', () => {
  it('starts and stops the services', async () => {
    const { live, run } = await open('stopped');
    await run.start();
    expect(live.snapshot?.state).toBe('running');
    await run.stop();
    expect(live.snapshot?.state).toBe('stopped');
  });

  it('leads to the card with the ways out when a port is taken', async () => {
    const { live, toasts, go, run } = await open('conflict');
    await run.start();
    expect(go).toHaveBeenCalledWith('overview');
    expect(live.blocked.map((service) => service.service)).toEqual(['mcp-websocket']);
    expect(toasts.items, 'the card says it').toEqual([]);
  });

  it('restores the last good copy of a damaged file', async () => {
    const { live, toasts, run } = await open('damaged');
    expect(live.snapshot?.damaged_file).toContain('production.toml');
    await run.restore();
    expect(live.snapshot).toMatchObject({ damaged_file: null, problem: null });
    expect(toasts.items[0]?.text).toBe('production.toml is its last good copy again.');
    await run.start();
    expect(live.snapshot?.state).toBe('running');
  });

  it('saves the other port to ports.env and starts there', async () => {
    const { live, run } = await open('conflict');
    await run.startOn('mcp-websocket', 5010);
    expect(live.snapshot?.state).toBe('running');
    expect(live.snapshot?.services[0]?.port).toMatchObject({ value: 5010, origin: { layer: 'env-file' } });
  });

  it('starts nothing when the port could not be saved', async () => {
    const start = vi.fn<InstanceHost['start']>();
    const problem = { code: 'save_failed', message: 'ports.env was not saved: the disk is full.', field: null, help: null } as const;
    const { toasts, run } = await open('conflict', { start, changeSettings: () => Promise.reject(problem) });
    await run.startOn('mcp-websocket', 5010);
    expect(start, 'it would run into the taken port again').not.toHaveBeenCalled();
    expect(toasts.items[0]?.text).toBe(problem.message);
    expect(run.pending, 'the buttons must work again').toBeNull();
  });

  it('asks once while something is under way', async () => {
    const start = vi.fn<InstanceHost['start']>(() => new Promise(() => {}));
    const { run } = await open('stopped', { start });
    void run.start();
    void run.start();
    await vi.waitFor(() => expect(start).toHaveBeenCalled());
    expect(start).toHaveBeenCalledOnce();
    expect(run.pending).toBe('start');
  });

  it('does what was asked meanwhile when its turn comes', async () => {
    let started = () => {};
    const start = vi.fn<InstanceHost['start']>(() => new Promise((done) => (started = () => done())));
    const stop = vi.fn<InstanceHost['stop']>(() => Promise.resolve());
    const { run } = await open('stopped', { start, stop });
    void run.start();
    const stopped = run.stop();
    expect(run.pending, 'the button shows that it was heard').toBe('stop');
    await vi.waitFor(() => expect(start).toHaveBeenCalledOnce());
    expect(stop, 'in order').not.toHaveBeenCalled();
    started();
    await stopped;
    expect(stop).toHaveBeenCalledOnce();
    expect(run.pending).toBeNull();
  });
});
