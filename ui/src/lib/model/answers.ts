/** The four questions of a person in front of the panel, answered from the picture. */
import type { Tone } from '../components/icons';
import { count, dayAndClock, isLoopback, list } from '../format';
import { RUN_LOOKS } from '../states';
import type { ServiceSnapshot, Snapshot } from '../wire/types';

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

/** Services that other computers could reach. */
export function exposed(services: readonly ServiceSnapshot[]): ServiceSnapshot[] {
  return services.filter((service) => !isLoopback(service.address.value));
}

function reach({ services, state }: Snapshot): Answer {
  const question = 'Who can reach me?';
  const open = exposed(services);
  const addresses = list([...new Set((open.length > 0 ? open : services).map((service) => service.address.value))]);
  if (state !== 'running') return { question, answer: 'Nobody now', evidence: `Would listen on ${addresses}` };
  if (open.length === 0) return { question, answer: 'This computer only', evidence: `${addresses} on all four ports` };
  return { question, answer: 'Other computers', tone: 'exposed', evidence: `${list(open.map((service) => service.port.value))} on ${addresses}` };
}

function clients({ services, state }: Snapshot): Answer {
  const question = 'Can clients connect?';
  if (state !== 'running') return { question, answer: 'Not now', evidence: 'The services do not run.' };
  const trading = services.filter((service) => service.service === 'mcp-websocket' || service.service === 'mcp-http');
  const connected = trading.reduce((sum, service) => sum + service.clients, 0);
  const busy = trading.filter((service) => service.clients > 0).map((service) => `${service.clients} on ${service.port.value}`);
  if (connected === 0) return { question, answer: 'None connected', evidence: `${list(trading.map((service) => service.port.value))} are open` };
  return { question, answer: `${count(connected, 'client')}`, tone: 'run', evidence: list(busy) };
}
