/** Chooses the host: the desktop program where there is one, else the fake of a plain browser. */
import type { Host } from './host';

export type { Fleet, History, Host, InstanceHost } from './host';
export { asProblem } from './host';

/** What the panel runs on. */
export type Platform = {
  host: Host;
  /** A plain browser: the page of all components can be reached. */
  fake: boolean;
};

export async function choosePlatform(query: URLSearchParams): Promise<Platform> {
  if ('__TAURI_INTERNALS__' in window) {
    const { tauriHost } = await import('./tauri');
    return { host: tauriHost(), fake: false };
  }
  const { fakeHost, isScenario } = await import('./fake');
  const scenario = query.get('scenario') ?? 'running';
  return { host: fakeHost(isScenario(scenario) ? scenario : 'running', { ticking: !query.has('still') }), fake: true };
}
