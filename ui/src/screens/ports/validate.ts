/** The rules that need no look at the system: is it a port, and is it used once. */
import type { ServiceSnapshot } from '../../lib/wire/types';

export type Parsed = { ok: true; port: number } | { ok: false; message: string };

/** What a field says, as a port or as the reason why it is none. */
export function parsePort(text: string): Parsed {
  const trimmed = text.trim();
  if (trimmed === '') return { ok: false, message: 'A port is needed. Use 1 to 65535.' };
  if (!/^[+-]?\d+$/.test(trimmed)) return { ok: false, message: `“${shortened(trimmed)}” is not a whole number. Use 1 to 65535.` };
  const port = Number(trimmed);
  if (port < 1 || port > 65_535) return { ok: false, message: `${shortened(trimmed)} is out of range. Use 1 to 65535.` };
  return { ok: true, port };
}

function shortened(text: string): string {
  return text.length > 12 ? `${text.slice(0, 12)}…` : text;
}

/** One field of the form as the rules see it. */
export type Entry = { service: ServiceSnapshot; text: string };

/** What is wrong with the entry beside the others, or `null`. */
export function usedTwice(entry: Entry, entries: readonly Entry[]): string | null {
  const port = portOf(entry);
  if (port === null) return null;
  const other = entries.find((one) => one.service.service !== entry.service.service && portOf(one) === port);
  if (!other) return null;
  const taken = new Set(entries.map(portOf));
  const free = entry.service.alternatives.find((alternative) => !taken.has(alternative));
  return `${port} is ${other.service.name} here.${free === undefined ? '' : ` Use ${free}.`}`;
}

/** The service that gives the port up with the same change, so that only the change as a whole can be tested. */
export function leftBy(entry: Entry, entries: readonly Entry[]): ServiceSnapshot | null {
  const port = portOf(entry);
  const other = entries.find(
    (one) => one.service.service !== entry.service.service && one.service.port.value === port && portOf(one) !== port,
  );
  return other?.service ?? null;
}

export function portOf(entry: Entry): number | null {
  const parsed = parsePort(entry.text);
  return parsed.ok ? parsed.port : null;
}

/** The layer of a service's port cannot be changed from inside the program. */
export function isLocked(service: ServiceSnapshot): boolean {
  return service.port.origin.layer === 'environment';
}
