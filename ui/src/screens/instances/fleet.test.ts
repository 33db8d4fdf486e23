import { describe, expect, it, vi } from 'vitest';
import { Instances } from '../../instances.svelte';
import { fakeHost } from '../../lib/platform/fake';
import type { Host } from '../../lib/platform/host';
import { Route } from '../../lib/state/route.svelte';
import { Toasts } from '../../lib/state/toasts.svelte';
import { FleetState } from './fleet.svelte';

async function open(change: Partial<Host> = {}) {
  const host: Host = { ...fakeHost('several'), ...change };
  const toasts = new Toasts();
  const instances = new Instances(host, toasts, new Route(false));
  instances.connect();
  await vi.waitFor(() => expect(instances.all.length).toBeGreaterThan(1));
  const fleet = new FleetState(host, instances, toasts);
  const one = (id: string) => instances.all.find((instance) => instance.id === id);
  return { fleet, instances, toasts, one };
}

async function begun(change: Partial<Host> = {}) {
  const all = await open(change);
  all.fleet.begin();
  const form = all.fleet.form!;
  await vi.waitFor(() => expect(form.sets).not.toBeNull());
  return { ...all, form };
}

describe('FleetState', () => {
  it('makes an instance on the first free set and starts it', async () => {
    const { fleet, form, one, toasts } = await begun();
    form.id = 'agents-2';
    expect(form.ready).toBe(true);
    const { ports } = form;
    await fleet.create();
    expect(one('agents-2')?.live.snapshot?.services.map((service) => service.port.value)).toEqual(ports);
    expect(one('agents-2')?.live.snapshot?.state, 'the button says that it starts').toBe('running');
    expect(fleet.form, 'the form has done its duty').toBeNull();
    expect(toasts.items[0]?.text).toContain('agents-2 has 5020');
  });

  it('asks for a name that is free and can be a file name', async () => {
    const { form } = await begun();
    for (const id of ['', 'desk', 'a b', '../x', 'x'.repeat(33)]) {
      form.id = id;
      expect(form.ready, `${id} must not be sent`).toBe(false);
    }
    form.id = 'desk';
    expect(form.idHint).toEqual({ tone: 'error', text: 'desk exists already.' });
  });

  it('tests each port that is chosen by hand', async () => {
    const { form } = await begun();
    form.id = 'agents';
    form.choice = 'own';
    ['5040', '5040', '9290', '5010'].forEach((text, index) => form.edit(index, text));
    await vi.waitFor(() => expect(form.ownHints[3]?.text).toContain('desk'));
    expect(form.ownHints[1]?.text).toBe('5040 is used twice here.');
    expect(form.ready).toBe(false);
    form.edit(1, '5041');
    expect(form.ready, 'a drawback is said and does not stop anybody').toBe(true);
  });

  it('says at the field what the host refuses', async () => {
    const problem = { code: 'port_taken', message: 'Port 5040 of MCP WebSocket is held by node.', field: 'mcp-websocket', help: null } as const;
    const { fleet, form, toasts } = await begun({ createInstance: () => Promise.reject(problem) });
    form.id = 'agents';
    form.choice = 'own';
    ['5040', '5041', '9290', '8280'].forEach((text, index) => form.edit(index, text));
    await fleet.create();
    expect(form.ownHints[0]).toEqual({ tone: 'error', text: problem.message });
    expect(toasts.items, 'once is enough').toEqual([]);
    expect(fleet.form, 'nothing typed is lost').toBe(form);
  });

  it('removes only what is stopped, and says why not', async () => {
    const { fleet, one, toasts } = await open();
    fleet.ask('remove', one('desk')!);
    await fleet.act();
    expect(one('desk'), 'it runs').toBeDefined();
    expect(toasts.items[0]?.text).toContain('Stop it first');
    fleet.ask('remove', one('lab')!);
    await fleet.act();
    expect(one('lab')).toBeUndefined();
  });

  it('attaches to another process and ends it', async () => {
    const { fleet, one } = await open();
    await fleet.attach(one('headless')!);
    expect(one('headless')?.live.snapshot).toMatchObject({ state: 'running', elsewhere: { attached: true } });
    fleet.ask('end', one('headless')!);
    await fleet.act();
    expect(one('headless')?.live.snapshot).toMatchObject({ state: 'stopped', elsewhere: null });
    expect(fleet.asked).toBeNull();
  });

  it('stops all that run here, and nothing else', async () => {
    const { fleet, one } = await open();
    await fleet.attach(one('headless')!);
    await fleet.stopAll();
    expect(one('default')?.live.snapshot?.state).toBe('stopped');
    expect(one('desk')?.live.snapshot?.state).toBe('stopped');
    expect(one('headless')?.live.snapshot?.state, 'the other process is asked by name only').toBe('running');
  });
});
