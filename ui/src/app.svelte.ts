/** Everything that outlives a screen, in one place that every component can reach. */
import { createContext } from 'svelte';
import type { Platform } from './lib/platform';
import type { Host } from './lib/platform/host';
import { asProblem } from './lib/platform/host';
import { PortsState } from './screens/ports/ports.svelte';
import { SystemPortsState } from './screens/ports/system-ports.svelte';
import { LiveSnapshot } from './lib/state/live.svelte';
import { Route } from './lib/state/route.svelte';
import { RunControl } from './lib/state/run.svelte';
import { Toasts } from './lib/state/toasts.svelte';

export class App {
  readonly host: Host;
  readonly live: LiveSnapshot;
  readonly route: Route;
  readonly toasts = new Toasts();
  readonly run: RunControl;
  /** Lives here, so that a changed form survives a look at another screen. */
  readonly ports: PortsState;
  readonly systemPorts: SystemPortsState;
  /** Somebody closes the window and no tray icon would remain. */
  closing = $state(false);

  constructor(platform: Platform) {
    this.host = platform.host;
    this.live = new LiveSnapshot(this.host);
    this.route = new Route(platform.fake);
    this.run = new RunControl(this.host, this.live, this.toasts, this.route);
    this.ports = new PortsState(this.host, this.live, this.toasts);
    this.systemPorts = new SystemPortsState(this.host);
  }

  /** Until the returned function is called. */
  connect(): () => void {
    const ends = [
      this.live.connect(),
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
