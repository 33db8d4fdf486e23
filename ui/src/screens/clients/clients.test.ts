import { describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { LiveSnapshot } from '../../lib/state/live.svelte';
import { Toasts } from '../../lib/state/toasts.svelte';
import { ClientsState } from './clients.svelte';
import { parts } from './words';

async function open(scenario: 'running' | 'exposed' = 'running', change: Partial<InstanceHost> = {}) {
  const all = fakeHost(scenario);
  const host: InstanceHost = { ...all.instance('default'), ...change };
  const live = new LiveSnapshot(host);
  all.subscribe(({ event }) => live.apply(event));
  await live.refresh();
  const toasts = new Toasts();
  const clients = new ClientsState(host, live, toasts);
  await clients.read();
  return { clients, host, live, toasts };
}

describe('ClientsState', () => {
  it('hides the token until it is asked for, and copies it whole', async () => {
    const { clients } = await open();
    await clients.choose('cursor');
    expect(clients.snippet?.text, 'somebody may look over the shoulder').toContain('••••');
    await clients.reveal();
    expect(clients.snippet?.text).not.toContain('••••');
    await clients.reveal();
    expect(clients.snippet?.text, 'and hidden again').toContain('••••');
    const write = vi.fn(async () => {});
    await clients.copy(write);
    expect(write.mock.calls[0]?.at(0), 'what is pasted has to work').toMatch(/Bearer cwts_trade_[0-9a-f]{8}/);
    expect(clients.snippet?.text, 'copying shows nothing').toContain('••••');
  });

  it('says which texts are old after a port moved, until they are copied again or forgotten', async () => {
    const { clients, host, live } = await open();
    await clients.choose('typescript');
    await clients.copy(async () => {});
    expect(clients.stale).toEqual([]);
    const change = (value: string) => host.changeSettings({ expected_revision: live.snapshot!.revision, changes: [{ key: 'mcp.mcp_port', value }], save: 'this-run' });
    await change('5010');
    expect(clients.isStale('typescript'), 'the program would knock at the old port').toBe(true);
    expect(clients.stale[0]?.reason).toBe('It has ws://127.0.0.1:3000/mcp; now it is ws://127.0.0.1:5010/mcp.');
    expect(clients.isStale('curl'), 'which was never copied').toBe(false);
    await clients.copy(async () => {});
    expect(clients.stale, 'a new copy is right').toEqual([]);
    await change('5020');
    await clients.forget(clients.stale[0]!);
    expect(clients.isStale('typescript'), 'nobody uses it any more').toBe(false);
  });

  it('offers other computers where they are served, and the transports of the program', async () => {
    const { clients } = await open('exposed');
    await clients.choose('python');
    expect([clients.snippet?.place, clients.snippet?.transport]).toEqual(['network', 'websocket']);
    expect(clients.snippet?.text).toContain('wss://192.168.1.20');
    await clients.runOn('here');
    await clients.connectBy('http');
    expect([clients.snippet?.place, clients.snippet?.transport]).toEqual(['here', 'http']);
    await clients.choose('claude-desktop');
    expect(clients.snippet?.places, 'it starts a program of this computer').toEqual(['here']);
  });

  it('tries what can run here and says why the rest cannot', async () => {
    const { clients, toasts } = await open();
    expect(clients.canTry, 'Claude Desktop starts mcp-stdio').toBe(true);
    await clients.tryIt();
    expect(clients.trial?.said).toContain('18 tools');
    await clients.choose('prometheus');
    expect(clients.canTry).toBe(false);
    await clients.choose('python');
    await clients.tryIt();
    expect([clients.trial, toasts.items[0]?.text]).toEqual([null, expect.stringContaining('has no MCP SDK')]);
  });

  it('takes a disconnected client off the list at once', async () => {
    const { clients, live, toasts } = await open();
    const [agent] = live.connected!.clients;
    await clients.disconnect(agent!);
    expect(live.connected?.clients.map(({ name }) => name)).toEqual(['Prometheus', 'Claude Code']);
    expect(toasts.items[0]?.text).toBe('my-agent is disconnected');
    await clients.disconnectAll();
    expect(live.connected?.clients).toEqual([]);
    expect(toasts.items.at(-1)?.text ?? '').toContain('2 clients are disconnected');
  });

  it('keeps a failure with the way on', async () => {
    const refused = { code: 'config_invalid' as const, message: 'ports.env line 4 is no setting.', field: null, help: null };
    const { clients } = await open('running', { clientSnippet: async () => Promise.reject(refused) });
    expect([clients.problem, clients.snippet]).toEqual([refused, null]);
  });
});

describe('parts', () => {
  it('marks what changes with the settings', () => {
    expect(parts('ws://a:1/?token=t', ['a:1'])).toEqual([
      { text: 'ws://', marked: false },
      { text: 'a:1', marked: true },
      { text: 'a:1', marked: true },
      { text: '/?token', marked: false },
      { text: '=t', marked: false },
    ].slice(0, 2).concat([{ text: '/?token=t', marked: false }]));
    expect(parts('plain', [])).toEqual([{ text: 'plain', marked: false }]);
  });
});
