/** Instances in memory: what a plain browser and the tests talk to. Behave as the program does, down to its errors. */
import type { Envelope, ListenerRow, Problem } from '../wire/types';
import { copyText } from './clipboard';
import { fleetOf, type Scenario } from './fake-data';
import { FakeInstance, problem } from './fake-instance';
import type { Host, InstanceHost } from './host';

export { isScenario, SCENARIOS, type Scenario } from './fake-data';

/** How the fake behaves beyond its scenario. */
export type FakeOptions = {
  /** One sample per second while running. */
  ticking?: boolean;
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
  if (options.ticking) setInterval(() => instances.forEach((instance) => instance.tick()), 1000);
  const loading = scenario === 'loading';

  function find(id: string): FakeInstance {
    const found = instances.find((instance) => instance.id === id);
    if (!found) throw problem('invalid_input', `There is no instance ${id}.`, 'instance', 'It may have been removed. Choose another one.');
    return found;
  }

  return {
    instances: () => (loading ? never() : Promise.resolve({ opened: 'default', instances: instances.map((instance) => instance.picture()) })),
    instance: (id): InstanceHost => ({
      snapshot: async () => (loading ? never() : find(id).picture()),
      history: async () => (loading ? never() : find(id).history()),
      start: async () => find(id).start(),
      stop: async () => find(id).stop(),
      changeSettings: async (edit) => find(id).changeSettings(edit),
      checkPort: async (service, port) => find(id).checkPort(service, port),
      conflict: async (service, port) => find(id).conflict(service, port),
      freePort: async (service, port, release) => find(id).freePort(service, port, release),
      firewall: async (choice) => (loading ? never() : find(id).firewall.view(choice)),
      runFirewall: async (task, choice, shown) => find(id).firewall.run(task, choice, shown),
      saveFirewallScript: async () => `/home/ada/.local/cwts-ultra/scripts/firewall-${id}.sh`,
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
      snapshot: fail, history: fail, start: fail, stop: fail, changeSettings: fail, checkPort: fail, conflict: fail, freePort: fail,
      firewall: fail, runFirewall: fail, saveFirewallScript: fail,
    }),
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
