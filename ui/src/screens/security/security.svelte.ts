/**
 * Who may reach an instance: the addresses somebody is about to choose, and what protects them.
 *
 * A draft exists only for an address that somebody changed. A token is here in full for some seconds, and only after
 * somebody asked for it.
 */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { isLoopback, list } from '../../lib/format';
import type { LiveSnapshot } from '../../lib/state/live.svelte';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { PemSource, Problem, Scope, SecurityView, ServiceSnapshot } from '../../lib/wire/types';
import { breadthOf, checklist, consequence, GROUPS, isReady, LOCAL, servicesOf, type Breadth, type Fix, type Group } from './words';

/** How long a token stays on the screen, in milliseconds. */
export const REVEALED_MILLIS = 10_000;

/** A question that is open. */
export type Asking = 'arm' | 'protect' | 'rotate' | 'make' | 'import' | 'tls-off' | 'auth-off' | 'remove' | null;

export type Row = {
  group: Group;
  title: string;
  variable: string;
  services: ServiceSnapshot[];
  /** As it is in force, with its origin. */
  setting: ServiceSnapshot['address'];
  /** As it would be. */
  address: string;
  breadth: Breadth;
  changed: boolean;
  /** The environment decides. */
  locked: boolean;
};

export class SecurityState {
  /** `null` until the first answer. */
  view = $state.raw<SecurityView | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Something was asked for and is not finished. */
  busy = $state(false);
  #asking = $state<Asking>(null);
  /** What the answer to the question met; stands in the dialog. */
  refusal = $state.raw<Problem | null>(null);
  scope = $state<Scope>('trade');
  /** A token in full, for some seconds. */
  revealed = $state.raw<{ scope: Scope; secret: string } | null>(null);
  /** Further names that clients use for this computer, for a certificate that is made: apart by commas or blanks. */
  names = $state('');

  readonly rows = $derived.by<Row[]>(() => GROUPS.map((facts) => this.#row(facts)));
  /** Names that clients may use, as they would be. */
  readonly hosts = $derived.by(() => {
    const setting = this.#live.snapshot?.security.allowed_hosts ?? { value: '', origin: { layer: 'built-in' as const, file: null, line: null, variable: null }, shadowed: [] };
    const value = this.#hosts ?? setting.value;
    return { setting, value, changed: value !== setting.value };
  });
  readonly dirty = $derived(this.hosts.changed || this.rows.some((row) => row.changed));
  readonly canApply = $derived(this.dirty && !this.busy && this.view !== null);
  /** Whether other computers are, or would be, meant to connect. */
  readonly outside = $derived(this.rows.some(({ address }) => !isLoopback(address)));
  readonly ready = $derived.by(() => {
    const snapshot = this.#live.snapshot;
    return snapshot !== null && this.view !== null && isReady(snapshot.security, this.view);
  });
  readonly checks = $derived.by(() => {
    const snapshot = this.#live.snapshot;
    return snapshot && this.view ? checklist(this.rows.map(({ address }) => address), snapshot, this.view) : [];
  });
  /** Addresses that have left this computer, and what is listened on meanwhile. */
  readonly away = $derived.by(() =>
    this.rows.flatMap(({ group, title, setting }) => {
      const { security } = this.#live.snapshot ?? {};
      const address = group === 'mcp' ? security?.mcp_away : security?.monitoring_away;
      return address ? [{ group, title, address, now: setting.value }] : [];
    }),
  );
  readonly token = $derived(this.view?.tokens.find(({ scope }) => scope === this.scope) ?? null);

  readonly #host: InstanceHost;
  readonly #live: LiveSnapshot;
  readonly #toasts: Toasts;
  #drafts = $state.raw<Partial<Record<Group, string>>>({});
  #hosts = $state.raw<string | null>(null);
  #hide: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(host: InstanceHost, live: LiveSnapshot, toasts: Toasts) {
    this.#host = host;
    this.#live = live;
    this.#toasts = toasts;
  }

  get asking(): Asking {
    return this.#asking;
  }

  /** Opens a question, or closes it: whoever waits for the answer hears that nothing was done. */
  set asking(asking: Asking) {
    this.#asking = asking;
    if (asking === null) this.#answer(false);
  }

  /** Makes a certificate after the question that says what happens. Whether it was made. */
  async certify(): Promise<boolean> {
    await this.read();
    this.ask('make');
    return this.#answered();
  }

  /** Turns on what other computers need, after the question. Whether that was done. */
  async serveOthers(): Promise<boolean> {
    await this.read();
    this.offerProtection();
    return this.#answered();
  }

  /** Moves a group to an address, through the same gates as the screen. Whether it is there then. */
  async reach(group: Group, address: string): Promise<boolean> {
    await this.read();
    const row = this.rows.find((one) => one.group === group);
    if (!row) return false;
    if (row.locked) {
      this.#toasts.warn(`${row.title} listens where ${row.variable} in the environment says. Unset it and start again.`);
      return false;
    }
    if (this.away.some((one) => one.group === group && one.now === address)) {
      await this.stay(group);
      return !this.away.some((one) => one.group === group);
    }
    this.choose(group, address);
    await this.apply();
    const done = this.asking === null ? !this.dirty : await this.#answered();
    if (!done) this.discard();
    return done;
  }

  /** Looks at everything again. Of two looks the later one counts. */
  async read(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const view = await this.#host.security();
      if (asked !== this.#asked) return;
      this.view = view;
      this.problem = null;
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.view = null;
      this.problem = asProblem(thrown);
    }
  }

  consequenceOf(row: Row): ReturnType<typeof consequence> {
    if (!this.view) return { tone: 'info', text: '' };
    return consequence(row.group, row.address, this.view, this.ready, row.changed);
  }

  /** Chooses how far a group listens. One interface means the first that leads somewhere, until another one is chosen. */
  widen(group: Group, breadth: Breadth): void {
    const row = this.rows.find((one) => one.group === group);
    if (!row || row.locked || row.breadth === breadth) return;
    const before = breadthOf(row.setting.value) === breadth ? row.setting.value : null;
    const first = this.view?.interfaces.find(({ kind }) => kind !== 'loopback' && kind !== 'container') ?? this.view?.interfaces.find(({ kind }) => kind !== 'loopback');
    const address = before ?? (breadth === 'local' ? LOCAL : breadth === 'all' ? this.view?.everywhere : first?.address);
    if (address) this.choose(group, address);
    else this.#toasts.warn('This computer is in no network.');
  }

  choose(group: Group, address: string): void {
    this.#drafts = { ...this.#drafts, [group]: address };
  }

  /** Chooses the names that clients may use. */
  allow(names: string): void {
    this.#hosts = names;
  }

  discard(): void {
    this.#hosts = null;
    this.#drafts = {};
  }

  /** Both groups back to this computer. */
  makeLocal(): Promise<void> {
    for (const row of this.rows) if (!row.locked && !isLoopback(row.address)) this.choose(row.group, LOCAL);
    return this.apply();
  }

  /** Moves to the chosen addresses; asks first where others would be refused there. */
  async apply(): Promise<void> {
    if (!this.canApply) return;
    const widens = this.rows.some(({ changed, address }) => changed && !isLoopback(address));
    if (widens && !(this.ready && this.#covered())) this.offerProtection();
    else await this.#setReach(false);
  }

  /** What is listened on while an address is away is kept. */
  async stay(group: Group): Promise<void> {
    const now = this.away.find((one) => one.group === group)?.now;
    if (!now) return;
    await this.#do(async () => {
      const expected_revision = this.#live.snapshot?.revision ?? 0;
      const wanted = (one: Group): string | null => (one === group ? now : null);
      this.#live.accept(await this.#host.setReach({ expected_revision, mcp: wanted('mcp'), monitoring: wanted('monitoring'), protect: false, names: [], allowed_hosts: null }));
    }, `Stays on ${now}.`);
  }

  /** Asks whether to make and turn on what other computers need. */
  offerProtection(): void {
    this.#open('protect');
  }

  async protect(): Promise<void> {
    await this.#setReach(true);
  }

  async arm(armed: boolean): Promise<void> {
    const done = armed ? 'Trading is armed.' : 'Trading is read-only.';
    await this.#do(async () => this.#live.accept(await this.#host.armTrading(armed)), done);
  }

  async reveal(): Promise<void> {
    if (this.revealed) return this.hide();
    const scope = this.scope;
    try {
      this.revealed = { scope, secret: await this.#host.revealToken(scope) };
      clearTimeout(this.#hide);
      this.#hide = setTimeout(() => this.hide(), REVEALED_MILLIS);
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    }
  }

  hide(): void {
    clearTimeout(this.#hide);
    this.revealed = null;
  }

  /** Puts the token on the clipboard; nothing shows it. */
  async copyToken(copy: (text: string) => Promise<void>): Promise<void> {
    const scope = this.scope;
    try {
      await copy(await this.#host.revealToken(scope));
      this.#toasts.done(`Copied the ${scope} token`);
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    }
  }

  chooseScope(scope: Scope): void {
    this.hide();
    this.scope = scope;
  }

  async rotate(): Promise<void> {
    const { scope } = this;
    this.hide();
    await this.#do(() => this.#host.rotateTokens([scope]), `The ${scope} token is new. What the old one opened was closed.`);
  }

  ask(asking: Exclude<Asking, null>): void {
    this.#open(asking);
  }

  /** Makes a certificate; one that was imported is replaced only after the question that says so. */
  async makeCertificate(): Promise<void> {
    const imported = this.view?.certificate?.authority === null;
    const names = this.#names();
    await this.#do(() => this.#host.makeCertificate(names, imported), 'The certificate is made. New connections see it.');
  }

  async importCertificate(certificate: PemSource, key: PemSource): Promise<void> {
    await this.#do(() => this.#host.importCertificate(certificate, key), 'The certificate is imported. New connections see it.');
  }

  async removeCertificate(): Promise<void> {
    await this.#do(() => this.#host.removeCertificate(), 'The certificate is removed.');
  }

  setTls(on: boolean): Promise<void> {
    return this.#change('security.tls', on ? 'on' : 'off', on ? 'TLS is on.' : 'TLS is off.');
  }

  setAuthentication(on: boolean): Promise<void> {
    return this.#change('security.auth', on ? 'token' : 'none', on ? 'A token is needed.' : 'No token is asked for on this computer.');
  }

  async trust(network: string, trusted: boolean | null): Promise<void> {
    await this.#do(() => this.#host.trustNetwork(network, trusted), trusted ? 'The network is trusted.' : 'The network is not trusted any more.');
  }

  /** What the button of a check does; `open` leads to another screen. */
  async mend(fix: Fix, open: (screen: 'firewall') => void): Promise<void> {
    switch (fix.kind) {
      case 'firewall':
        return open('firewall');
      case 'certificate':
        return this.ask('make');
      case 'renew':
        return this.view?.certificate?.authority ? this.makeCertificate() : this.ask('import');
      case 'tls':
        return this.setTls(true);
      case 'token':
        return this.setAuthentication(true);
      case 'trust':
        return this.trust(fix.network, fix.trusted);
    }
  }

  #waiting: ((done: boolean) => void)[] = [];

  #answered(): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #answer(done: boolean): void {
    for (const tell of this.#waiting.splice(0)) tell(done);
  }

  #open(asking: Exclude<Asking, null>): void {
    this.refusal = null;
    this.asking = asking;
  }

  /** The chosen addresses are among those that the certificate names, or an imported one is left as it is. */
  #covered(): boolean {
    const certificate = this.view?.certificate;
    if (!certificate) return false;
    const wanted = this.rows.map(({ address }) => address).filter((address) => !isLoopback(address) && breadthOf(address) === 'one');
    return certificate.authority === null || wanted.every((address) => certificate.info.names.includes(address));
  }

  #names(): string[] {
    return this.names.split(/[\s,]+/).filter((name) => name !== '');
  }

  async #setReach(protect: boolean): Promise<void> {
    const wanted = (group: Group): string | null => this.rows.find((row) => row.group === group && row.changed)?.address ?? null;
    const [mcp, monitoring] = [wanted('mcp'), wanted('monitoring')];
    const allowed = this.hosts.changed ? this.hosts.value : null;
    const moved = this.rows.filter((row) => row.changed).map(({ title, address }) => `${title} on ${address}`);
    await this.#do(async () => {
      const expected_revision = this.#live.snapshot?.revision ?? 0;
      this.#live.accept(await this.#host.setReach({ expected_revision, mcp, monitoring, protect, names: this.#names(), allowed_hosts: allowed }));
      this.discard();
    }, moved.length > 0 ? list(moved) : allowed !== null ? 'The names are saved.' : 'Other computers are served over TLS with a token.');
  }

  #change(key: string, value: string, done: string): Promise<void> {
    return this.#do(async () => {
      const expected_revision = this.#live.snapshot?.revision ?? 0;
      this.#live.accept(await this.#host.changeSettings({ expected_revision, changes: [{ key, value }], save: 'toml' }));
    }, done);
  }

  /** What fails is said where the person is: in the open dialog, or as a message. */
  async #do(act: () => Promise<unknown>, done: string): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await act();
      this.#answer(true);
      this.asking = null;
      this.#toasts.done(done);
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (this.asking) this.refusal = problem;
      else this.#toasts.failed(problem);
      if (problem.code === 'revision_conflict') void this.#live.refresh();
    } finally {
      this.busy = false;
    }
    await this.read();
  }

  #row({ group, title, variable }: (typeof GROUPS)[number]): Row {
    const snapshot = this.#live.snapshot;
    const services = snapshot ? servicesOf(group, snapshot) : [];
    const setting = services[0]?.address ?? { value: LOCAL, origin: { layer: 'built-in', file: null, line: null, variable: null }, shadowed: [] };
    const locked = setting.origin.layer === 'environment';
    const address = locked ? setting.value : (this.#drafts[group] ?? setting.value);
    return { group, title, variable, services, setting, address, breadth: breadthOf(address), changed: address !== setting.value, locked };
  }
}
