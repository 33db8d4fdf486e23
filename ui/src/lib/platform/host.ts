/**
 * The one seam between the panel and the program that holds the services.
 *
 * Every method rejects with a {@link Problem}, never with another kind of error.
 */
import type {
  Activity, AuditPage, ClientInfo, ClientProgram, Conflict, Connected, DeskMessage, DeskOrder, Envelope, FirewallChoice, FirewallResult, FirewallTask, FirewallView, LogPage, NewInstance, OrderChange, OrderTicket, PemSource, Place, PortCheck, PortNews, PortSet, Problem, ProfileInfo, ProgramInfo, ReachEdit, Release, Released, Sample, Scope, SecurityView, Service, ServiceTest, SettingsEdit, Snapshot, Snippet, TestChoice, TestProgress, TicketPreview, TradingState, Transport, Trial, AccountLimits, MarketFile, MarketRequest, RiskFigures, MarketStatus,
} from '../wire/types';

/** What happened before the window was opened, oldest first, and who is connected. */
export type History = { samples: Sample[]; activities: Activity[]; connected: Connected };

/** Every instance as it is now, `default` first, and the id of the one to show. */
export type Fleet = { opened: string; instances: Snapshot[] };

/** What can be asked of one instance. The id is bound once, so that no screen can address another one by mistake. */
export interface InstanceHost {
  /** The picture of the instance now. */
  snapshot(): Promise<Snapshot>;
  history(): Promise<History>;
  /** Resolves when all four services answer; a taken port rejects with `port_taken`. */
  start(): Promise<void>;
  /** Resolves when the connections have drained. */
  stop(): Promise<void>;
  /** Any settings at once, all or nothing; resolves with the picture after the change. */
  changeSettings(edit: SettingsEdit): Promise<Snapshot>;
  /** Puts the last good copy in place of the damaged configuration file, which is kept aside. */
  restoreSettings(): Promise<Snapshot>;
  /** Whether the service could listen on the port, on the address that it will really bind. */
  checkPort(service: Service, port: number): Promise<PortCheck>;
  /** Who holds a port that the service cannot have, what to use instead, and the ways to free it. */
  conflict(service: Service, port: number): Promise<Conflict>;
  /** Ends what holds the port, if it is still what was shown. Takes as long as a person takes for a password. */
  freePort(service: Service, port: number, release: Release): Promise<Released>;
  /** The rules for a choice, and what is known of the firewall. */
  firewall(choice: FirewallChoice): Promise<FirewallView>;
  /** Asks for root's password and runs exactly what is shown; other lines meanwhile reject with `revision_conflict`. */
  runFirewall(task: FirewallTask, choice: FirewallChoice, shown: string[]): Promise<FirewallResult[]>;
  /** Writes the rules and their undo to a script; resolves with its path. */
  saveFirewallScript(choice: FirewallChoice): Promise<string>;
  /** The lines of the log from number `after` on. */
  logs(after: number): Promise<LogPage>;
  /** Part of the audit trail, the newest first; with a cursor what is older. */
  audit(cursor: number | null, limit: number): Promise<AuditPage>;
  /** Shows the folder of the log files. */
  openLogs(): Promise<void>;
  /** Writes settings, versions and logs to one file, without any secret; resolves with its path. */
  saveDiagnostics(): Promise<string>;
  /** The programs that there is a text for. */
  clientPrograms(): Promise<ProgramInfo[]>;
  /** What a program is told; the usual way for `null`. `whole` puts the token in, and is remembered as given out. */
  clientSnippet(client: ClientProgram, transport: Transport | null, place: Place | null, whole: boolean): Promise<Snippet>;
  /** The program no longer uses what it was given. */
  forgetSnippet(client: ClientProgram, transport: Transport, place: Place): Promise<Snapshot>;
  /** Runs the program with its text, where it is on this computer. */
  tryClient(client: ClientProgram, transport: Transport | null, place: Place | null): Promise<Trial>;
  /** Ends the connection of a client, which may connect again. */
  disconnectClient(client: string): Promise<ClientInfo>;
  /** Tokens without their secrets, certificate, interfaces, networks and firewall as they are now. */
  security(): Promise<SecurityView>;
  /** Moves MCP and monitoring to other addresses, all or nothing; with `protect`, makes and turns on what others need first. */
  setReach(edit: ReachEdit): Promise<Snapshot>;
  /** Lets clients place orders, or not, while other computers are served. */
  armTrading(armed: boolean): Promise<Snapshot>;
  /** A token in full. Nobody keeps it. */
  revealToken(scope: Scope): Promise<string>;
  /** Makes new tokens; what the old ones opened ends. */
  rotateTokens(scopes: Scope[]): Promise<void>;
  /** Makes a certificate for this computer and these further names; an imported one rejects unless it may be replaced. */
  makeCertificate(names: string[], replaceImported: boolean): Promise<void>;
  importCertificate(certificate: PemSource, key: PemSource): Promise<void>;
  /** Rejects while TLS is on. */
  removeCertificate(): Promise<void>;
  /** What the person says of a network; `null` takes it back. */
  trustNetwork(network: string, trusted: boolean | null): Promise<void>;
  /** Goes to services as clients do, telling each rung. Another test ends it, and so does `cancelTest`: with `wrong_state`. */
  testConnections(choice: TestChoice, listener: (progress: TestProgress) => void): Promise<ServiceTest[]>;
  /** Ends the test that runs, with its connections. */
  cancelTest(): Promise<void>;
  /**
   * The paper account and one market: everything at once, then what changes, until the returned function is called. Only
   * one listener at a time hears anything.
   */
  watchDesk(symbol: string, listener: (message: DeskMessage) => void): () => void;
  /** What an order would do; nothing is placed. */
  previewOrder(ticket: OrderTicket): Promise<TicketPreview>;
  /** Resolves with the order as it stands after matching. The same ticket again places nothing and gives the same order. */
  placeOrder(ticket: OrderTicket): Promise<DeskOrder>;
  changeOrder(change: OrderChange): Promise<DeskOrder>;
  cancelOrder(order: string): Promise<DeskOrder>;
  /** Resolves with how many were cancelled. */
  cancelAllOrders(): Promise<number>;
  /** Closes the position with a market order. */
  closePosition(symbol: string): Promise<DeskOrder>;
  /** Halts trading, lets only orders through that make a position smaller, or resumes it. */
  setTradingState(state: TradingState): Promise<void>;
  /** All of them; one out of range rejects at its field. */
  setLimits(limits: AccountLimits): Promise<void>;
  /** What the account may lose over a day, with all that it holds now. */
  accountRisk(): Promise<RiskFigures>;
  /** Gives the account its opening cash back; positions, orders and fills are gone. */
  resetAccount(): Promise<void>;
  /** Pauses, moves or changes where the prices come from. A file that cannot be played rejects at its field. */
  askMarket(request: MarketRequest): Promise<MarketStatus>;
  /** What a file is, before it is played; `null`: as the symbol that its name says. One that cannot be played rejects at its field. */
  lookAtMarketFile(file: string, symbol: string | null): Promise<MarketFile>;
  /** Lets the person choose a file; `null` where none was chosen. */
  chooseMarketFile(): Promise<string | null>;
  /** Shows the instance as the process that runs it says it is, until that process ends. */
  attach(): Promise<void>;
  /** Asks the process that runs the instance to end; resolves when it has. */
  endElsewhere(): Promise<void>;
  /** Shows the folder of its data. */
  openData(): Promise<void>;
  /** Removes the settings of a stopped instance, and its data where that is asked for. */
  remove(withData: boolean): Promise<void>;
}

export interface Host {
  /** What a page that knows nothing yet asks first. */
  instances(): Promise<Fleet>;
  /** What lies on the disk of every instance. */
  profiles(): Promise<ProfileInfo[]>;
  /** Sets of four free ports for a new instance, best first; for a clone, on the addresses of its original. */
  freePortSets(from: string | null): Promise<PortSet[]>;
  /** Whether a service of a new instance could have the port. */
  checkNewPort(from: string | null, service: Service, port: number): Promise<PortCheck>;
  /** Makes an instance, stopped; resolves with its picture. */
  createInstance(wanted: NewInstance): Promise<Snapshot>;
  /** The instance of that id. Whether there is one shows when it is asked. */
  instance(id: string): InstanceHost;
  /**
   * Events of all instances, those of one in order, until the returned function is called. `onlost` hears when no events
   * will come.
   */
  subscribe(listener: (envelope: Envelope) => void, onlost?: (problem: Problem) => void): () => void;
  /**
   * Every listening socket of the system, at once and then whenever something changes, until the returned function is
   * called. Ours are marked. Only one listener at a time hears anything.
   */
  watchPorts(listener: (news: PortNews) => void): () => void;
  /** Somebody wants to see an instance, through the tray or a second launch. Until the returned function is called. */
  onInstanceRequested(listener: (id: string) => void): () => void;
  /** Somebody closes the window and no tray icon would remain. Until the returned function is called. */
  onCloseRequested(listener: () => void): () => void;
  /** Stops the services of all instances and ends the program. */
  quit(): Promise<void>;
  /** Puts text on the clipboard. */
  copy(text: string): Promise<void>;
}

/** What a rejected promise of the host carries, whatever was thrown. */
export function asProblem(thrown: unknown): Problem {
  if (isProblem(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message, field: null, help: null };
}

function isProblem(thrown: unknown): thrown is Problem {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown && typeof thrown.message === 'string';
}
