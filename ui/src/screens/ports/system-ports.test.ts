import { describe, expect, it } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import { SystemPortsState } from './system-ports.svelte';

async function read(scenario: 'running' | 'many' | 'error'): Promise<SystemPortsState> {
  const table = new SystemPortsState(fakeHost(scenario).instance('default'));
  await table.read();
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
