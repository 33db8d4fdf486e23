import { describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { Host } from '../../lib/platform/host';
import type { ListenerRow, PortNews } from '../../lib/wire/types';
import { MergedListeners, SystemPortsState } from './system-ports.svelte';

async function read(scenario: 'running' | 'many' | 'error'): Promise<SystemPortsState> {
  const table = new SystemPortsState(fakeHost(scenario));
  table.watch();
  await Promise.resolve();
  return table;
}

describe('SystemPortsState', () => {
  it('shows one program on one port once, with all its addresses', async () => {
    const table = await read('running');
    const ssh = table.shown.filter((row) => row.port === 22);
    expect(ssh.map((row) => row.addresses)).toEqual([['0.0.0.0', '[::]']]);
  });

  it('stands in the order of the ports', async () => {
    const ports = (await read('running')).shown.map((row) => row.port);
    expect(ports).toEqual([...ports].sort((a, b) => a - b));
  });

  it.each([['kdeconn', 2], ['5353', 1], ['SYSTEMD-RESOLVE udp', 2], ['[::]', 3], ['no such thing', 0]])('finds %j', async (filter, found) => {
    const table = await read('running');
    table.filter = filter;
    expect(table.shown).toHaveLength(found);
  });

  it('sorts by any column, empty cells last either way', async () => {
    const table = await read('running');
    table.sortBy('process');
    expect(table.shown[0]?.process).toBe('cwts-ultra-panel');
    expect(table.shown.at(-1)?.process, 'what is hidden is no name').toBeNull();
    table.sortBy('process');
    expect(table.shown[0]?.process).toBe('windsurf');
    expect(table.shown.at(-1)?.process).toBeNull();
    table.sortBy('port');
    table.sortBy('port');
    expect(table.shown[0]?.port, 'a second time the other way round').toBe(64_088);
  });

  it('follows the system until it is told to stop', async () => {
    let tell: (news: PortNews) => void = () => {};
    const end = vi.fn();
    const host: Host = { ...fakeHost('running'), watchPorts: (listener) => ((tell = listener), end) };
    const table = new SystemPortsState(host);
    const stop = table.watch();
    expect(table.reading, 'a person sees that rows are on their way').toBe(true);
    tell({ type: 'rows', data: [] });
    expect(table).toMatchObject({ rows: [], reading: false });
    tell({ type: 'problem', data: { code: 'internal', message: 'The list is gone.', field: null, help: null } });
    expect(table.rows, 'old rows would be taken for the truth').toBeNull();
    stop();
    expect(end, 'a screen that is left must cost nothing').toHaveBeenCalledOnce();
  });

  it('keeps what did not change', () => {
    const listener = (address: string, pid: number): ListenerRow => ({ protocol: 'tcp', ours: false, v6only: false, description: null, holder: { pid, process: 'a', user: 'b', unit: null, address } });
    const merged = new MergedListeners([listener('0.0.0.0:80', 1), listener('[::]:80', 1), listener('0.0.0.0:22', 2)]);
    const untouched = merged.rows()[0];
    merged.change([listener('[::]:80', 1)], [listener('0.0.0.0:443', 3)]);
    expect(merged.rows().map((row) => [row.port, row.addresses])).toEqual([[22, ['0.0.0.0']], [80, ['0.0.0.0']], [443, ['0.0.0.0']]]);
    expect(merged.rows()[0], 'a row that is the same is drawn no second time').toBe(untouched);
    merged.change([listener('0.0.0.0:80', 1)], []);
    expect(merged.rows().map((row) => row.port)).toEqual([22, 443]);
  });

  it('tells an IPv6 socket that leaves IPv4 alone', async () => {
    const [row] = new MergedListeners([{ protocol: 'tcp', ours: false, v6only: true, description: null, holder: { pid: 1, process: 'a', user: 'b', unit: null, address: '[::]:80' } }]).rows();
    expect(row?.addresses).toEqual(['[::] IPv6 only']);
  });

  it('separates ours from foreign', async () => {
    const table = await read('running');
    table.whose = 'ours';
    expect(table.shown.map((row) => row.port)).toEqual([3000, 3001, 8080, 9090]);
    table.whose = 'foreign';
    expect(table.shown.some((row) => row.ours)).toBe(false);
    expect(table.shown.length + table.ours).toBe(table.total);
  });

  it('gives every one of ten thousand rows a key of its own', async () => {
    const table = await read('many');
    expect(table.total).toBeGreaterThan(10_000);
    expect(new Set(table.shown.map((row) => row.key)).size, 'a key twice breaks the table').toBe(table.total);
  });

  it('shows no rows when they could not be read', async () => {
    const table = await read('error');
    expect(table.rows, 'old rows would be taken for the truth').toBeNull();
    expect(table.problem?.message).toContain('permission denied');
  });
});
