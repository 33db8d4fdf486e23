/** A firewall in memory: ufw, which is on, seen by an ordinary user who knows the password. */
import type { Detection, FirewallChoice, FirewallResult, FirewallTask, FirewallView, Problem, Snapshot, Tool } from '../wire/types';
import { isLoopback } from '../format';

const DETECTION: Detection = {
  active: 'ufw',
  tools: [
    { tool: 'ufw', installed: true, state: 'active', evidence: 'ENABLED=yes in /etc/ufw/ufw.conf', incoming: 'denied' },
    { tool: 'firewalld', installed: false, state: 'inactive', evidence: 'org.fedoraproject.FirewallD1 is not on the system bus', incoming: null },
    { tool: 'iptables', installed: true, state: 'unknown', evidence: 'Only root may list the rules', incoming: null },
    { tool: 'nftables', installed: true, state: 'unknown', evidence: 'Only root may list the rules; nftables.service does not start with the system', incoming: null },
  ],
  chain: null,
  zone: null,
  as_root: false,
};

const SUBNETS = [
  { source: '192.168.1.0/24', interface: 'enp5s0' },
  { source: 'fd00:1::/64', interface: 'enp5s0' },
];

/** Enough of the spelling to refuse what nobody means. */
const SUBNET = /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:]*::?[0-9a-f:]*)(\/[0-9]{1,3})?$/i;

export class FakeFirewall {
  readonly #picture: () => Snapshot;
  #remembered: { add: string; undo: string }[] = [];

  constructor(picture: () => Snapshot) {
    this.#picture = picture;
  }

  view(choice: FirewallChoice): FirewallView {
    const { instance, services } = this.#picture();
    const outside = services.filter(({ address }) => !isLoopback(address.value));
    const wanted = choice.services ?? (outside.length > 0 ? outside : services).map(({ service }) => service);
    const chosen = services.filter(({ service }) => wanted.includes(service));
    const sources = choice.sources ?? SUBNETS.map(({ source }) => source);
    const wrong = sources.find((source) => !SUBNET.test(source));
    if (wrong !== undefined) throw refusal(wrong);
    const tool = choice.tool ?? 'ufw';
    const lines = chosen.flatMap(({ name, port }) => sources.map((source) => line(tool, instance, name, port.value, source)));
    const needed = chosen.some(({ address }) => !isLoopback(address.value));
    return {
      detection: DETECTION,
      tool,
      needed,
      services: services.map(({ service, port, address }) => ({ service, port: port.value, address: address.value, chosen: wanted.includes(service) })),
      sources: [...sources],
      subnets: SUBNETS,
      commands: lines.map(({ add }) => add),
      undo: lines.map(({ undo }) => undo).reverse(),
      notes: [
        ...(needed ? [] : [`Not needed: ${instance} listens on 127.0.0.1 only.`]),
        'The first rule that matches decides: prepend puts these before an earlier deny.',
        'Undo leaves established connections alive: stop the service to end them.',
        'A connection from this computer proves nothing: try one from an allowed computer.',
      ],
      remembered: this.#remembered.map(({ add }) => add),
      remembered_undo: this.#remembered.map(({ undo }) => undo).reverse(),
    };
  }

  run(task: FirewallTask, choice: FirewallChoice, shown: string[]): FirewallResult[] {
    const view = this.view(choice);
    const lines = task === 'apply' ? view.commands : view.remembered;
    if (task !== 'check' && (task === 'apply' ? view.commands : view.remembered_undo).join() !== shown.join()) {
      const changed: Problem = { code: 'revision_conflict', message: 'The rules are other ones than those shown.', field: null, help: 'Look at the new ones and apply again.' };
      throw changed;
    }
    const known = new Set(view.remembered);
    if (task === 'undo') this.#remembered = [];
    if (task === 'apply') {
      const undo = [...view.undo].reverse();
      this.#remembered = view.commands.map((add, index) => ({ add, undo: undo[index] ?? '' }));
    }
    const done = (command: string): FirewallResult['outcome'] => (task === 'check' || (task === 'apply' && known.has(command)) ? 'present' : 'done');
    return lines.map((command) => ({ command, outcome: done(command) }));
  }
}

function line(tool: Tool, instance: string, name: string, port: number, source: string): { add: string; undo: string } {
  if (tool !== 'ufw') return { add: `sudo ${tool} allow ${source} ${port}`, undo: `sudo ${tool} delete ${source} ${port}` };
  const rule = `allow proto tcp from ${source} to any port ${port}`;
  return { add: `sudo ufw prepend ${rule} comment 'CWTS ${instance} ${name}'`, undo: `sudo ufw delete ${rule}` };
}

function refusal(source: string): Problem {
  return { code: 'invalid_input', message: `Source "${source}" is no IPv4 or IPv6 subnet.`, field: 'source', help: 'Use a subnet such as 192.168.1.0/24 or fd00:1::/64, or one address.' };
}
