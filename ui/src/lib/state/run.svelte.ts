/** Starting and stopping the services of an instance, from every screen. */
import { fileName } from '../format';
import { portSetting } from '../model/settings';
import { asProblem, type InstanceHost } from '../platform/host';
import type { Problem, Service } from '../wire/types';
import type { LiveSnapshot } from './live.svelte';
import type { Route } from './route.svelte';
import type { Toasts } from './toasts.svelte';

export class RunControl {
  /** What was asked for and is not finished. */
  pending = $state<'start' | 'stop' | 'restore' | null>(null);

  readonly #host: InstanceHost;
  readonly #live: LiveSnapshot;
  readonly #toasts: Toasts;
  readonly #route: Route;
  #turn: Promise<void> = Promise.resolve();

  constructor(host: InstanceHost, live: LiveSnapshot, toasts: Toasts, route: Route) {
    this.#host = host;
    this.#live = live;
    this.#toasts = toasts;
    this.#route = route;
  }

  start(): Promise<void> {
    return this.#ask('start', () => this.#host.start());
  }

  stop(): Promise<void> {
    return this.#ask('stop', () => this.#host.stop());
  }

  /** The way out of a taken port: the other port is saved to ports.env, then everything starts. */
  startOn(service: Service, port: number): Promise<void> {
    return this.#ask('start', async () => {
      const expected_revision = this.#live.snapshot?.revision ?? 0;
      this.#live.accept(await this.#host.changeSettings({ expected_revision, changes: [portSetting({ service, port })], save: 'env-file' }));
      await this.#host.start();
    });
  }

  /** Puts the last good copy in place of the damaged configuration file. */
  restore(): Promise<void> {
    return this.#ask('restore', async () => {
      const file = this.#live.snapshot?.damaged_file ?? '';
      this.#live.accept(await this.#host.restoreSettings());
      this.#toasts.done(`${fileName(file)} is its last good copy again.`);
    });
  }

  /** The same is asked once; something else waits for its turn: a click while a start ends must not be lost. */
  async #ask(what: 'start' | 'stop' | 'restore', act: () => Promise<void>): Promise<void> {
    if (this.pending === what) return;
    this.pending = what;
    const turn = this.#turn.then(act).catch((thrown: unknown) => this.#report(asProblem(thrown)));
    this.#turn = turn;
    await turn;
    if (this.#turn === turn) this.pending = null;
    await this.#live.refresh();
  }

  /** A taken port has its own card on Overview with the ways out; everything else is said where the person is. */
  #report(problem: Problem): void {
    if (problem.code !== 'port_taken') {
      this.#toasts.failed(problem);
      return;
    }
    this.#route.go('overview');
  }
}
