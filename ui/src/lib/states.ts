/** The shape and the word of each state. */
import type { Tone } from './components/icons';
import { isExposed } from './model/security';
import type { RunState, Security, ServiceSnapshot, ServiceState, Snapshot } from './wire/types';

export type StateLook = { tone: Tone; word: string };

const SERVICE_LOOKS: Record<ServiceState, StateLook> = {
  stopped: { tone: 'stopped', word: 'Stopped' },
  starting: { tone: 'busy', word: 'Starting' },
  running: { tone: 'run', word: 'Running' },
  blocked: { tone: 'error', word: 'Blocked' },
};

export const RUN_LOOKS: Record<RunState, StateLook> = {
  stopped: { tone: 'stopped', word: 'Stopped' },
  starting: { tone: 'busy', word: 'Starting' },
  running: { tone: 'run', word: 'Running' },
  stopping: { tone: 'busy', word: 'Stopping' },
};

/** A running service that other computers reach is shown as exposed: it works, and somebody should know. */
export function lookOf(service: ServiceSnapshot, security: Security): StateLook {
  if (isExposed(service, security)) return { tone: 'exposed', word: 'Exposed' };
  return SERVICE_LOOKS[service.state];
}

/** An instance in one look: what went wrong, else whether trading is halted, else whether it is exposed, else whether it runs. */
export function lookOfInstance(snapshot: Snapshot): StateLook {
  if (snapshot.elsewhere && !snapshot.elsewhere.attached) return { tone: 'info', word: 'Runs elsewhere' };
  const blocked = snapshot.services.find((service) => service.state === 'blocked');
  if (blocked) return { tone: 'error', word: `Port ${blocked.port.value} taken` };
  if (snapshot.problem) return { tone: 'error', word: 'Not started' };
  const { trading } = snapshot;
  if (trading?.state === 'halted') return { tone: trading.problem ? 'error' : 'halted', word: 'Trading halted' };
  const exposed = snapshot.services.some((service) => lookOf(service, snapshot.security).tone === 'exposed');
  return exposed ? { tone: 'exposed', word: 'Running, exposed' } : RUN_LOOKS[snapshot.state];
}
