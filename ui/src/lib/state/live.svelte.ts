/**
 * The one picture of an instance that every screen shows.
 *
 * Snapshots carry a revision: an older one is ignored, and after a gap everything is fetched again, since events were
 * missed. Figures that come every second change the picture without a revision of their own.
 */
import { asProblem, type InstanceHost } from '../platform/host';
import type { Activity, Connected, InstanceEvent, Problem, Sample, ServiceSnapshot, Snapshot } from '../wire/types';

/** Half an hour of seconds: what the charts can show. */
export const SAMPLE_LIMIT = 1800;
/** More than any screen lists. */
export const ACTIVITY_LIMIT = 200;

type SampleEvent = Extract<InstanceEvent, { type: 'sample' }>['data'];

export class LiveSnapshot {
  /** `null` until the first answer. */
  snapshot = $state.raw<Snapshot | null>(null);
  /** Oldest first, at most {@link SAMPLE_LIMIT}. */
  samples = $state.raw<Sample[]>([]);
  /** Oldest first, at most {@link ACTIVITY_LIMIT}. */
  activities = $state.raw<Activity[]>([]);
  /** Who is connected; `null` until the first answer. */
  connected = $state.raw<Connected | null>(null);
  /** Why the picture may be old: it could not be fetched, or no events come. */
  readonly problem = $derived.by(() => this.#unread ?? this.#unheard);
  /** The time of the newest figures, in milliseconds: the clock of every "ago" and of the time running. */
  readonly now = $derived(Math.max(this.samples.at(-1)?.at ?? 0, this.snapshot?.started_at ?? 0));
  /** Services that could not start because of their port. */
  readonly blocked = $derived<ServiceSnapshot[]>(this.snapshot?.services.filter((service) => service.state === 'blocked') ?? []);

  readonly #host: InstanceHost;
  #unread = $state.raw<Problem | null>(null);
  #unheard = $state.raw<Problem | null>(null);

  constructor(host: InstanceHost) {
    this.#host = host;
  }

  /** No events will come any more. */
  lost(problem: Problem): void {
    this.#unheard = problem;
  }

  /** Fetches everything. A failure stands in `problem`; the last picture stays. */
  async refresh(): Promise<void> {
    try {
      const [snapshot, history] = await Promise.all([this.#host.snapshot(), this.#host.history()]);
      this.#unread = null;
      this.accept(snapshot);
      this.samples = merge(history.samples, this.samples, SAMPLE_LIMIT);
      this.activities = merge(history.activities, this.activities, ACTIVITY_LIMIT, (activity) => activity.text);
      this.connected = history.connected;
    } catch (thrown) {
      this.#unread = asProblem(thrown);
    }
  }

  /** Takes a picture over unless a newer one, or the same one with newer figures, is here already. */
  accept(snapshot: Snapshot): void {
    if (this.snapshot && snapshot.revision <= this.snapshot.revision) return;
    this.snapshot = snapshot;
    if (snapshot.state === 'stopped') this.connected = { clients: [], more: 0 };
  }

  /** A client was disconnected: it is not waited for the next second to tell so. */
  left(client: string): void {
    if (this.connected) this.connected = { ...this.connected, clients: this.connected.clients.filter(({ id }) => id !== client) };
  }

  apply(event: InstanceEvent): void {
    switch (event.type) {
      case 'snapshot': {
        const gap = this.snapshot !== null && event.data.revision > this.snapshot.revision + 1;
        this.accept(event.data);
        if (gap) void this.refresh();
        break;
      }
      case 'sample':
        this.#addFigures(event.data);
        break;
      case 'activity':
        this.activities = [...this.activities, event.data].slice(-ACTIVITY_LIMIT);
        break;
      case 'removed':
        // Whoever keeps the instances forgets this one.
        break;
    }
  }

  #addFigures({ sample, services, market, trading, failed_logins, connected }: SampleEvent): void {
    this.connected = connected;
    this.samples = [...this.samples, sample].slice(-SAMPLE_LIMIT);
    if (!this.snapshot) return;
    const loads = new Map(services.map((load) => [load.service, load]));
    this.snapshot = {
      ...this.snapshot,
      market,
      trading,
      failed_logins,
      services: this.snapshot.services.map((service) => ({ ...service, ...loads.get(service.service) })),
    };
  }
}

/** Both lists in order of time, each entry once: events may arrive before the history that contains them. */
function merge<T extends { at: number }>(older: readonly T[], newer: readonly T[], limit: number, name: (entry: T) => string = () => ''): T[] {
  const entries = new Map<string, T>();
  for (const entry of [...older, ...newer]) entries.set(`${entry.at} ${name(entry)}`, entry);
  return [...entries.values()].sort((a, b) => a.at - b.at).slice(-limit);
}
