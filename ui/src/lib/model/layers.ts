/** The layers of the configuration: what they are called, and which is stronger. */
import { fileName } from '../format';
import type { Layer, Origin, SaveTarget, ServiceSnapshot, Snapshot } from '../wire/types';

/** A value that would have no effect, and where it would have one. */
export type ShadowNote = { text: string; remedy: SaveTarget };

const FILES = { 'env-file': 'ports.env', toml: 'production.toml', 'port-table': 'ports.conf' } as const;

/** The badge of a layer: `this run`, `env`, the file, or `default`. */
export function layerName(origin: Origin): string {
  if (origin.layer === 'environment') return 'env';
  if (origin.layer === 'built-in') return 'default';
  if (origin.layer === 'this-run') return 'this run';
  return origin.file ? fileName(origin.file) : FILES[origin.layer];
}

/** The name of a place to save to, with the files of this instance. */
export function targetName(target: SaveTarget, snapshot: Snapshot): string {
  if (target === 'this-run') return 'This run';
  return fileName(target === 'env-file' ? snapshot.env_file : snapshot.toml_file);
}

/** What saving there means. */
export function targetMeaning(target: SaveTarget, snapshot: Snapshot): string {
  if (target === 'this-run') return 'Until the services stop. No file is written.';
  return target === 'env-file' ? 'Kept after a restart. launch.sh uses it too.' : `Kept after a restart. ${fileName(snapshot.env_file)} and the environment are stronger.`;
}

/** Whether a value that somebody set is hidden by another one. The shipped files and the defaults are meant to be. */
export function isSetTwice({ value, shadowed }: ServiceSnapshot['port']): boolean {
  return shadowed.some((weaker) => (weaker.origin.layer === 'env-file' || weaker.origin.layer === 'environment') && weaker.value !== value);
}

const STRENGTH: Record<Layer, number> = { 'this-run': 5, environment: 4, 'env-file': 3, toml: 2, 'port-table': 1, 'built-in': 0 };

/** What hides a value that is written to the target, or `null` when it takes effect. */
export function shadowNote(service: ServiceSnapshot, target: SaveTarget, snapshot: Snapshot): ShadowNote | null {
  if (target === 'this-run') return null;
  // A port of this run gives way to one that is saved: what counts is what it hides.
  const kept = [service.port, ...service.port.shadowed].find(({ origin }) => origin.layer !== 'this-run');
  if (!kept || STRENGTH[kept.origin.layer] <= STRENGTH[target]) return null;
  const { origin, value } = kept;
  const stronger = layerName(origin);
  return {
    text: `${stronger} sets ${service.variable} to ${value} and is stronger. A value in ${targetName(target, snapshot)} would be shadowed.`,
    remedy: origin.layer === 'env-file' ? 'env-file' : 'this-run',
  };
}
