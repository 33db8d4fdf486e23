/** The ways out of a taken port, the recommended one first. Nothing here ends a process. */
import type { Tone } from '../components/icons';
import { fileName, splitSocket } from '../format';
import type { Holder, PortCheck, ServiceSnapshot, Snapshot } from '../wire/types';

/** What a taken port looked like when it was tested again. */
export type SecondLook = {
  /** Milliseconds since the epoch. */
  at: number;
  /** `null` when the test itself failed. */
  check: PortCheck | null;
  problem: string | null;
};

export type Offer = {
  tone: Tone;
  title: string;
  text: string;
  best?: boolean;
  tag?: string;
  /** What the button does. */
  act: { kind: 'start' } | { kind: 'move'; port: number } | { kind: 'choose' } | { kind: 'none' };
};

export type Fact = { name: string; value: string; look?: 'code' | 'strong' };

/** At most this many other ports are offered; the form has the rest. */
const PORTS_OFFERED = 3;

/** Names the port and its holder. */
export function conflictTitle({ port, conflict, problem }: ServiceSnapshot): string {
  const holder = conflict?.holder;
  if (!holder) return problem?.message ?? `Port ${port.value} cannot be used`;
  if (holder.process) return `Port ${port.value} is held by ${holder.process}`;
  return `Port ${port.value} is held by ${holder.user ?? 'another user'}; details need root`;
}

export function holderFacts(service: ServiceSnapshot, holder: Holder): Fact[] {
  const hidden = `Held by ${holder.user ?? 'another user'}; details need root.`;
  const { address } = splitSocket(holder.address);
  return [
    { name: 'Port', value: `${service.port.value} TCP`, look: 'strong' },
    { name: 'Address', value: address, look: 'code' },
    { name: 'Process', value: holder.process ? `${holder.process}${holder.pid === null ? '' : `, pid ${holder.pid}`}` : hidden, look: holder.process ? 'strong' : undefined },
    { name: 'User', value: holder.user ?? 'Unknown' },
    { name: 'systemd unit', value: holder.unit ?? (holder.pid === null ? 'Unknown' : 'None') },
  ];
}

export function offersFor(service: ServiceSnapshot, snapshot: Snapshot, look: SecondLook | undefined): Offer[] {
  const offers: Offer[] = [];
  const port = service.port.value;
  if (look?.check && look.check.state !== 'refused') {
    offers.push({ tone: 'run', title: `Port ${port} is free now`, text: 'Whoever held it has let go. Nothing has to change.', act: { kind: 'start' } });
  }
  if (service.port.origin.layer === 'environment') offers.push(lockedOffer(service));
  else offers.push(...otherPorts(service, snapshot));
  const best = offers.find((offer) => offer.act.kind === 'start' || offer.act.kind === 'move');
  if (best) Object.assign(best, { best: true, tag: 'Recommended' });
  return offers;
}

function otherPorts(service: ServiceSnapshot, snapshot: Snapshot): Offer[] {
  const file = fileName(snapshot.env_file);
  const free = (service.conflict?.free ?? []).slice(0, PORTS_OFFERED);
  const moves = free.map((port, index): Offer => {
    const alternative = service.alternatives.indexOf(port);
    const origin = alternative > 0 ? `Alternative ${alternative}. ` : '';
    return { tone: 'run', title: `Use ${port}${index === 0 ? ' instead' : ''}`, text: `${origin}Free on ${service.address.value}. Saved to ${file}.`, act: { kind: 'move', port } };
  });
  const choose: Offer = { tone: 'info', title: 'Use another port', text: `Type any port, and choose where it is saved.`, act: { kind: 'choose' } };
  return [...moves, choose];
}

function lockedOffer(service: ServiceSnapshot): Offer {
  const free = service.conflict?.free[0];
  const other = free === undefined ? '' : `, or set it to ${free},`;
  return {
    tone: 'skipped',
    title: 'Use another port',
    text: `Not offered: ${service.variable} in the environment sets ${service.port.value}. Unset it${other} and start the program again.`,
    act: { kind: 'none' },
  };
}
