/** How far the services reach, in words. */
import { isLoopback, list } from '../format';
import type { Tone } from '../components/icons';
import type { Exposure, Security, Service, ServiceSnapshot, Snapshot } from '../wire/types';

/** How far the group of a service reaches. */
export function exposureOf(service: Service, security: Security): Exposure {
  return service === 'mcp-websocket' || service === 'mcp-http' ? security.mcp : security.monitoring;
}

/** Whether other computers are served. One that listens beyond loopback and refuses them is not exposed. */
export function isExposed({ service, state }: ServiceSnapshot, security: Security): boolean {
  const exposure = exposureOf(service, security).state;
  return state === 'running' && (exposure === 'read_only' || exposure === 'armed');
}

/** The running services that other computers reach. */
export function exposed({ services, security }: Snapshot): ServiceSnapshot[] {
  return services.filter((service) => isExposed(service, security));
}

/** The running services that listen beyond this computer and refuse others. */
export function refusing({ services, security }: Snapshot): ServiceSnapshot[] {
  return services.filter(({ service, state }) => state === 'running' && exposureOf(service, security).state === 'refused');
}

/** What another computer lacks: `TLS is off`, `no token is asked for`. */
export function missing({ mcp, monitoring }: Security): string[] {
  const refused = [mcp, monitoring].filter((exposure) => exposure.state === 'refused');
  return [...(refused.some(({ tls }) => !tls) ? ['TLS is off'] : []), ...(refused.some(({ token }) => !token) ? ['no token is asked for'] : [])];
}

/** The addresses beyond this computer, each once. */
export function outerAddresses(services: readonly ServiceSnapshot[]): string {
  return list([...new Set(services.map(({ address }) => address.value).filter((address) => !isLoopback(address)).map((address) => (address === '::' ? 'every address' : address)))]);
}

/** Whole days until a moment, negative after it. */
export function daysUntil(millis: number, now: number): number {
  return Math.floor((millis - now) / 86_400_000);
}

/** Days before its end from which a certificate deserves a look. */
export const SOON = 30;

/** The worst state of the gates while the services run. */
export function markOfSecurity(snapshot: Snapshot, now: number): { tone: Tone; word: string } | null {
  const { certificate } = snapshot.security;
  if (snapshot.state !== 'running') return null;
  if (certificate && daysUntil(certificate.not_after, now) < 0) return { tone: 'error', word: 'the certificate has ended' };
  if (refusing(snapshot).length > 0) return { tone: 'warn', word: 'other computers are refused' };
  if (certificate && daysUntil(certificate.not_after, now) < SOON) return { tone: 'warn', word: 'the certificate ends soon' };
  if (snapshot.security.auth.value === 'none') return { tone: 'warn', word: 'no token is asked for' };
  return exposed(snapshot).length > 0 ? { tone: 'exposed', word: 'exposed' } : null;
}
