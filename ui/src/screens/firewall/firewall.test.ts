import { describe, expect, it, vi } from 'vitest';
import { fakeHost, type Scenario } from '../../lib/platform/fake';
import type { InstanceHost } from '../../lib/platform/host';
import { Toasts } from '../../lib/state/toasts.svelte';
import type { Problem } from '../../lib/wire/types';
import { FirewallState } from './firewall.svelte';
import { headline } from './words';

async function open(scenario: Scenario = 'exposed', change: (host: InstanceHost) => Partial<InstanceHost> = () => ({})) {
  const fake = fakeHost(scenario).instance('default');
  const host: InstanceHost = { ...fake, ...change(fake) };
  const toasts = new Toasts();
  const firewall = new FirewallState(host, toasts, () => 0);
  await firewall.read();
  return { host, toasts, firewall };
}

describe('FirewallState', () => {
  it('suggests the active tool and the subnets of this computer', async () => {
    const { firewall } = await open();
    expect(firewall.view?.tool).toBe('ufw');
    expect(firewall.view?.sources).toEqual(['192.168.1.0/24', 'fd00:1::/64']);
    expect(firewall.canApply).toBe(true);
  });

  it('offers nothing to apply where only this computer is reached', async () => {
    const { firewall } = await open('running');
    expect(firewall.view?.needed).toBe(false);
    expect(firewall.view?.commands.length, 'the lines can be copied all the same').toBeGreaterThan(0);
    expect(firewall.canApply).toBe(false);
  });

  it('keeps the choice when a source is refused, and says why below the field', async () => {
    const { firewall } = await open();
    firewall.draft = '192.168.1.0; reboot';
    await firewall.addSource();
    expect(firewall.refusal?.field).toBe('source');
    expect(firewall.draft, 'what was typed stays to be mended').toBe('192.168.1.0; reboot');
    expect(firewall.view?.sources).toHaveLength(2);
    firewall.draft = ' 10.0.0.7 ';
    await firewall.addSource();
    expect(firewall.refusal).toBeNull();
    expect(firewall.view?.sources).toContain('10.0.0.7');
  });

  it('runs exactly the lines that are shown, and remembers them', async () => {
    const runFirewall = vi.fn<InstanceHost['runFirewall']>();
    const { firewall, toasts } = await open('exposed', (host) => ({ runFirewall: runFirewall.mockImplementation(host.runFirewall) }));
    const shown = firewall.view?.commands;
    firewall.asking = 'apply';
    await firewall.run('apply');
    expect(runFirewall.mock.calls[0]?.[2]).toEqual(shown);
    expect(firewall.asking, 'the question is answered').toBeNull();
    expect(firewall.pending, 'nothing is left to apply').toEqual([]);
    expect(toasts.items[0]?.text).toBe(`${shown?.length} rules added`);
    await firewall.run('check');
    expect(firewall.verified?.results.every(({ outcome }) => outcome === 'present')).toBe(true);
    await firewall.run('undo');
    expect(firewall.view?.remembered).toEqual([]);
  });

  it('says that somebody removed a rule', async () => {
    const { firewall, toasts } = await open('exposed', () => ({ runFirewall: async (_task, _choice, shown) => [{ command: shown[0] ?? '', outcome: 'missing' }] }));
    await firewall.run('check');
    expect(toasts.items[0]).toMatchObject({ tone: 'warn', text: '1 rule is missing: someone removed or changed them.' });
  });

  it('keeps the rules as they are when the password is refused', async () => {
    const dismissed: Problem = { code: 'not_permitted', message: 'The authorization was dismissed; nothing was changed.', field: null, help: 'Apply again, or run the printed commands as root.' };
    const { firewall, toasts } = await open('exposed', () => ({ runFirewall: () => Promise.reject(dismissed) }));
    await firewall.run('apply');
    expect(toasts.items[0]?.text).toContain('dismissed');
    expect(firewall.canApply, 'a person may try again').toBe(true);
  });

  it('lets the later of two choices count', async () => {
    const answers: (() => void)[] = [];
    const { firewall } = await open('exposed', (host) => ({
      firewall: async (choice) => {
        if (choice.tool === 'nftables') await new Promise<void>((resolve) => answers.push(resolve));
        return host.firewall(choice);
      },
    }));
    const slow = firewall.chooseTool('nftables');
    await firewall.chooseTool('iptables');
    answers.forEach((answer) => answer());
    await slow;
    expect(firewall.view?.tool).toBe('iptables');
  });

  it('shows what cannot be read, and reads again', async () => {
    const { firewall } = await open('error');
    expect(firewall.problem?.code).toBe('internal');
    expect(firewall.view).toBeNull();
  });
});

describe('headline', () => {
  it('tells what is not known from what is off', async () => {
    const { firewall } = await open();
    const detection = firewall.view!.detection;
    expect(headline(detection).word).toBe('ufw, active');
    expect(headline({ ...detection, active: null }).word, 'an ordinary user cannot list rules').toBe('Could not be known');
    const off = detection.tools.map((tool) => ({ ...tool, state: 'inactive' as const }));
    expect(headline({ ...detection, active: null, tools: off }).word).toBe('None active');
  });
});
