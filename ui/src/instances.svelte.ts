/** The instances of the panel: one state for each, and which one is shown. */
import type { Route } from './lib/state/route.svelte';
import type { Toasts } from './lib/state/toasts.svelte';
import { asProblem, type Host, type InstanceHost } from './lib/platform/host';
import { LiveSnapshot } from './lib/state/live.svelte';
import { ReleaseControl } from './lib/state/release.svelte';
import { RunControl } from './lib/state/run.svelte';
import type { Envelope, Problem, Snapshot } from './lib/wire/types';
import { ClientsState } from './screens/clients/clients.svelte';
import { FirewallState } from './screens/firewall/firewall.svelte';
import { SecurityState } from './screens/security/security.svelte';
import { AuditState } from './screens/logs/audit.svelte';
import { LogsState } from './screens/logs/logs.svelte';
import { PortsState } from './screens/ports/ports.svelte';
import { TestState } from './screens/test/test.svelte';
import { TicketState } from './screens/trading/ticket.svelte';
import { TradingState } from './screens/trading/trading.svelte';

/** Everything that the panel keeps of one instance. Lives on while another one is shown. */
export class InstanceState {
  readonly id: string;
  readonly host: InstanceHost;
  readonly live: LiveSnapshot;
  readonly run: RunControl;
  /** Lives here, so that a changed form survives a look at another screen. */
  readonly ports: PortsState;
  readonly release: ReleaseControl;
  readonly clients: ClientsState;
  readonly logs: LogsState;
  readonly audit: AuditState;
  readonly firewall: FirewallState;
  readonly security: SecurityState;
  readonly tests: TestState;
  readonly trading: TradingState;
  /** Lives here, so that a half-filled order survives a look at another screen. */
  readonly ticket: TicketState;

  constructor(id: string, host: Host, toasts: Toasts, route: Route) {
    this.id = id;
    this.host = host.instance(id);
    this.live = new LiveSnapshot(this.host);
    this.run = new RunControl(this.host, this.live, toasts, route);
    this.ports = new PortsState(this.host, this.live, toasts);
    this.release = new ReleaseControl(this.host, toasts);
    this.logs = new LogsState(this.host, toasts);
    this.audit = new AuditState(this.host);
    this.clients = new ClientsState(this.host, this.live, toasts);
    this.firewall = new FirewallState(this.host, toasts);
    this.security = new SecurityState(this.host, this.live, toasts);
    this.tests = new TestState(this.host, this.live, toasts);
    this.trading = new TradingState(this.host, toasts);
    this.ticket = new TicketState(this.host, this.trading, toasts);
  }
}

export class Instances {
  /** `default` first, then by id. Empty until the first answer. */
  all = $state.raw<InstanceState[]>([]);
  /** The one that is shown; `null` until the first answer. */
  readonly current = $derived.by<InstanceState | null>(() => this.all.find(({ id }) => id === this.#chosen) ?? this.all[0] ?? null);
  /** Why there is nothing to show. */
  problem = $state.raw<Problem | null>(null);

  readonly #host: Host;
  readonly #toasts: Toasts;
  readonly #route: Route;
  #chosen = $state.raw<string | null>(null);
  /** Why no events come: instances that are found later do not live either. */
  #lost: Problem | null = null;

  constructor(host: Host, toasts: Toasts, route: Route) {
    this.#host = host;
    this.#toasts = toasts;
    this.#route = route;
  }

  /** Listens and fetches, until the returned function is called. */
  connect(): () => void {
    const ends = [
      this.#host.subscribe(
        (envelope) => this.apply(envelope),
        (problem) => {
          this.#lost = problem;
          for (const { live } of this.all) live.lost(problem);
        },
      ),
      this.#host.onInstanceRequested((id) => this.choose(id)),
    ];
    void this.refresh();
    return () => ends.forEach((end) => end());
  }

  /** Asks which instances there are. A failure stands in `problem`. */
  async refresh(): Promise<void> {
    try {
      const { opened, instances } = await this.#host.instances();
      this.problem = null;
      for (const snapshot of instances) this.#accept(snapshot);
      this.all = this.all.filter(({ id }) => instances.some(({ instance }) => instance === id));
      this.choose(this.#chosen ?? opened);
    } catch (thrown) {
      this.problem = asProblem(thrown);
    }
  }

  /** Shows an instance. */
  choose(id: string): void {
    this.#chosen = id;
    // What happened before the window was opened is fetched when somebody looks.
    void this.current?.live.refresh();
  }

  apply({ instance, event }: Envelope): void {
    const known = this.#find(instance);
    if (event.type === 'removed') this.all = this.all.filter(({ id }) => id !== instance);
    else if (known) known.live.apply(event);
    else if (event.type === 'snapshot') this.#accept(event.data);
  }

  #accept(snapshot: Snapshot): void {
    let known = this.#find(snapshot.instance);
    if (!known) {
      known = new InstanceState(snapshot.instance, this.#host, this.#toasts, this.#route);
      if (this.#lost) known.live.lost(this.#lost);
      this.all = [...this.all, known].sort(inOrder);
    }
    known.live.accept(snapshot);
  }

  #find(id: string): InstanceState | undefined {
    return this.all.find((instance) => instance.id === id);
  }
}

function inOrder(one: InstanceState, other: InstanceState): number {
  const rank = ({ id }: InstanceState): string => (id === 'default' ? '' : id);
  return rank(one) < rank(other) ? -1 : 1;
}
