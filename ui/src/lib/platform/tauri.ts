/** The host behind the desktop window: each method is one command of the program. */
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { AuditPage, ClientInfo, Conflict, DeskMessage, DeskOrder, Envelope, FirewallResult, FirewallView, LogPage, PortCheck, PortNews, PortSet, Problem, ProfileInfo, ProgramInfo, Released, SecurityView, ServiceTest, Snapshot, Snippet, TestProgress, TicketPreview, Trial, MarketFile, MarketStatus, RiskFigures } from '../wire/types';
import { asProblem, type Fleet, type History, type Host, type InstanceHost } from './host';

async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (thrown) {
    throw asProblem(thrown);
  }
}

/** Hears an event of the program until the returned function is called. */
function hear<T>(event: string, listener: (payload: T) => void): () => void {
  const unlisten = listen<T>(event, ({ payload }) => listener(payload));
  return () => void unlisten.then((end) => end());
}

/** The latest listener of each feed: the program has one of a kind. */
const latest = { ports: 0, desk: 0 };

/** Hears what a feed of the program tells, its problems included, until the returned function is called. */
function follow<T>(feed: keyof typeof latest, args: Record<string, unknown>, listener: (message: T | { type: 'problem'; data: Problem }) => void): () => void {
  const channel = new Channel<T>();
  channel.onmessage = listener;
  call(`watch_${feed}`, { ...args, channel }).catch((thrown: unknown) => listener({ type: 'problem', data: asProblem(thrown) }));
  const mine = (latest[feed] += 1);
  return () => {
    channel.onmessage = () => {};
    // A later one has taken the feed over.
    if (mine === latest[feed]) call(`unwatch_${feed}`).catch(() => {});
  };
}

function tauriInstance(instance: string): InstanceHost {
  return {
    snapshot: () => call<Snapshot>('snapshot', { instance }),
    history: () => call<History>('history', { instance }),
    start: async () => void (await call('start', { instance })),
    stop: async () => void (await call('stop', { instance })),
    changeSettings: (edit) => call<Snapshot>('change_settings', { instance, edit }),
    restoreSettings: () => call<Snapshot>('restore_settings', { instance }),
    checkPort: (service, port) => call<PortCheck>('check_port', { instance, service, port }),
    conflict: (service, port) => call<Conflict>('conflict', { instance, service, port }),
    freePort: (service, port, release) => call<Released>('free_port', { instance, service, port, release }),
    firewall: (choice) => call<FirewallView>('firewall', { instance, choice }),
    runFirewall: (task, choice, shown) => call<FirewallResult[]>('run_firewall', { instance, task, choice, shown }),
    saveFirewallScript: (choice) => call<string>('save_firewall_script', { instance, choice }),
    logs: (after) => call<LogPage>('logs', { instance, after }),
    audit: (cursor, limit) => call<AuditPage>('audit', { instance, cursor, limit }),
    openLogs: async () => void (await call('open_logs')),
    saveDiagnostics: () => call<string>('save_diagnostics', { instance }),
    clientPrograms: () => call<ProgramInfo[]>('client_programs'),
    clientSnippet: (client, transport, place, whole) => call<Snippet>('client_snippet', { instance, client, transport, place, whole }),
    forgetSnippet: (client, transport, place) => call<Snapshot>('forget_snippet', { instance, client, transport, place }),
    tryClient: (client, transport, place) => call<Trial>('try_client', { instance, client, transport, place }),
    disconnectClient: (client) => call<ClientInfo>('disconnect_client', { instance, client }),
    security: () => call<SecurityView>('security', { instance }),
    setReach: (edit) => call<Snapshot>('set_reach', { instance, edit }),
    armTrading: (armed) => call<Snapshot>('arm_trading', { instance, armed }),
    revealToken: (scope) => call<string>('reveal_token', { instance, scope }),
    rotateTokens: async (scopes) => void (await call('rotate_tokens', { instance, scopes })),
    makeCertificate: async (names, replaceImported) => void (await call('make_certificate', { instance, names, replaceImported })),
    importCertificate: async (certificate, key) => void (await call('import_certificate', { instance, certificate, key })),
    removeCertificate: async () => void (await call('remove_certificate', { instance })),
    trustNetwork: async (network, trusted) => void (await call('trust_network', { instance, network, trusted })),
    testConnections(choice, listener) {
      const channel = new Channel<TestProgress>();
      channel.onmessage = listener;
      return call<ServiceTest[]>('test_connections', { instance, choice, channel });
    },
    cancelTest: async () => void (await call('cancel_test')),
    watchDesk: (symbol, listener) => follow<DeskMessage>('desk', { instance, symbol }, listener),
    previewOrder: (ticket) => call<TicketPreview>('preview_order', { instance, ticket }),
    placeOrder: (ticket) => call<DeskOrder>('place_order', { instance, ticket }),
    changeOrder: (change) => call<DeskOrder>('change_order', { instance, change }),
    cancelOrder: (order) => call<DeskOrder>('cancel_order', { instance, order }),
    cancelAllOrders: () => call<number>('cancel_all_orders', { instance }),
    closePosition: (symbol) => call<DeskOrder>('close_position', { instance, symbol }),
    setLimits: async (limits) => void (await call('set_limits', { instance, limits })),
    askMarket: (request) => call<MarketStatus>('ask_market', { instance, request }),
    lookAtMarketFile: (file, symbol) => call<MarketFile>('look_at_market_file', { instance, file, symbol }),
    chooseMarketFile: () => call<string | null>('choose_market_file'),
    accountRisk: () => call<RiskFigures>('account_risk', { instance }),
    resetAccount: async () => void (await call('reset_account', { instance })),
    setTradingState: async (state) => void (await call('set_trading_state', { instance, state })),
    attach: async () => void (await call('attach', { instance })),
    endElsewhere: async () => void (await call('end_elsewhere', { instance })),
    openData: async () => void (await call('open_data', { instance })),
    remove: (withData) => call<void>('remove_instance', { instance, withData }),
  };
}

export function tauriHost(): Host {
  return {
    instances: () => call<Fleet>('instances'),
    profiles: () => call<ProfileInfo[]>('profiles'),
    freePortSets: (from) => call<PortSet[]>('free_port_sets', { from }),
    checkNewPort: (from, service, port) => call<PortCheck>('check_new_port', { from, service, port }),
    createInstance: (wanted) => call<Snapshot>('create_instance', { new: wanted }),
    instance: tauriInstance,
    subscribe(listener, onlost) {
      const channel = new Channel<Envelope>();
      channel.onmessage = listener;
      call('subscribe', { channel }).catch((thrown: unknown) => onlost?.(asProblem(thrown)));
      return () => {
        channel.onmessage = () => {};
      };
    },
    watchPorts: (listener) => follow<PortNews>('ports', {}, listener),
    onInstanceRequested: (listener) => hear<string>('instance-requested', listener),
    onCloseRequested: (listener) => hear('close-requested', () => listener()),
    quit: async () => void (await call('quit')),
    copy: async (text) => void (await call('copy', { text })),
  };
}
