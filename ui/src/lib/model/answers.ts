/** The four questions of a person in front of the panel, answered from the picture. */
import type { Tone } from '../components/icons';
import { count, dayAndClock, list } from '../format';
import { RUN_LOOKS } from '../states';
import type { Snapshot } from '../wire/types';
import { exposed, missing, outerAddresses, refusing } from './security';

export type Answer = {
  question: string;
  answer: string;
  evidence: string;
  /** Only where the answer is a state. */
  tone?: Tone;
  href?: string;
};

export function answersOf(snapshot: Snapshot): Answer[] {
  return [running(snapshot), taken(snapshot), reach(snapshot), clients(snapshot)];
}

function running({ state, services, started_at }: Snapshot): Answer {
  const question = 'Is everything running?';
  if (state !== 'running') return { question, answer: RUN_LOOKS[state].word, tone: RUN_LOOKS[state].tone, evidence: 'No port is open.' };
  const up = services.filter((service) => service.state === 'running').length;
  const evidence = started_at === null ? 'Just started' : `Since ${dayAndClock(started_at)}`;
  return { question, answer: `${up} of ${services.length} services`, tone: up === services.length ? 'run' : 'warn', evidence };
}

function taken({ services, state }: Snapshot): Answer {
  const question = 'Is a port taken?';
  const href = '#/ports';
  const blocked = services.filter((service) => service.state === 'blocked');
  const ports = services.map((service) => service.port.value);
  const first = blocked[0];
  if (first) {
    const answer = blocked.length === 1 ? `Port ${first.port.value} is` : `${blocked.length} ports are`;
    return { question, answer, tone: 'error', evidence: list(blocked.map((service) => service.name)), href };
  }
  const evidence = state === 'running' ? `Ours: ${ports.join(', ')}` : `${list(ports)} at the last look`;
  return { question, answer: 'No conflict', evidence, href };
}

function reach(snapshot: Snapshot): Answer {
  const { services, state } = snapshot;
  const question = 'Who can reach me?';
  const href = '#/security';
  const [open, refused] = [exposed(snapshot), refusing(snapshot)];
  const addresses = list([...new Set((open.length > 0 ? open : services).map((service) => service.address.value))]);
  if (state !== 'running') return { question, answer: 'Nobody now', evidence: `Would listen on ${addresses}`, href };
  if (open.length > 0) return { question, answer: 'Other computers', tone: 'exposed', evidence: `${list(open.map((service) => service.port.value))} on ${addresses}`, href };
  if (refused.length > 0) return { question, answer: 'This computer only', tone: 'warn', evidence: `Others are refused on ${outerAddresses(refused)}: ${list(missing(snapshot.security))}`, href };
  return { question, answer: 'This computer only', evidence: `${addresses} on all four ports`, href };
}

function clients({ services, state }: Snapshot): Answer {
  const question = 'Can clients connect?';
  const href = '#/test';
  if (state !== 'running') return { question, answer: 'Not now', evidence: 'The services do not run.', href };
  const trading = services.filter((service) => service.service === 'mcp-websocket' || service.service === 'mcp-http');
  const connected = trading.reduce((sum, service) => sum + service.clients, 0);
  const busy = trading.filter((service) => service.clients > 0).map((service) => `${service.clients} on ${service.port.value}`);
  if (connected === 0) return { question, answer: 'None connected', evidence: `${list(trading.map((service) => service.port.value))} are open`, href };
  return { question, answer: `${count(connected, 'client')}`, tone: 'run', evidence: list(busy), href };
}
