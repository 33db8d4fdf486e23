/** Names for people. */
import type { ClientInfo, Place, Scope, Service, Transport } from '../../lib/wire/types';

export const TRANSPORTS: Record<Transport, string> = { stdio: 'stdio', http: 'HTTP', websocket: 'WebSocket', rest: 'REST', scrape: 'Scrape' };

export const PLACES: Record<Place, string> = { here: 'This computer', network: 'Other computers' };

export const SERVICES: Record<Service, string> = { 'mcp-websocket': 'MCP WebSocket', 'mcp-http': 'MCP HTTP API', prometheus: 'Prometheus', health: 'Health check' };

const SCOPES: Record<Scope, string> = { owner: 'Owner', trade: 'Trading', read: 'Read-only', metrics: 'Metrics' };

/** What a client may do. */
export function access({ scope }: ClientInfo): string {
  return scope === null ? 'No token' : SCOPES[scope];
}

/** The text in parts, so that what changes with the settings can be told from the rest. */
export function parts(text: string, marks: readonly string[]): { text: string; marked: boolean }[] {
  const found = marks.filter(Boolean).map((mark) => mark.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (found.length === 0) return [{ text, marked: false }];
  return text
    .split(new RegExp(`(${found.join('|')})`))
    .map((part, index) => ({ text: part, marked: index % 2 === 1 }))
    .filter((part) => part.text !== '');
}
