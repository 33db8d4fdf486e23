/** Chooses the host: the desktop program where there is one, else the fake of a plain browser. */
import type { Host } from './host';

export type { Fleet, History, Host, InstanceHost } from './host';
export { asProblem } from './host';

/** As fast as a market that never rests. */
const BUSY_MILLIS = 5;

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
  return { host: fakeHost(isScenario(scenario) ? scenario : 'running', { period: query.has('still') ? undefined : query.has('busy') ? BUSY_MILLIS : 1_000 }), fake: true };
}
