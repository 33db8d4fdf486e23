/** Instances in memory: what a plain browser and the tests talk to. Behave as the program does, down to its errors. */
import type { Envelope, ListenerRow, NewInstance, PortCheck, PortSet, Problem, Service } from '../wire/types';
import { copyText } from './clipboard';
import { fleetOf, profileOf, SERVICES, type Scenario } from './fake-data';
import { PROGRAM_INFOS } from './fake-clients';
import { FakeInstance, problem } from './fake-instance';
import { testConnections } from './fake-test';
import { MARKET_FILE } from './fake-trading';
import type { Host, InstanceHost } from './host';

export { isScenario, SCENARIOS, type Scenario } from './fake-data';

/** How the fake behaves beyond its scenario. */
export type FakeOptions = {
  /** So often something happens while running, in milliseconds; never without it. */
  period?: number;
  /** The clipboard, where there is no webview. */
  copy?: (text: string) => Promise<void>;
};

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export function fakeHost(scenario: Scenario, options: FakeOptions = {}): Host {
  const copy = options.copy ?? copyText;
  if (scenario === 'error') return { ...brokenHost(), copy };
  const listeners = new Set<(envelope: Envelope) => void>();
  const tell = (envelope: Envelope): void => listeners.forEach((listener) => listener(envelope));
  const instances = fleetOf(scenario).map((member) => new FakeInstance(member, (event) => tell({ instance: member.id, event })));
  if (options.period) setInterval(() => instances.forEach((instance) => instance.tick()), options.period);
  const loading = scenario === 'loading';

  function find(id: string): FakeInstance {
    const found = instances.find((instance) => instance.id === id);
    if (!found) throw problem('invalid_input', `There is no instance ${id}.`, 'instance', 'It may have been removed. Choose another one.');
    return found;
  }

  const used = (port: number): string | undefined => instances.find((instance) => instance.ports().includes(port))?.id;

  function portSets(): PortSet[] {
    const row = (first: number): [number, number, number, number] => [first, first + 1, first + 2, first + 3];
    const step = [0, 10, 20, 30].find((more) => !used(5010 + more)) ?? 40;
    const block = [10_010, 10_020, 10_030].map(row).find((ports) => !ports.some(used)) ?? row(10_040);
    const message = 'All four are free on 127.0.0.1 and ::1.';
    return [{ ports: [5010 + step, 5011 + step, 9190 + step, 8180 + step], message }, { ports: block, message }];
  }

  function checkNewPort(port: number): PortCheck {
    const owner = used(port);
    if (owner) return { port, state: 'warning', message: `${port} is set for instance ${owner}; only one of the two can run.`, suggestion: 5020, held: false };
    if (port < 1024) return { port, state: 'refused', message: `${port} needs root. Use 1024 to 65535.`, suggestion: 5020, held: false };
    return { port, state: 'free', message: 'Free on 127.0.0.1 and ::1.', suggestion: null, held: false };
  }

  function create({ id, ports }: NewInstance): FakeInstance {
    if (instances.some((instance) => instance.id === id)) throw problem('invalid_input', `Instance ${id} exists already.`, 'instance', 'Choose another name.');
    const clash = ports?.findIndex((port) => used(port)) ?? -1;
    if (ports && clash >= 0) throw problem('invalid_input', `Port ${ports[clash]} is set for instance ${used(ports[clash]!)}.`, SERVICES[clash] ?? null, 'Choose another port.');
    const made = new FakeInstance({ id, ports: ports ?? portSets()[0]!.ports, scenario: 'stopped' }, (event) => tell({ instance: id, event }));
    instances.push(made);
    made.announce();
    return made;
  }

  function remove(id: string): void {
    const found = find(id);
    if (id === 'default') throw problem('invalid_input', 'Instance default cannot be removed.', 'instance');
    if (found.picture().state !== 'stopped') throw problem('instance_running', `Instance ${id} already runs as pid 31120.`, 'instance', 'Stop it first.');
    instances.splice(instances.indexOf(found), 1);
    tell({ instance: id, event: { type: 'removed' } });
  }

  return {
    profiles: async () => (loading ? never() : instances.map(({ id }) => profileOf(id))),
    freePortSets: async () => (loading ? never() : portSets()),
    checkNewPort: async (_from: string | null, _service: Service, port: number) => checkNewPort(port),
    createInstance: async (wanted) => create(wanted).picture(),
    instances: () => (loading ? never() : Promise.resolve({ opened: 'default', instances: instances.map((instance) => instance.picture()) })),
    instance: (id): InstanceHost => ({
      snapshot: async () => (loading ? never() : find(id).picture()),
      history: async () => (loading ? never() : find(id).history()),
      start: async () => find(id).start(),
      stop: async () => find(id).stop(),
      changeSettings: async (edit) => find(id).changeSettings(edit),
      restoreSettings: async () => find(id).restoreSettings(),
      checkPort: async (service, port) => find(id).checkPort(service, port),
      conflict: async (service, port) => find(id).conflict(service, port),
      freePort: async (service, port, release) => find(id).freePort(service, port, release),
      firewall: async (choice) => (loading ? never() : find(id).firewall.view(choice)),
      runFirewall: async (task, choice, shown) => find(id).firewall.run(task, choice, shown),
      saveFirewallScript: async () => `/home/ada/.local/cwts-ultra/scripts/firewall-${id}.sh`,
      logs: async (after) => (loading ? never() : find(id).logs.page(after)),
      audit: async (cursor, limit) => (loading ? never() : find(id).logs.audit(cursor, limit)),
      openLogs: async () => {},
      saveDiagnostics: async () => `/home/you/.local/cwts-ultra/logs/cwts-ultra-${id}-20261122140211.tar.gz`,
      clientPrograms: async () => (loading ? never() : PROGRAM_INFOS),
      clientSnippet: async (client, transport, place, whole) => (loading ? never() : find(id).clients.snippet(client, transport, place, whole)),
      forgetSnippet: async (client, transport, place) => {
        find(id).clients.forget(client, transport, place);
        return find(id).picture();
      },
      tryClient: async (client, transport) => find(id).clients.try({ client, transport }),
      disconnectClient: async (client) => find(id).clients.disconnect(client),
      security: async () => (loading ? never() : find(id).security.view()),
      setReach: async (edit) => find(id).security.setReach(edit),
      armTrading: async (armed) => find(id).security.arm(armed),
      revealToken: async (scope) => find(id).security.reveal(scope),
      rotateTokens: async (scopes) => find(id).security.rotate(scopes),
      makeCertificate: async (names, replace) => find(id).security.make(names, replace),
      importCertificate: async (certificate, key) => find(id).security.importPem(certificate, key),
      removeCertificate: async () => find(id).security.remove(),
      trustNetwork: async (network, trusted) => find(id).security.trust(network, trusted),
      testConnections: async (choice, listener) => (loading ? never() : testConnections(find(id).picture(), choice, listener)),
      cancelTest: async () => {},
      watchDesk: (symbol, listener) => find(id).trading.watch(symbol, listener),
      previewOrder: async (ticket) => find(id).trading.preview(ticket),
      placeOrder: async (ticket) => find(id).trading.place(ticket),
      changeOrder: async (change) => find(id).trading.change(change),
      cancelOrder: async (order) => find(id).trading.cancel(order),
      cancelAllOrders: async () => find(id).trading.cancelAll(),
      closePosition: async (symbol) => find(id).trading.close(symbol),
      setLimits: async (limits) => find(id).trading.setLimits(limits),
      askMarket: async (request) => find(id).trading.ask(request),
      lookAtMarketFile: async (file, symbol) => find(id).trading.look(file, symbol),
      chooseMarketFile: async () => MARKET_FILE,
      accountRisk: async () => find(id).trading.risk(),
      resetAccount: async () => find(id).trading.reset(),
      setTradingState: async (state) => find(id).trading.set(state),
      attach: async () => find(id).attach(),
      endElsewhere: async () => find(id).endElsewhere(),
      openData: async () => {},
      remove: async () => remove(id),
    }),
    watchPorts(listener) {
      if (!loading) queueMicrotask(() => listener({ type: 'rows', data: systemPorts(instances) }));
      return () => {};
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onInstanceRequested: () => () => {},
    onCloseRequested(listener) {
      if (scenario === 'closing') queueMicrotask(listener);
      return () => {};
    },
    quit: async () => instances.forEach((instance) => instance.stop()),
    copy,
  };
}

/** The foreign sockets once, and those of every instance. */
function systemPorts(instances: FakeInstance[]): ListenerRow[] {
  const [first, ...others] = instances.map((instance) => instance.systemPorts());
  return [...(first ?? []), ...others.flat().filter((row) => row.ours)];
}

function brokenHost(): Omit<Host, 'copy'> {
  const reason: Problem = problem('internal', '/proc/net/tcp cannot be read: permission denied.', null, 'The sandbox of this package hides it. Install the .deb or the .rpm.');
  const fail = <T>(): Promise<T> => Promise.reject(reason);
  return {
    instances: fail,
    instance: () => ({
      snapshot: fail, history: fail, start: fail, stop: fail, changeSettings: fail, restoreSettings: fail, checkPort: fail, conflict: fail, freePort: fail,
      firewall: fail, runFirewall: fail, saveFirewallScript: fail, logs: fail, audit: fail, openLogs: fail, saveDiagnostics: fail, clientPrograms: fail, clientSnippet: fail, forgetSnippet: fail, tryClient: fail, disconnectClient: fail, security: fail, setReach: fail, armTrading: fail, revealToken: fail, rotateTokens: fail,
      makeCertificate: fail, importCertificate: fail, removeCertificate: fail, trustNetwork: fail, testConnections: fail, cancelTest: fail, attach: fail, endElsewhere: fail, openData: fail, remove: fail,
      watchDesk: () => () => {}, previewOrder: fail, placeOrder: fail, changeOrder: fail, cancelOrder: fail, cancelAllOrders: fail, closePosition: fail, setTradingState: fail, setLimits: fail, resetAccount: fail, askMarket: fail, lookAtMarketFile: fail, chooseMarketFile: fail, accountRisk: fail,
    }),
    profiles: fail,
    freePortSets: fail,
    checkNewPort: fail,
    createInstance: fail,
    watchPorts(listener) {
      queueMicrotask(() => listener({ type: 'problem', data: reason }));
      return () => {};
    },
    quit: fail,
    subscribe: () => () => {},
    onInstanceRequested: () => () => {},
    onCloseRequested: () => () => {},
  };
}
