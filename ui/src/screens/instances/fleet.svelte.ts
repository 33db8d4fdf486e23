/** What the screen of instances knows and does beside the instances themselves: their files, the form of a new one. */
import type { Instances, InstanceState } from '../../instances.svelte';
import { list } from '../../lib/format';
import { asProblem, type Host } from '../../lib/platform/host';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { PortSet, Problem, ProfileInfo, Service } from '../../lib/wire/types';
import { NewInstanceForm } from './new-instance.svelte';

export class FleetState {
  /** By id; `null` until the first answer. */
  profiles = $state.raw<ReadonlyMap<string, ProfileInfo> | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The form of a new instance, while it is open. */
  form = $state.raw<NewInstanceForm | null>(null);
  /** The instance whose details are shown, once somebody chose one. */
  chosen = $state<string | null>(null);
  /** What is to happen to which instance, while the question is open: it is removed, or its other process is to end. */
  asked = $state.raw<{ what: 'remove' | 'end'; instance: InstanceState } | null>(null);
  /** Whether a removal takes the data too. */
  withData = $state(false);
  /** What was asked for and is not finished. */
  busy = $state(false);

  readonly #host: Host;
  readonly #instances: Instances;
  readonly #toasts: Toasts;

  constructor(host: Host, instances: Instances, toasts: Toasts) {
    this.#host = host;
    this.#instances = instances;
    this.#toasts = toasts;
  }

  async read(): Promise<void> {
    try {
      const found = await this.#host.profiles();
      this.profiles = new Map(found.map((profile) => [profile.instance, profile]));
      this.problem = null;
    } catch (thrown) {
      this.problem = asProblem(thrown);
    }
  }

  /** Opens the form; as a clone of `from` where one is named. */
  begin(from: string | null = null): void {
    this.form = new NewInstanceForm(this.#host, () => this.#instances.all.map(({ id }) => id), from);
  }

  cancel(): void {
    this.form = null;
  }

  /** Makes the instance of the form and starts it. What is wrong with a field is said at the field. */
  async create(): Promise<void> {
    const { form } = this;
    if (!form?.ready || this.busy) return;
    await this.#ask(async () => {
      const { instance, services } = await this.#host.createInstance(form.wanted);
      this.form = null;
      this.chosen = instance;
      this.#toasts.done(`${instance} has ${list(services.map((service) => service.port.value))}.`);
      await this.#instances.refresh();
      await this.#instances.all.find(({ id }) => id === instance)?.run.start();
    }, (problem) => form.refuse(problem));
    void this.read();
  }

  ask(what: 'remove' | 'end', instance: InstanceState): void {
    this.withData = false;
    this.asked = { what, instance };
  }

  /** The question was answered with yes. */
  async act(): Promise<void> {
    if (!this.asked) return;
    const { what, instance } = this.asked;
    await (what === 'remove' ? this.#remove(instance) : this.#end(instance));
    this.asked = null;
  }

  /** Shows where the instance keeps its data. */
  async openFolder(instance: InstanceState): Promise<void> {
    await this.#ask(() => instance.host.openData());
  }

  async #remove(instance: InstanceState): Promise<void> {
    const { withData } = this;
    await this.#ask(async () => {
      await instance.host.remove(withData);
      const data = this.profiles?.get(instance.id)?.data_folder;
      this.#toasts.done(withData || !data ? `${instance.id} is removed.` : `${instance.id} is removed. Its data stays in ${data}.`);
    });
    this.chosen = null;
    void this.read();
  }

  async attach(instance: InstanceState): Promise<void> {
    await this.#ask(() => instance.host.attach());
  }

  async #end(instance: InstanceState): Promise<void> {
    await this.#ask(async () => {
      await instance.host.endElsewhere();
      this.#toasts.done(`The process has ended. ${instance.id} can be started here.`);
    });
  }

  /** Every instance that runs here. */
  async stopAll(): Promise<void> {
    const running = this.#instances.all.filter(({ live: { snapshot } }) => snapshot?.state === 'running' && !snapshot.elsewhere);
    await Promise.all(running.map(({ run }) => run.stop()));
  }

  async #ask(act: () => Promise<void>, refused: (problem: Problem) => boolean = () => false): Promise<void> {
    this.busy = true;
    try {
      await act();
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (!refused(problem)) this.#toasts.failed(problem);
    } finally {
      this.busy = false;
    }
  }
}

/** The services in the order of a set of ports. */
export const SERVICES: readonly { id: Service; name: string }[] = [
  { id: 'mcp-websocket', name: 'MCP WebSocket' },
  { id: 'mcp-http', name: 'MCP HTTP API' },
  { id: 'prometheus', name: 'Prometheus' },
  { id: 'health', name: 'Health check' },
];

export function portsText(ports: PortSet['ports']): string {
  return ports.join(' · ');
}
