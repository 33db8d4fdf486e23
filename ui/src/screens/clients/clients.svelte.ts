/** What client programs are told of one instance, and who is connected to it. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { count } from '../../lib/format';
import type { LiveSnapshot } from '../../lib/state/live.svelte';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { ClientInfo, ClientProgram, Place, Problem, ProgramInfo, Service, Snippet, StaleSnippet, Transport, Trial } from '../../lib/wire/types';

/** Which service a client of a transport talks to. */
const SERVED_BY: Record<Transport, Service | null> = { stdio: null, http: 'mcp-http', rest: 'mcp-http', websocket: 'mcp-websocket', scrape: 'prometheus' };

export class ClientsState {
  /** `null` until the first answer. */
  programs = $state.raw<ProgramInfo[] | null>(null);
  chosen = $state.raw<ClientProgram>('claude-desktop');
  /** Without the token unless it is revealed; `null` until the first answer. */
  snippet = $state.raw<Snippet | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Whether the token is shown. */
  revealed = $state(false);
  trial = $state.raw<Trial | null>(null);
  trying = $state(false);
  /** Whether it is asked if everyone is to be disconnected. */
  asking = $state(false);

  readonly program = $derived<ProgramInfo | null>(this.programs?.find(({ client }) => client === this.chosen) ?? null);
  readonly canTry = $derived(this.snippet !== null && this.program !== null && this.program.tried.includes(this.snippet.transport));
  /** What was given out for the program that is shown and no longer fits. */
  readonly stale = $derived.by<StaleSnippet[]>(() => this.#live.snapshot?.stale_clients.filter(({ client }) => client === this.chosen) ?? []);

  readonly #host: InstanceHost;
  readonly #live: LiveSnapshot;
  readonly #toasts: Toasts;
  #transport: Transport | null = null;
  #place: Place | null = null;
  #asked = 0;

  constructor(host: InstanceHost, live: LiveSnapshot, toasts: Toasts) {
    this.#host = host;
    this.#live = live;
    this.#toasts = toasts;
  }

  isStale(client: ClientProgram): boolean {
    return this.#live.snapshot?.stale_clients.some((stale) => stale.client === client) ?? false;
  }

  /** Reads the text for what is chosen, with the settings of this moment. Hides the token again. */
  async read(): Promise<void> {
    const asked = ++this.#asked;
    this.revealed = false;
    this.trial = null;
    try {
      this.programs ??= await this.#host.clientPrograms();
      const snippet = await this.#ask(false);
      if (asked !== this.#asked) return;
      this.snippet = snippet;
      this.problem = null;
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.snippet = null;
      this.problem = asProblem(thrown);
    }
  }

  choose(client: ClientProgram): Promise<void> {
    this.chosen = client;
    this.#transport = null;
    return this.read();
  }

  connectBy(transport: Transport): Promise<void> {
    this.#transport = transport;
    return this.read();
  }

  runOn(place: Place): Promise<void> {
    this.#place = place;
    return this.read();
  }

  /** Shows the token, or hides it. */
  async reveal(): Promise<void> {
    if (this.revealed) return this.read();
    await this.#orSay(async () => {
      this.snippet = await this.#ask(true);
      this.revealed = true;
    });
  }

  /** Puts the whole text on the clipboard. Rejects where that fails. */
  async copy(write: (text: string) => Promise<void>): Promise<void> {
    await write((await this.#ask(true)).text);
  }

  /** Copies what the chosen program is told, or the first that uses the service, and returns that program's name. */
  async copyFor(service: Service, write: (text: string) => Promise<void>): Promise<string> {
    this.programs ??= await this.#host.clientPrograms();
    const uses = ({ transports }: ProgramInfo): Transport | undefined => transports.find((transport) => SERVED_BY[transport] === service);
    const chosen = this.program && uses(this.program) ? this.program : this.programs.find(uses);
    // The health check is asked by curl as any page is.
    const { client, name } = chosen ?? this.programs.find(({ client }) => client === 'curl')!;
    const transport = chosen ? uses(chosen)! : null;
    const { text, file } = await this.#host.clientSnippet(client, transport, this.#place, true);
    await write(text);
    return `${name}, for ${file}`;
  }

  /** Runs the program with its text. */
  async tryIt(): Promise<void> {
    const { snippet } = this;
    if (!snippet || this.trying) return;
    this.trying = true;
    this.trial = null;
    const asked = this.#asked;
    await this.#orSay(async () => {
      const trial = await this.#host.tryClient(snippet.client, snippet.transport, snippet.place);
      if (asked === this.#asked) this.trial = trial;
    });
    this.trying = false;
  }

  /** The program no longer uses what it was given. */
  forget({ client, transport, place }: StaleSnippet): Promise<void> {
    return this.#orSay(async () => this.#live.accept(await this.#host.forgetSnippet(client, transport, place)));
  }

  disconnect({ id, name }: ClientInfo): Promise<void> {
    return this.#orSay(async () => {
      await this.#host.disconnectClient(id);
      this.#live.left(id);
      this.#toasts.done(`${name} is disconnected`);
    });
  }

  /** Ends the connection of everyone who is listed. */
  async disconnectAll(): Promise<void> {
    const clients = this.#live.connected?.clients ?? [];
    const ends = await Promise.allSettled(clients.map(({ id }) => this.#host.disconnectClient(id)));
    for (const { id } of clients) this.#live.left(id);
    this.asking = false;
    // One that has gone by itself needs no end.
    this.#toasts.done(`${count(ends.filter(({ status }) => status === 'fulfilled').length, 'client is', 'clients are')} disconnected`);
  }

  #ask(whole: boolean): Promise<Snippet> {
    return this.#host.clientSnippet(this.chosen, this.#transport, this.#place, whole);
  }

  async #orSay(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    }
  }
}
