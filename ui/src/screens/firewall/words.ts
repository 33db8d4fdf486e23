/** What the screen says of a firewall. */
import type { StateLook } from '../../lib/states';
import type { Detection, ToolFinding } from '../../lib/wire/types';

export function headline(detection: Detection): StateLook {
  if (detection.active) return { tone: 'run', word: `${detection.active}, active` };
  const unknown = detection.tools.some(({ state }) => state === 'unknown');
  return unknown ? { tone: 'skipped', word: 'Could not be known' } : { tone: 'warn', word: 'None active' };
}

export function stateWord({ installed, state, incoming }: ToolFinding): string {
  if (state === 'unknown') return 'Unknown.';
  if (state === 'inactive') return installed ? 'Off.' : 'Not installed.';
  if (incoming === null) return 'Active.';
  return incoming === 'denied' ? 'Active, denies by default.' : 'Active, lets in by default.';
}
