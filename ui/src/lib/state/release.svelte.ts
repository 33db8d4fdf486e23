/** Ending what holds a port: asks first, asks again before SIGKILL, then goes on with what the person wanted. */
import { asProblem, type InstanceHost } from '../platform/host';
import type { Release, Service, WayOut } from '../wire/types';
import type { Toasts } from './toasts.svelte';

/** The question as the dialog shows it. */
export type Question = { title: string; text: string; act: string };

type Asked = { service: Service; port: number; title: string; release: Release; then: () => void; question: Question };

export class ReleaseControl {
  /** Something is being ended. */
  busy = $state(false);
  readonly question = $derived.by<Question | null>(() => this.#asked?.question ?? null);

  readonly #host: InstanceHost;
  readonly #toasts: Toasts;
  #asked = $state.raw<Asked | null>(null);

  constructor(host: InstanceHost, toasts: Toasts) {
    this.#host = host;
    this.#toasts = toasts;
  }

  /** Opens the question. `then` follows when the port was freed. */
  ask(service: Service, port: number, way: WayOut, then: () => void): void {
    if (!way.release || this.busy) return;
    const question = { title: `${way.title}?`, text: way.detail, act: way.action };
    this.#asked = { service, port, title: way.title, release: way.release, then, question };
  }

  /** The harmless answer. What was already asked for goes on, and nothing follows it. */
  keep(): void {
    this.#asked = null;
  }

  async confirm(): Promise<void> {
    const asked = this.#asked;
    if (!asked || this.busy) return;
    this.busy = true;
    try {
      const released = await this.#host.freePort(asked.service, asked.port, asked.release);
      if (this.#asked !== asked) return;
      this.#asked = released === 'still_running' ? again(asked) : null;
      if (released === 'ended') asked.then();
    } catch (thrown) {
      if (this.#asked === asked) this.#asked = null;
      this.#toasts.failed(asProblem(thrown));
    } finally {
      this.busy = false;
    }
  }
}

/** The second question, about SIGKILL. A unit is never asked about twice: its manager kills what does not stop. */
function again(asked: Asked): Asked | null {
  const { release, title } = asked;
  if (release.kind === 'unit') return null;
  const kill = title.replace(/^End/, 'Kill');
  const text = 'It ignores SIGTERM. SIGKILL ends it at once, and what it has not saved is lost.';
  return { ...asked, release: { ...release, force: true }, question: { title: `${kill}?`, text, act: kill.split(',')[0] ?? kill } };
}
