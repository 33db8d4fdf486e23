import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeHost, type Scenario } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { LiveSnapshot } from '../../lib/state/live.svelte';
import { Toasts } from '../../lib/state/toasts.svelte';
import { REVEALED_MILLIS, SecurityState } from './security.svelte';
import { networksOf } from './words';

async function open(scenario: Scenario = 'running', change: (host: InstanceHost) => Partial<InstanceHost> = () => ({})) {
  const fake = fakeHost(scenario).instance('default');
  const host: InstanceHost = { ...fake, ...change(fake) };
  const [live, toasts] = [new LiveSnapshot(host), new Toasts()];
  await live.refresh();
  const security = new SecurityState(host, live, toasts);
  await security.read();
  return { host, live, toasts, security };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a change of the address', () => {
  it('offers to make what is missing before others are let in, and does it in one step', async () => {
    const { security, live } = await open();
    security.widen('mcp', 'one');
    const row = security.rows[0]!;
    expect(row.address, 'the first network, never that of containers').toBe('192.168.1.20');
    expect(security.consequenceOf(row)).toMatchObject({ tone: 'warn', text: expect.stringContaining('403') });
    await security.apply();
    expect(security.asking, 'nobody is exposed without a question').toBe('protect');
    expect(live.snapshot?.security.mcp.state).toBe('local');
    await security.protect();
    expect(security.asking).toBeNull();
    expect(live.snapshot?.security).toMatchObject({ mcp: { state: 'read_only' }, monitoring: { state: 'local' }, tls: { value: 'on' } });
    expect(security.dirty).toBe(false);
  });

  it('means IPv4 and IPv6 by all interfaces', async () => {
    const { security } = await open();
    security.widen('mcp', 'all');
    expect(security.rows[0]).toMatchObject({ address: '::', breadth: 'all' });
    security.choose('mcp', '0.0.0.0');
    expect(security.rows[0]).toMatchObject({ breadth: 'all', changed: true });
  });

  it('saves the names that clients may use, with the addresses or alone', async () => {
    const { security, live } = await open();
    security.allow('bot.lan');
    expect(security.canApply).toBe(true);
    await security.apply();
    expect(live.snapshot?.security.allowed_hosts.value).toBe('bot.lan');
    expect(security.dirty, 'nothing is left to apply').toBe(false);
  });

  it('goes back to this computer without a question', async () => {
    const { security, live } = await open('exposed');
    await security.makeLocal();
    expect(security.asking).toBeNull();
    expect(live.snapshot?.security.mcp.state).toBe('local');
    expect(security.checks.find(({ title }) => title === 'Trusted network')?.word).toBe('Not needed');
  });

  it('asks again where the certificate does not name the address', async () => {
    const { security } = await open('exposed');
    security.choose('monitoring', '10.9.9.9');
    await security.apply();
    expect(security.asking).toBe('protect');
  });

  it('cannot be made where the environment decides', async () => {
    const locked = (host: InstanceHost) => ({
      snapshot: async () => {
        const snapshot = await host.snapshot();
        for (const { address } of snapshot.services.slice(0, 2)) address.origin = { layer: 'environment', file: null, line: null, variable: 'MCP_BIND_ADDR' };
        return snapshot;
      },
    });
    const { security } = await open('exposed', locked);
    security.widen('mcp', 'local');
    expect(security.rows[0]).toMatchObject({ locked: true, changed: false });
    expect(security.canApply).toBe(false);
  });

  it('can be given up while it is away', async () => {
    const { security, live } = await open('away');
    expect(security.away).toEqual([{ group: 'mcp', title: 'MCP WebSocket and HTTP API', address: '192.168.7.30', now: '127.0.0.1' }]);
    await security.stay('mcp');
    expect(live.snapshot?.security.mcp_away).toBeNull();
    expect(security.away).toEqual([]);
  });

  it('stays a draft when it is refused, with the reason where the person is', async () => {
    const { security, live } = await open('running', () => ({ setReach: () => Promise.reject({ code: 'address_unavailable', message: '192.168.1.20 is no address of this computer.', field: null, help: null }) }));
    security.widen('mcp', 'one');
    await security.apply();
    await security.protect();
    expect(security.asking, 'the question stays open').toBe('protect');
    expect(security.refusal?.code).toBe('address_unavailable');
    expect(security.rows[0]?.changed).toBe(true);
    expect(live.snapshot?.security.mcp.state).toBe('local');
  });
});

describe('who is reached', () => {
  it('names a VPN and containers as such', async () => {
    const { security } = await open('exposed');
    const text = security.consequenceOf(security.rows[0]!).text;
    expect(text).toContain('VPN wg0');
    expect(text).toContain('containers docker0');
    expect(text).toContain('wherever they are');
    expect(networksOf('192.168.1.20', security.view!).map(({ name }) => name)).toEqual(['Studio LAN']);
  });

  it('remembers the word of a person for one network', async () => {
    const { security } = await open('exposed');
    const check = () => security.checks.find(({ title }) => title.endsWith('enp5s0'))!;
    expect(check()).toMatchObject({ word: 'Unknown', done: false });
    await security.mend(check().fix!, () => {});
    expect(check()).toMatchObject({ word: 'Trusted', done: true });
    expect(security.checks.find(({ title }) => title.endsWith('wg0'))?.done, 'the other network is another one').toBe(false);
    await security.mend(check().fix!, () => {});
    expect(check().word).toBe('Unknown');
  });
});

describe('a token', () => {
  it('is shown for some seconds and then hidden', async () => {
    const { security } = await open();
    expect(security.revealed, 'hidden by default').toBeNull();
    await security.reveal();
    expect(security.revealed?.secret).toMatch(/^cwts_trade_[0-9a-f]{64}$/);
    vi.advanceTimersByTime(REVEALED_MILLIS);
    expect(security.revealed).toBeNull();
    await security.reveal();
    security.chooseScope('owner');
    expect(security.revealed, 'another scope is another secret').toBeNull();
  });

  it('is copied without being shown or said', async () => {
    const { security, toasts } = await open();
    const copied: string[] = [];
    await security.copyToken(async (text) => void copied.push(text));
    expect(copied[0]).toMatch(/^cwts_trade_/);
    expect(toasts.items.map(({ text }) => text)).toEqual(['Copied the trade token']);
    expect(security.revealed).toBeNull();
  });

  it('is replaced for its scope alone', async () => {
    const { security, host } = await open();
    const before = { trade: await host.revealToken('trade'), made: security.view!.tokens[2]!.made_at };
    security.ask('rotate');
    await security.rotate();
    expect(await host.revealToken('trade')).not.toBe(before.trade);
    expect(security.view!.tokens[2]!.made_at, 'the read token is as old as before').toBe(before.made);
  });
});

describe('a certificate', () => {
  it('that was imported is replaced only through the question that says so', async () => {
    const makeCertificate = vi.fn<InstanceHost['makeCertificate']>();
    const { security } = await open('running', (host) => ({ makeCertificate: makeCertificate.mockImplementation(host.makeCertificate) }));
    security.ask('import');
    const pem = (text: string) => ({ from: 'text', text }) as const;
    await security.importCertificate(pem('BEGIN CERTIFICATE'), pem('PRIVATE KEY of other'));
    expect(security.refusal?.help, 'with the way to see it').toContain('openssl');
    expect(security.asking, 'what was pasted stays to be mended').toBe('import');
    await security.importCertificate(pem('BEGIN CERTIFICATE'), pem('PRIVATE KEY'));
    expect(security.view?.certificate?.authority).toBeNull();
    expect(makeCertificate).not.toHaveBeenCalled();
    security.ask('make');
    await security.makeCertificate();
    expect(makeCertificate).toHaveBeenCalledWith([], true);
  });

  it('warns before it ends', async () => {
    const { security } = await open('exposed');
    expect(security.checks.find(({ title }) => title === 'TLS')).toMatchObject({ tone: 'warn', word: '12 days left', fix: { kind: 'renew' } });
    await security.mend({ kind: 'renew', label: '' }, () => {});
    expect(security.checks.find(({ title }) => title === 'TLS')).toMatchObject({ tone: 'run', word: 'On' });
  });
});

describe('arming', () => {
  it('lets orders in and takes them out again', async () => {
    const { security, live } = await open('exposed');
    security.ask('arm');
    await security.arm(true);
    expect(live.snapshot?.security.mcp.state).toBe('armed');
    expect(security.asking).toBeNull();
    await security.arm(false);
    expect(live.snapshot?.security.mcp.state).toBe('read_only');
  });
});

it('shows what cannot be read', async () => {
  const { security } = await open('error');
  expect(security.problem?.code).toBe('internal');
  expect(security.checks).toEqual([]);
});

describe('what the connection test asks for', () => {
  it('moves an address through the same question, and says whether it was done', async () => {
    const { security, live } = await open();
    const kept = security.reach('mcp', '192.168.1.20');
    await vi.waitFor(() => expect(security.asking).toBe('protect'));
    security.asking = null;
    expect([await kept, security.dirty], 'nothing is left half-chosen').toEqual([false, false]);
    const moved = security.reach('mcp', '192.168.1.20');
    await vi.waitFor(() => expect(security.asking).toBe('protect'));
    await security.protect();
    expect([await moved, live.snapshot?.security.mcp.state]).toEqual([true, 'read_only']);
    expect(await security.reach('mcp', '127.0.0.1'), 'narrowing needs no question').toBe(true);
  });

  it('makes a certificate after the question, and stays where it listens while an address is away', async () => {
    const { security } = await open();
    const made = security.certify();
    await vi.waitFor(() => expect(security.asking).toBe('make'));
    await security.makeCertificate();
    expect([await made, security.view?.certificate]).toEqual([true, expect.anything()]);
    const away = await open('away');
    const [one] = away.security.away;
    expect(await away.security.reach(one!.group, one!.now)).toBe(true);
    expect(away.security.away.some(({ group }) => group === one!.group)).toBe(false);
  });
});
