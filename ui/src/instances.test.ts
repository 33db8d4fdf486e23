import { describe, expect, it, vi } from 'vitest';
import { Instances } from './instances.svelte';
import { fakeHost, type Scenario } from './lib/platform/fake';
import { firstSnapshot } from './lib/platform/fake-data';
import type { Host } from './lib/platform/host';
import { Route } from './lib/state/route.svelte';
import { Toasts } from './lib/state/toasts.svelte';

async function open(scenario: Scenario, change: Partial<Host> = {}) {
  const instances = new Instances({ ...fakeHost(scenario), ...change }, new Toasts(), new Route(false));
  instances.connect();
  await vi.waitFor(() => expect(instances.all.length + (instances.problem ? 1 : 0)).toBeGreaterThan(0));
  return instances;
}

const ids = (instances: Instances): string[] => instances.all.map(({ id }) => id);

describe('Instances', () => {
  it('lists the default instance first and shows the one that was opened', async () => {
    const instances = await open('several');
    expect(ids(instances)).toEqual(['default', 'desk', 'headless', 'lab', 'nightly']);
    await vi.waitFor(() => expect(instances.current?.id).toBe('default'));
  });

  it('tells an instance only what is about it', async () => {
    const instances = await open('several');
    const [first, desk] = instances.all;
    await desk!.host.stop();
    expect(desk!.live.snapshot?.state).toBe('stopped');
    expect(first!.live.snapshot?.state, 'another instance runs on').toBe('running');
  });

  it('keeps what was typed for one instance while another is shown', async () => {
    const instances = await open('several');
    instances.choose('desk');
    instances.current!.ports.edit('health', '8280');
    instances.choose('lab');
    expect(instances.current!.ports.dirty, 'a form belongs to one instance').toBe(false);
    instances.choose('desk');
    expect(instances.current!.ports.changes).toEqual([{ service: 'health', port: 8280 }]);
  });

  it('learns of new instances and forgets removed ones', async () => {
    const instances = await open('several');
    instances.apply({ instance: 'agents', event: { type: 'snapshot', data: { ...firstSnapshot('stopped'), instance: 'agents' } } });
    expect(ids(instances)).toEqual(['default', 'agents', 'desk', 'headless', 'lab', 'nightly']);
    instances.choose('agents');
    instances.apply({ instance: 'agents', event: { type: 'removed' } });
    expect(ids(instances)).not.toContain('agents');
    expect(instances.current?.id, 'something is always shown').toBe('default');
  });

  it('says so when nothing can be read', async () => {
    const instances = await open('error');
    expect(instances.current).toBeNull();
    expect(instances.problem?.message).toContain('cannot be read');
  });
});
