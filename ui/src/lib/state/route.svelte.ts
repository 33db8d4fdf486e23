/** Which screen is shown: the part of the address after `#/`. */

export type ScreenId = 'overview' | 'ports' | 'security' | 'firewall' | 'test' | 'trading' | 'instances' | 'clients' | 'logs' | 'components';

export type Screen = { id: ScreenId; title: string; icon: 'gauge' | 'plug' | 'shield' | 'wall' | 'wave' | 'candle' | 'grid' | 'cable' | 'log' };

/** In the order of the sidebar, and of Alt 1, Alt 2 and so on. */
export const SCREENS: readonly Screen[] = [
  { id: 'overview', title: 'Overview', icon: 'gauge' },
  { id: 'ports', title: 'Ports', icon: 'plug' },
  { id: 'security', title: 'Network & security', icon: 'shield' },
  { id: 'firewall', title: 'Firewall', icon: 'wall' },
  { id: 'test', title: 'Connection test', icon: 'wave' },
  { id: 'trading', title: 'Trading', icon: 'candle' },
  { id: 'instances', title: 'Instances', icon: 'grid' },
  { id: 'clients', title: 'Clients', icon: 'cable' },
  { id: 'logs', title: 'Logs', icon: 'log' },
];

const COMPONENTS: Screen = { id: 'components', title: 'Components', icon: 'grid' };

export class Route {
  screen = $state.raw<Screen>(SCREENS[0]!);

  readonly #withComponents: boolean;

  /** The page of all components exists in a plain browser only. */
  constructor(withComponents: boolean) {
    this.#withComponents = withComponents;
  }

  /** Follows the address until the returned function is called. */
  connect(): () => void {
    const follow = (): void => {
      this.screen = this.#find(location.hash);
    };
    follow();
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }

  go(screen: ScreenId): void {
    location.hash = `#/${screen}`;
  }

  #find(hash: string): Screen {
    const id = hash.replace(/^#\/?/, '');
    if (this.#withComponents && id === COMPONENTS.id) return COMPONENTS;
    return SCREENS.find((screen) => screen.id === id) ?? SCREENS[0]!;
  }
}
