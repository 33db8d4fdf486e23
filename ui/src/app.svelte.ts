/** Everything that outlives a screen, in one place that every component can reach. */
import { createContext } from 'svelte';
import { Instances, type InstanceState } from './instances.svelte';
import type { Platform } from './lib/platform';
import type { Host } from './lib/platform/host';
import { asProblem } from './lib/platform/host';
import type { LiveSnapshot } from './lib/state/live.svelte';
import { Route } from './lib/state/route.svelte';
import type { ReleaseControl } from './lib/state/release.svelte';
import type { RunControl } from './lib/state/run.svelte';
import { Toasts } from './lib/state/toasts.svelte';
import type { ClientsState } from './screens/clients/clients.svelte';
import type { FirewallState } from './screens/firewall/firewall.svelte';
import { FleetState } from './screens/instances/fleet.svelte';
import type { LogsState } from './screens/logs/logs.svelte';
import type { PortsState } from './screens/ports/ports.svelte';
import type { SecurityState } from './screens/security/security.svelte';
import type { TestState } from './screens/test/test.svelte';
import type { TicketState } from './screens/trading/ticket.svelte';
import type { TradingState } from './screens/trading/trading.svelte';
import { SystemPortsState } from './screens/ports/system-ports.svelte';

export class App {
  readonly host: Host;
  readonly route: Route;
  readonly toasts = new Toasts();
  readonly instances: Instances;
  readonly systemPorts: SystemPortsState;
  readonly fleet: FleetState;
  /** Somebody closes the window and no tray icon would remain. */
  closing = $state(false);

  constructor(platform: Platform) {
    this.host = platform.host;
    this.route = new Route(platform.fake);
    this.instances = new Instances(this.host, this.toasts, this.route);
    this.systemPorts = new SystemPortsState(this.host);
    this.fleet = new FleetState(this.host, this.instances, this.toasts);
  }

  /** The instance that is shown. Screens exist only while there is one, and are built anew for another one. */
  get instance(): InstanceState {
    const { current } = this.instances;
    if (!current) throw new Error('no instance is shown');
    return current;
  }

  // What most screens ask for, of the instance that is shown.

  get live(): LiveSnapshot {
    return this.instance.live;
  }

  get run(): RunControl {
    return this.instance.run;
  }

  get ports(): PortsState {
    return this.instance.ports;
  }

  get release(): ReleaseControl {
    return this.instance.release;
  }

  get logs(): LogsState {
    return this.instance.logs;
  }

  get clients(): ClientsState {
    return this.instance.clients;
  }

  get firewall(): FirewallState {
    return this.instance.firewall;
  }

  get security(): SecurityState {
    return this.instance.security;
  }

  get tests(): TestState {
    return this.instance.tests;
  }

  get trading(): TradingState {
    return this.instance.trading;
  }

  get ticket(): TicketState {
    return this.instance.ticket;
  }

  /** Until the returned function is called. */
  connect(): () => void {
    const ends = [
      this.instances.connect(),
      this.route.connect(),
      this.host.onCloseRequested(() => {
        this.closing = true;
      }),
    ];
    return () => ends.forEach((end) => end());
  }

  async quit(): Promise<void> {
    try {
      await this.host.quit();
    } catch (thrown) {
      this.toasts.failed(asProblem(thrown));
    } finally {
      this.closing = false;
    }
  }

  async copy(text: string): Promise<void> {
    try {
      await this.host.copy(text);
      this.toasts.done(`Copied ${text}`);
    } catch (thrown) {
      this.toasts.failed(asProblem(thrown));
    }
  }
}

export const [useApp, provideApp] = createContext<App>();
