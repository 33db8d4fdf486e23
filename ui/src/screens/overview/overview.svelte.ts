/** What Overview shows beside the picture itself: the charts, and a second look at a taken port. */
import { columns, spanOf, type Line } from '../../lib/charts';
import { figure } from '../../lib/format';
import type { SecondLook } from '../../lib/model/offers';
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import type { LiveSnapshot } from '../../lib/state/live.svelte';
import type { Sample, Service } from '../../lib/wire/types';

export class OverviewState {
  readonly span = $derived.by(() => spanOf(this.#live.samples));
  /** Whether there is anything to draw. */
  readonly traffic = $derived.by(() => this.#live.samples.some((sample) => sample.requests > 0 || sample.clients > 0 || sample.latency_p50 !== null));
  readonly requests = $derived.by<Line[]>(() => [{ points: this.#points((sample) => sample.requests, 'mean'), filled: true }]);
  readonly latency = $derived.by<Line[]>(() => [
    { name: 'p50', points: this.#points((sample) => sample.latency_p50, 'mean') },
    { name: 'p99', points: this.#points((sample) => sample.latency_p99, 'highest'), dashed: true },
  ]);
  readonly clients = $derived.by<Line[]>(() => [{ points: this.#points((sample) => sample.clients, 'last'), filled: true, stepped: true }]);
  readonly newest = $derived.by(() => {
    const samples = this.#live.samples;
    // The last sample was taken before the stop: stopped services have neither requests nor clients.
    const last = this.#live.snapshot?.state === 'stopped' ? undefined : samples.at(-1);
    const timed = samples.findLast((sample) => sample.latency_p50 !== null);
    return {
      requests: figure(last?.requests ?? 0),
      clients: figure(last?.clients ?? 0),
      p50: millis(timed?.latency_p50),
      p99: millis(timed?.latency_p99),
    };
  });

  /** Taken ports that were tested again, by service. */
  looks = $state.raw<Partial<Record<Service, SecondLook>>>({});
  looking = $state(false);

  readonly #host: InstanceHost;
  readonly #live: LiveSnapshot;

  constructor(host: InstanceHost, live: LiveSnapshot) {
    this.#host = host;
    this.#live = live;
  }

  /** Tests every taken port again; nothing is started or changed. */
  async lookAgain(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    const looks = await Promise.all(
      this.#live.blocked.map(async ({ service, port }): Promise<[Service, SecondLook]> => {
        try {
          return [service, { at: Date.now(), check: await this.#host.checkPort(service, port.value), problem: null }];
        } catch (thrown) {
          return [service, { at: Date.now(), check: null, problem: asProblem(thrown).message }];
        }
      }),
    );
    this.looks = Object.fromEntries(looks);
    this.looking = false;
  }

  #points(pick: (sample: Sample) => number | null, summary: 'mean' | 'highest' | 'last') {
    return columns(this.#live.samples, this.span, pick, summary);
  }
}

function millis(value: number | null | undefined): string {
  return value === null || value === undefined ? '—' : `${figure(value)} ms`;
}
