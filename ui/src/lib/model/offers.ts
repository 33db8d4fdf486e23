/** The ways out of a taken port: the recommended one first, those that end something last. */
import type { Tone } from '../components/icons';
import { clock, count, fileName, list, span, splitSocket } from '../format';
import type { Alternatives, Conflict, Holder, Owner, PortCheck, ServiceSnapshot, Snapshot, WayOut } from '../wire/types';

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
  act: { kind: 'start' } | { kind: 'show'; instance: string } | { kind: 'move'; port: number } | { kind: 'choose' } | { kind: 'release'; way: WayOut } | { kind: 'none' };
};

export type Fact = { name: string; value: string; look?: 'code' | 'strong' };

/** Names the port and its holder. */
export function conflictTitle({ port, conflict, problem }: ServiceSnapshot): string {
  const holder = conflict?.holder;
  if (!conflict || !holder) return problem?.message ?? `Port ${port.value} cannot be used`;
  const { instance } = conflict.owner;
  if (instance) return `Port ${port.value} is held by instance ${instance}`;
  if (holder.process) return `Port ${port.value} is held by ${holder.process}`;
  return `Port ${port.value} is held by ${holder.user ?? 'another user'}; details need root`;
}

/** What the taken port means for the service, as far as the others go. */
export function conflictLead({ name, conflict }: ServiceSnapshot, { services }: Snapshot): string {
  const others = (conflict?.also_taken ?? []).map((id) => services.find(({ service }) => service === id)?.name ?? id);
  if (!conflict) return `${name} cannot start. Nothing was changed.`;
  const rest = others.length === 0 ? 'The other three ports are free.' : `${list(others)} cannot have ${others.length === 1 ? 'its port' : 'their ports'} either.`;
  return `${name} cannot start. ${rest} Nothing was changed.`;
}

/** What is known of the holder. */
export function holderFacts(port: number, conflict: Conflict, holder: Holder): Fact[] {
  const hidden = `Held by ${holder.user ?? 'another user'}; details need root.`;
  const addresses = conflict.addresses.map((socket) => splitSocket(socket).address);
  const facts: Fact[] = [
    { name: 'Port', value: `${port} TCP`, look: 'strong' },
    { name: addresses.length > 1 ? 'Addresses' : 'Address', value: list(addresses), look: 'code' },
    { name: 'Process', value: holder.process ? `${holder.process}${holder.pid === null ? '' : `, pid ${holder.pid}`}` : hidden, look: holder.process ? 'strong' : undefined },
  ];
  if (conflict.command) facts.push({ name: 'Command', value: conflict.command, look: 'code' });
  facts.push({ name: 'User', value: holder.user ?? 'Unknown' });
  facts.push({ name: 'systemd unit', value: holder.unit ?? (holder.pid === null ? 'Unknown' : 'None') });
  if (conflict.started_at !== null) facts.push({ name: 'Started', value: `${clock(conflict.started_at)}, ${span(conflict.checked_at - conflict.started_at)} ago` });
  facts.push({ name: 'Whose', value: whose(conflict.owner) });
  facts.push({ name: 'Clients', value: clients(conflict) });
  return facts;
}

function whose({ kind, instance }: Owner): string {
  switch (kind) {
    case 'this_instance':
      return `Ours. Another process runs ${instance} itself.`;
    case 'other_instance':
      return `Ours. It is the CWTS instance ${instance}.`;
    case 'foreign':
      return 'Foreign. It did not answer as a CWTS instance.';
  }
}

function clients({ clients: total, local_clients: local }: Conflict): string {
  if (total === 0) return 'None connected';
  const every = total === 1 ? '' : total === 2 ? 'both ' : 'all ';
  const from = local === total ? `${every}from this computer` : local === 0 ? 'from other computers' : `${local} from this computer`;
  return `${total} connected, ${from}`;
}

export function offersFor(service: ServiceSnapshot, snapshot: Snapshot, look: SecondLook | undefined): Offer[] {
  const offers: Offer[] = [];
  const port = service.port.value;
  if (look?.check && look.check.state !== 'refused') {
    offers.push({ tone: 'run', title: `Port ${port} is free now`, text: 'Whoever held it has let go. Nothing has to change.', act: { kind: 'start' } });
  }
  if (service.conflict && service.conflict.owner.kind !== 'foreign') offers.push(ownOffer(service.conflict.owner));
  if (service.port.origin.layer === 'environment') offers.push(lockedOffer(service));
  else offers.push(...otherPorts(service, `Saved to ${fileName(snapshot.env_file)}.`), chooseOffer(service));
  offers.push(...(service.conflict?.ways ?? []).map(wayOffer));
  return recommended(offers);
}

/** The same for a port that is typed into the form, which has its own fields for other ports. */
export function offersForMove(service: ServiceSnapshot): Offer[] {
  const own = service.conflict && service.conflict.owner.kind !== 'foreign' ? [ownOffer(service.conflict.owner)] : [];
  return recommended([...own, ...otherPorts(service, null), ...(service.conflict?.ways ?? []).map(wayOffer)]);
}

/** The first harmless way is the recommended one, and what cannot be taken comes last. */
function recommended(offers: Offer[]): Offer[] {
  const best = offers.find(({ act }) => act.kind === 'start' || act.kind === 'show' || act.kind === 'move');
  if (best) Object.assign(best, { best: true, tag: 'Recommended', title: best.act.kind === 'move' ? `${best.title} instead` : best.title });
  return [...offers.filter(({ act }) => act.kind !== 'none'), ...offers.filter(({ act }) => act.kind === 'none')];
}

/** Ending something. */
function wayOffer(way: WayOut): Offer {
  if (way.release) return { tone: 'warn', title: way.title, text: way.detail, act: { kind: 'release', way } };
  const instead = way.command ? ` Run ${way.command}` : '';
  return { tone: 'skipped', title: way.title, text: `Not offered: ${way.detail}${instead}`, act: { kind: 'none' } };
}

/** A holder of ours is shown, not fought. */
function ownOffer({ kind, instance, pid }: Owner): Offer {
  const where = pid === null ? '' : `, pid ${pid}`;
  const text = kind === 'this_instance' ? `It already runs without this window${where}. Nothing has to move.` : `It runs beside this one${where}.`;
  return { tone: 'run', title: kind === 'this_instance' ? `Attach to ${instance}` : `Show ${instance}`, text, act: { kind: 'show', instance: instance ?? '' } };
}

/** Ports that were tested, the best first. `saved` says where a choice is kept. */
function otherPorts(service: ServiceSnapshot, saved: string | null): Offer[] {
  if (!service.conflict) return [];
  const { alternatives } = service.conflict;
  const { listed, range, best } = alternatives;
  const moves = listed.map((check) => listedOffer(check, service, saved));
  if (range.next !== null && best === range.next) {
    moves.unshift({ tone: 'run', title: `Use ${best}`, text: sentences(`Next free of ${rangeName(alternatives)}.`, saved), act: { kind: 'move', port: best } });
  }
  return moves.sort((a, b) => Number(isMoveTo(b, best)) - Number(isMoveTo(a, best)));
}

function chooseOffer({ conflict }: ServiceSnapshot): Offer {
  const act = { kind: 'choose' } as const;
  const alternatives = conflict?.alternatives;
  if (!alternatives || alternatives.range.last <= alternatives.range.first) {
    return { tone: 'info', title: 'Use another port', text: 'Type any port, and choose where it is saved.', act };
  }
  return { tone: 'run', title: `Pick from ${rangeName(alternatives)}`, text: rangeText(alternatives), act };
}

function sentences(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join(' ');
}

/** A port of the table. One that cannot be used stays, with the reason. */
function listedOffer(check: PortCheck, service: ServiceSnapshot, saved: string | null): Offer {
  const { port, state, message } = check;
  const place = service.alternatives.indexOf(port);
  const name = place > 0 ? `Alternative ${place}.` : 'The default.';
  if (state === 'free') return { tone: 'run', title: `Use ${port}`, text: sentences(name, message, saved), act: { kind: 'move', port } };
  return { tone: 'skipped', title: `Use ${port}`, text: `Not offered: ${message}`, act: { kind: 'none' } };
}

function isMoveTo({ act }: Offer, port: number | null): boolean {
  return act.kind === 'move' && act.port === port;
}

function rangeName({ range }: Alternatives): string {
  return `${range.first}\u2013${range.last}`;
}

function rangeText({ range }: Alternatives): string {
  const next = range.next === null ? '' : ` Next: ${range.next}.`;
  return `${range.free} of ${count(range.tested, 'port')} are free.${next}`;
}

function lockedOffer(service: ServiceSnapshot): Offer {
  const free = service.conflict?.alternatives.best ?? null;
  const other = free === null ? '' : `, or set it to ${free},`;
  return {
    tone: 'skipped',
    title: 'Use another port',
    text: `Not offered: ${service.variable} in the environment sets ${service.port.value}. Unset it${other} and start the program again.`,
    act: { kind: 'none' },
  };
}
