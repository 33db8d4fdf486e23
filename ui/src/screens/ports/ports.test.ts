import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeHost, type Scenario } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { LiveSnapshot } from '../../lib/state/live.svelte';
import { Toasts } from '../../lib/state/toasts.svelte';
import type { Service } from '../../lib/wire/types';
import { CHECK_DELAY, PortsState, type Row } from './ports.svelte';
import type { PortRow } from './system-ports.svelte';

async function open(scenario: Scenario = 'running', change: (host: InstanceHost) => Partial<InstanceHost> = () => ({})) {
  const computer = fakeHost(scenario);
  const fake = computer.instance('default');
  const host: InstanceHost = { ...fake, ...change(fake) };
  const live = new LiveSnapshot(host);
  computer.subscribe(({ event }) => live.apply(event));
  await live.refresh();
  const toasts = new Toasts();
  return { host, live, toasts, ports: new PortsState(host, live, toasts) };
}

function row(ports: PortsState, service: Service): Row {
  const found = ports.rows.find((one) => one.service.service === service);
  if (!found) throw new Error(`no row for ${service}`);
  return found;
}

describe('PortsState', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tests a port 300 ms after the last key, once', async () => {
    const checkPort = vi.fn<InstanceHost['checkPort']>(async (_, port) => ({ port, state: 'free', message: 'Free on 127.0.0.1.', held: false, suggestion: null }));
    const { ports } = await open('running', () => ({ checkPort }));
    for (const text of ['5', '50', '501', '5010']) {
      ports.edit('mcp-websocket', text);
      await vi.advanceTimersByTimeAsync(CHECK_DELAY - 1);
    }
    expect(checkPort, 'a test per key would flood the system').not.toHaveBeenCalled();
    expect(row(ports, 'mcp-websocket').hint.text).toBe('Testing 127.0.0.1');
    await vi.advanceTimersByTimeAsync(1);
    expect(checkPort.mock.calls).toEqual([['mcp-websocket', 5010]]);
    expect(row(ports, 'mcp-websocket').hint.text).toBe('Free on 127.0.0.1. 2 clients have to reconnect.');
  });

  it('tests at once when the field is left', async () => {
    const { ports } = await open();
    ports.edit('health', '8180');
    ports.settle('health');
    await vi.advanceTimersByTimeAsync(0);
    expect(row(ports, 'health').hint).toMatchObject({ tone: 'run' });
  });

  it('shows the verdict on what stands in the field, not on what stood there', async () => {
    const slow: Array<() => void> = [];
    const { ports } = await open('running', () => ({
      checkPort: (_, port) =>
        new Promise((answer) => slow.push(() => answer({ port, state: port === 5010 ? 'refused' : 'free', message: `${port} tested`, held: false, suggestion: null }))),
    }));
    ports.choose('mcp-websocket', 5010);
    ports.choose('mcp-websocket', 10_000);
    slow[1]?.();
    slow[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(row(ports, 'mcp-websocket').hint.text, 'a late answer about 5010 must not speak for 10000').toContain('10000 tested');
  });

  it('keeps a changed field and follows the others when the picture changes', async () => {
    const { ports, live, host } = await open();
    ports.edit('mcp-websocket', '5010');
    live.accept(await host.changeSettings({ expected_revision: 7, changes: [{ key: 'mcp.mcp_http_port', value: '5011' }], save: 'env-file' }));
    expect(row(ports, 'mcp-websocket').text, 'typing must not be lost to an event').toBe('5010');
    expect(row(ports, 'mcp-http').text).toBe('5011');
  });

  it('says when the field was changed elsewhere meanwhile', async () => {
    const { ports, live, host } = await open();
    ports.choose('mcp-websocket', 5010);
    live.accept(await host.changeSettings({ expected_revision: 7, changes: [{ key: 'mcp.mcp_port', value: '10000' }], save: 'env-file' }));
    await vi.advanceTimersByTimeAsync(CHECK_DELAY);
    expect(row(ports, 'mcp-websocket').hint.text).toContain('Meanwhile changed elsewhere to 10000.');
  });

  it('locks a port of the environment and names the way out', async () => {
    const { ports } = await open();
    ports.edit('prometheus', '9190');
    const locked = row(ports, 'prometheus');
    expect(locked.locked).toBe(true);
    expect(locked.text, 'no file can change what the environment sets').toBe('9090');
    expect(locked.hint.text).toBe('Set by PROMETHEUS_PORT in the environment. Unset it and start again to use 9190.');
  });

  it('applies only what changed, with the revision the person looked at', async () => {
    const changeSettings = vi.fn<InstanceHost['changeSettings']>();
    const { ports, toasts } = await open('running', (fake) => ({ changeSettings: changeSettings.mockImplementation(fake.changeSettings) }));
    ports.choose('mcp-websocket', 5010);
    expect(ports.consequences).toEqual([{ from: 3000, to: 5010 }]);
    await ports.apply();
    expect(changeSettings).toHaveBeenCalledExactlyOnceWith({ expected_revision: 7, changes: [{ key: 'mcp.mcp_port', value: '5010' }], save: 'env-file' });
    expect(ports.dirty, 'what was applied is no change any more').toBe(false);
    expect(toasts.items[0]?.text).toBe('MCP WebSocket moved to 5010.');
  });

  it('does not apply a port that is used twice', async () => {
    const changeSettings = vi.fn<InstanceHost['changeSettings']>();
    const { ports } = await open('running', () => ({ changeSettings }));
    ports.choose('mcp-websocket', 3001);
    expect(row(ports, 'mcp-websocket').hint).toMatchObject({ tone: 'error', text: '3001 is MCP HTTP API here. Use 3000.' });
    expect(ports.canApply).toBe(false);
    await ports.apply();
    expect(changeSettings).not.toHaveBeenCalled();
  });

  it('applies a port that comes with a warning', async () => {
    const { ports, live } = await open();
    ports.choose('health', 10_080);
    await vi.advanceTimersByTimeAsync(0);
    const warned = row(ports, 'health');
    expect(warned.hint.tone).toBe('warn');
    expect(warned.nextFree, 'the next free port is offered beside the warning').toBe(10_005);
    await ports.apply();
    expect(live.snapshot?.services[3]?.port.value, 'a warning is no prohibition').toBe(10_080);
  });

  it('shows what the host refuses at the field, until the field changes', async () => {
    const problem = { code: 'port_taken', message: 'Port 5010 is held by node.', field: 'mcp-websocket', help: 'Use 10000.' } as const;
    const { ports, toasts } = await open('running', () => ({ changeSettings: () => Promise.reject(problem) }));
    ports.choose('mcp-websocket', 5010);
    await vi.advanceTimersByTimeAsync(0);
    await ports.apply();
    expect(row(ports, 'mcp-websocket').hint).toMatchObject({ tone: 'error', text: 'Port 5010 is held by node. Use 10000.' });
    expect(row(ports, 'mcp-websocket').text, 'a refused change stays in the form').toBe('5010');
    expect(toasts.items).toHaveLength(0);
    ports.edit('mcp-websocket', '10000');
    expect(row(ports, 'mcp-websocket').hint.tone).not.toBe('error');
  });

  it('says everything else as a message and keeps the form', async () => {
    const problem = { code: 'save_failed', message: 'ports.env was not saved: the disk is full.', field: null, help: null } as const;
    const { ports, toasts } = await open('running', () => ({ changeSettings: () => Promise.reject(problem) }));
    ports.choose('mcp-websocket', 5010);
    await ports.apply();
    expect(toasts.items[0]).toMatchObject({ tone: 'error', text: problem.message });
    expect(ports.dirty).toBe(true);
  });

  it('warns before a value is written that a stronger layer hides', async () => {
    const { ports, live, host } = await open();
    live.accept(await host.changeSettings({ expected_revision: 7, changes: [{ key: 'mcp.mcp_port', value: '5010' }], save: 'env-file' }));
    ports.choose('mcp-websocket', 10_000);
    expect(ports.shadowing).toEqual([]);
    ports.save = 'toml';
    expect(ports.shadowing).toEqual([
      { text: 'ports.env sets MCP_SERVER_PORT to 5010 and is stronger. A value in production.toml would be shadowed.', remedy: 'env-file' },
    ]);
  });

  it('looks through a port of this run at what it hides', async () => {
    const { ports } = await open();
    ports.save = 'this-run';
    ports.edit('mcp-websocket', '5010');
    await ports.apply();
    ports.edit('mcp-websocket', '10000');
    ports.save = 'toml';
    expect(ports.shadowing, 'a saved port ends the one of this run, and nothing else is stronger').toEqual([]);
  });

  it('asks before it discards, and only when there is something to lose', async () => {
    const { ports } = await open();
    ports.askDiscard();
    expect(ports.asking).toBe(false);
    ports.edit('mcp-websocket', '5010');
    ports.askDiscard();
    expect(ports.asking).toBe(true);
    ports.discard();
    expect(row(ports, 'mcp-websocket').text).toBe('3000');
  });

  it('shows the ways out of a held port until somebody types on', async () => {
    const { ports } = await open('conflict');
    await ports.checkAll();
    expect(row(ports, 'mcp-websocket').held).toBe(3000);
    expect(row(ports, 'health').held, 'a free port needs no way out').toBeNull();
    await ports.toggleLook('mcp-websocket');
    expect(ports.look?.conflict.holder?.process).toBe('node');
    expect(ports.look?.service.port.value, 'the card is about the port in the field').toBe(3000);
    ports.edit('mcp-websocket', '5010');
    expect(ports.look, 'the card must not speak of another port than the field').toBeNull();
  });

  it('applies what was typed once the port was freed', async () => {
    const { ports, host, live } = await open('running', (fake) => {
      let held = true;
      return {
        checkPort: async (service, port) => (held && port === 5010 ? { port, state: 'refused', message: '5010 is held by node.', held: true, suggestion: null } : fake.checkPort(service, port)),
        freePort: async () => ((held = false), 'ended'),
      };
    });
    ports.choose('mcp-websocket', 5010);
    await vi.advanceTimersByTimeAsync(0);
    expect(ports.canApply).toBe(false);
    await host.freePort('mcp-websocket', 5010, { kind: 'process', pid: 1, force: false });
    await ports.retry();
    expect(live.snapshot?.services[0]?.port.value, 'the person wanted to move, and now it is possible').toBe(5010);
  });

  it('tests a port again when the table says that it was taken or let go', async () => {
    const checkPort = vi.fn<InstanceHost['checkPort']>(async (_, port) => ({ port, state: 'free', message: 'Free.', held: false, suggestion: null }));
    const { ports } = await open('running', () => ({ checkPort }));
    await ports.checkAll();
    const listener = (port: number): PortRow => ({ key: '', port, protocol: 'tcp', addresses: [], process: null, pid: null, user: null, unit: null, description: null, ours: false });
    ports.follow([listener(22)]);
    checkPort.mockClear();
    ports.follow([listener(22), listener(5011)]);
    expect(checkPort.mock.calls, 'and no other port').toEqual([['mcp-http', 5011]]);
  });

  it('keeps an alternative visible with the reason why it is taken or has a catch', async () => {
    const { ports } = await open('conflict');
    ports.choose('mcp-websocket', 5010);
    await ports.checkAll();
    const choices = [...row(ports, 'mcp-websocket').choices, ...row(ports, 'health').choices];
    expect(choices.find((choice) => choice.port === 10_080)).toMatchObject({ disabled: false, reason: expect.stringContaining('10080 is refused by browsers') });
    expect(choices.find((choice) => choice.port === 3000)).toMatchObject({ disabled: false, reason: null });
    expect(row(ports, 'prometheus').choices.filter((choice) => choice.disabled).map((choice) => choice.port), 'the environment decides').toEqual([9190, 10_090]);
  });
});
