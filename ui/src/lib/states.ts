/** The shape and the word of each state. */
import type { Tone } from './components/icons';
import type { RunState, ServiceState } from './wire/types';

export type StateLook = { tone: Tone; word: string };

export const SERVICE_LOOKS: Record<ServiceState, StateLook> = {
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
