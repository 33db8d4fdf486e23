/** How rungs and fixes are called. */
import type { FixAction, Rung, Service } from '../../lib/wire/types';
import type { Presented } from './test.svelte';

/** In the order in which they are climbed. */
export const RUNGS: readonly Rung[] = ['resolve', 'tcp', 'tls', 'handshake', 'auth', 'protocol'];

/** What they are called whatever the service speaks. */
export const RUNG_NAMES: Record<Rung, string> = { resolve: 'Resolve', tcp: 'TCP', tls: 'TLS', handshake: 'Handshake', auth: 'Auth', protocol: 'Protocol' };

const PROTOCOLS: Record<Service, string> = { 'mcp-websocket': 'MCP', 'mcp-http': 'Status and MCP', prometheus: 'Metrics', health: 'Health' };

export function nameOf(rung: Rung, service: Service): string {
  if (rung === 'handshake') return service === 'mcp-websocket' ? 'WebSocket handshake' : 'HTTP';
  return rung === 'protocol' ? PROTOCOLS[service] : RUNG_NAMES[rung];
}

/** What the button of a fix says; `null` where no button could do it. How an authority is trusted is shown at once. */
export const BUTTONS: Record<FixAction, string | null> = {
  start_services: 'Start the services',
  restart_services: 'Start again',
  use_free_port: 'Use a free port',
  widen_address: 'Listen there…',
  listen_locally: 'Listen on this computer only',
  copy_client_configuration: 'Copy the configuration',
  make_certificate: 'Make a certificate…',
  trust_authority: null,
  copy_token: 'Copy the token',
  show_firewall_rules: 'Show the rules',
  review_access: 'Serve other computers…',
  by_hand: null,
};

/** The rungs that were not reached. TLS and Auth may not apply, so that they are not promised. */
export function notRun(reached: readonly Rung[]): Rung[] {
  const last = Math.max(-1, ...reached.map((rung) => RUNGS.indexOf(rung)));
  return RUNGS.slice(last + 1).filter((rung) => rung !== 'tls' && rung !== 'auth');
}

/** The tokens that a test can present. */
export const PRESENTED: { value: Presented; text: string }[] = [
  { value: 'trade', text: 'Trade token' },
  { value: 'owner', text: 'Owner token' },
  { value: 'read', text: 'Read token' },
  { value: 'metrics', text: 'Metrics token' },
  { value: 'none', text: 'No token' },
];
